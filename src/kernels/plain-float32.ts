/** Floor 0: the float32 set in plain JavaScript. It runs everywhere and defines the bits that every other set gives. */
import { elementwise } from "./elementwise.ts";
import type { Kernels } from "./kernels.ts";
import { products } from "./products.ts";
import { rows } from "./rows.ts";
import { updates } from "./updates.ts";

export const plainFloat32: Kernels = {
  name: "float32",
  bytesPerElement: 4,
  alloc: (size) => new Float32Array(size),
  room: (size) => new Float32Array(size),
  wideRoom: (size) => new Float64Array(size),
  lasting: (size) => new Float32Array(size),
  step: (compute) => compute(),
  ...products,
  ...elementwise,
  ...rows,
  ...updates,
};
