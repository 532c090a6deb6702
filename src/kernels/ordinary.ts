/** Floor 0: arrays that belong to nobody but the garbage collector, wherever a set computes. */
import type { Floats, Kernels } from "./kernels.ts";

/** Zeros of a set's precision that a caller may keep, also from inside a training step. */
export const ordinary = ({ bytesPerElement }: Kernels, size: number): Floats =>
  bytesPerElement === 4 ? new Float32Array(size) : new Float64Array(size);
