/** Floor 0: which set serves where none is named. Chosen at first use, so that importing does nothing. */
import { float32 } from "./float32.ts";
import type { Kernels } from "./kernels.ts";

/** The set that `tensor`, `zeros`, … and the layers use where none is given. */
export function defaultKernels(): Kernels {
  return float32;
}
