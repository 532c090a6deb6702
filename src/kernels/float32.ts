/**
 * Floor 0: the float32 set that serves where none is named. It starts as the plain one; `accelerate` puts faster loops
 * in the place of plain ones, at any time, since both give the same bits. Its `name` says which there are.
 */
import type { Kernels } from "./kernels.ts";
import { plainFloat32 } from "./plain-float32.ts";

export const float32: Kernels = { ...plainFloat32 };
