/** Floor 2: what broadcasting and its adjoint share: the check, the walk, and the two sums. */
import { DistilgradError } from "../errors.ts";
import type { Floats } from "../kernels/kernels.ts";
import { broadcastShapes, formatShape, type Shape, sameShape, sizeOf } from "../shape.ts";

/**
 * Visits, in row-major order, the runs along the last axis of `large`, each with where it starts there and in `small`,
 * and with the step in `small`: 1 where the last axis is its own, 0 where it repeats one value.
 *
 * `small` broadcasts to `large`.
 */
export function forEachRun(
  small: Shape,
  large: Shape,
  visit: (largeStart: number, smallStart: number, length: number, smallStep: number) => void,
): void {
  const rank = large.length;
  const size = sizeOf(large);
  if (size === 0) return;
  // Strides of `small` along the axes of `large`; 0 repeats.
  const strides = new Array<number>(rank).fill(0);
  for (let axis = rank - 1, stride = 1; axis >= rank - small.length; axis--) {
    const length = small[axis - rank + small.length];
    if (length !== 1) strides[axis] = stride;
    stride *= length;
  }
  const run = rank === 0 ? 1 : large[rank - 1];
  const step = rank === 0 ? 0 : strides[rank - 1];
  const index = new Array<number>(rank).fill(0);
  let smallStart = 0;
  for (let start = 0; start < size; start += run) {
    visit(start, smallStart, run, step);
    for (let axis = rank - 2; axis >= 0; axis--) {
      smallStart += strides[axis];
      if (++index[axis] < large[axis]) break;
      smallStart -= strides[axis] * large[axis];
      index[axis] = 0;
    }
  }
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

/** small += Σ large over what was repeated: float64 inside, ascending, rounded once. */
export function addSums(small: Floats, smallShape: Shape, large: Floats, largeShape: Shape): void {
  const sums = new Float64Array(small.length);
  forEachRun(smallShape, largeShape, (start, at, length, step) => {
    if (step === 0) {
      let sum = sums[at];
      for (let i = start; i < start + length; i++) sum += large[i];
      sums[at] = sum;
    } else {
      for (let i = 0; i < length; i++) sums[at + i] += large[start + i];
    }
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
