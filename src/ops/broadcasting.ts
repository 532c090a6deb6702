/** Floor 2: what broadcasting and its adjoint share: the check, the walk, and the two sums. */
import { DistilgradError } from "../errors.ts";
import type { Floats, Kernels } from "../kernels/kernels.ts";
import { sum } from "../kernels/sums.ts";
import { broadcastShapes, formatShape, type Shape, sameShape, stridesOf } from "../shape.ts";
import { forEachStridedRun } from "./strided-runs.ts";

/**
 * Visits, in row-major order, runs of `large`, each with where it starts there and in `small`, and with the step in
 * `small`: 1 where the two go side by side, 0 where one value repeats.
 *
 * `small` broadcasts to `large`.
 */
export function forEachRun(
  small: Shape,
  large: Shape,
  visit: (largeStart: number, smallStart: number, length: number, smallStep: number) => void,
): void {
  const own = stridesOf(small);
  const added = large.length - small.length;
  const strides = large.map((_, axis) => (axis < added || small[axis - added] === 1 ? 0 : own[axis - added]));
  forEachStridedRun(large, strides, visit);
}

/** Requires that `small` broadcasts to exactly `large`. */
export function requireBroadcast(op: string, small: Shape, large: Shape): void {
  if (small.length > large.length || !sameShape(broadcastShapes(op, small, large), large)) {
    throw new DistilgradError(
      "shape",
      `${op}: shape ${formatShape(small)} does not broadcast to ${formatShape(large)}`,
    );
  }
}

/**
 * small += Σ large over what was repeated: float64 inside, rounded once. What lies side by side is summed as a row, in
 * the lanes of `kernels.sum`; such sums, and what lies apart, are added in ascending order.
 */
export function addSums(
  kernels: Kernels,
  small: Floats,
  smallShape: Shape,
  large: Floats,
  largeShape: Shape,
): void {
  if (small.length === 1) {
    small[0] += kernels.sum(large);
    return;
  }
  const sums = new Float64Array(small.length);
  forEachRun(smallShape, largeShape, (start, at, length, step) => {
    if (step === 0) sums[at] += sum(large, start, start + length);
    else for (let i = 0; i < length; i++) sums[at + i] += large[start + i];
  });
  for (let i = 0; i < small.length; i++) small[i] += sums[i];
}

/** large += small / divisor, repeated: the adjoint of `addSums`, and of the mean for another divisor than 1. */
export function addRepeated(
  large: Floats,
  largeShape: Shape,
  small: Floats,
  smallShape: Shape,
  divisor = 1,
): void {
  forEachRun(smallShape, largeShape, (start, at, length, step) => {
    for (let i = 0; i < length; i++) large[start + i] += small[at + i * step] / divisor;
  });
}
