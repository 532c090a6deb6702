import { DistilgradError } from "../errors.ts";
import type { Floats } from "../kernels/kernels.ts";
import { broadcastShapes, formatShape, requireShape, type Shape, sameShape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { forEachRun } from "./broadcasting.ts";

/**
 * Repeats values along new axes and along axes of length 1.
 *
 *     y[…, i, …] = x[…, 0, …]
 *     dx = Σ dy over the repetitions        this is `sumTo`: the two are each other's adjoint
 *
 * @param shape the shape to reach, aligned with x's at the last axis
 * @throws where an axis of x is neither 1 nor the wanted length
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const k = kernelsOf("broadcastTo", x);
  requireShape("broadcastTo", shape);
  requireBroadcast("broadcastTo", x.shape, shape);
  const y = k.alloc(sizeOf(shape));
  const small = x.data;
  forEachRun(x.shape, shape, (start, at, length, step) => {
    for (let i = 0; i < length; i++) y[start + i] = small[at + i * step];
  });
  return record("broadcastTo", y, [...shape], [wrt(x, (dx, dy) => addSums(dx, x.shape, dy, shape))]);
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
