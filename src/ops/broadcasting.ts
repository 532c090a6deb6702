/** Floor 2: the walk that broadcasting and its adjoint share. */
import { type Shape, sizeOf } from "../shape.ts";

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
