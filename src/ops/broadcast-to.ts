import { requireShape, type Shape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { addSums, forEachRun, requireBroadcast } from "./broadcasting.ts";

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
  const large = [...shape];
  const y = k.alloc(sizeOf(large));
  const small = x.data;
  forEachRun(x.shape, large, (start, at, length, step) => {
    for (let i = 0; i < length; i++) y[start + i] = small[at + i * step];
  });
  return record("broadcastTo", y, large, [wrt(x, (dx, dy) => addSums(k, dx, x.shape, dy, large))]);
}
