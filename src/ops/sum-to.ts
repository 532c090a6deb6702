import { requireShape, type Shape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { addRepeated, addSums, requireBroadcast } from "./broadcasting.ts";

/**
 * Sums over axes until a smaller shape is reached: the adjoint of `broadcastTo`.
 *
 *     y  = Σ x over every axis that `shape` lacks or has with length 1
 *     dx = dy, repeated
 *
 * Summed in float64 and rounded once: along rows in the lanes of `kernels.sum`, over other axes in ascending order.
 *
 * @param shape a shape that broadcasts to x's
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const k = kernelsOf("sumTo", x);
  requireShape("sumTo", shape);
  requireBroadcast("sumTo", shape, x.shape);
  const small = [...shape];
  const y = k.alloc(sizeOf(small));
  addSums(k, y, small, x.data, x.shape);
  return record("sumTo", y, small, [wrt(x, (dx, dy) => addRepeated(dx, x.shape, dy, small))]);
}
