/** Floor 2: how the values of one tensor lie in the buffer of another: the walk along them, and placing them there. */
import type { Floats } from "../kernels/kernels.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { type PartialDerivative, type Tensor, wrt } from "../tensor.ts";

/**
 * Visits the values of a shape, in row-major order, where they lie `strides` apart in a buffer. It does so in runs, as
 * long as the strides allow: each with where it starts among the values and in the buffer, and its step there.
 */
export function forEachStridedRun(
  shape: Shape,
  strides: readonly number[],
  visit: (start: number, at: number, length: number, step: number) => void,
): void {
  const size = sizeOf(shape);
  const { lengths, steps } = merged(shape, strides);
  const run = lengths.pop() ?? 1;
  const step = steps.pop() ?? 1;
  const index = lengths.map(() => 0);
  let at = 0;
  for (let start = 0; start < size; start += run) {
    visit(start, at, run, step);
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      at += steps[axis];
      if (++index[axis] < lengths[axis]) break;
      at -= steps[axis] * lengths[axis];
      index[axis] = 0;
    }
  }
}

/** The same walk with fewer axes: without those of length 1, and those in one where the outer goes on as the inner ends. */
function merged(shape: Shape, strides: readonly number[]): { lengths: number[]; steps: number[] } {
  const lengths: number[] = [];
  const steps: number[] = [];
  for (const [axis, length] of shape.entries()) {
    if (length === 1) continue;
    const outer = lengths.length - 1;
    if (outer >= 0 && steps[outer] === strides[axis] * length) {
      lengths[outer] *= length;
      steps[outer] = strides[axis];
    } else {
      lengths.push(length);
      steps.push(strides[axis]);
    }
  }
  return { lengths, steps };
}

/**
 * Writes x into y as a box, and returns its partial derivative: the same box of dy.
 *
 * @param strides of y along each axis of x
 * @param corner where in y the box begins
 */
export function placed(y: Floats, x: Tensor, strides: readonly number[], corner: number): PartialDerivative {
  const values = x.data;
  forEachStridedRun(x.shape, strides, (start, at, length, step) => {
    for (let i = 0; i < length; i++) y[corner + at + i * step] = values[start + i];
  });
  return wrt(x, (dx, dy) => {
    forEachStridedRun(x.shape, strides, (start, at, length, step) => {
      for (let i = 0; i < length; i++) dx[start + i] += dy[corner + at + i * step];
    });
  });
}
