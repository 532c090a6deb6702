import { requireShape, type Shape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { addSums, requireBroadcast } from "./broadcast-to.ts";
import { forEachRun } from "./broadcasting.ts";

/**
 * Sums over axes until a smaller shape is reached: the adjoint of `broadcastTo`.
 *
 *     y  = Σ x over every axis that `shape` lacks or has with length 1
 *     dx = dy, repeated
 *
 * Summed in float64 in ascending order and rounded once.
 *
 * @param shape a shape that broadcasts to x's
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const k = kernelsOf("sumTo", x);
  requireShape("sumTo", shape);
  requireBroadcast("sumTo", shape, x.shape);
  const y = k.alloc(sizeOf(shape));
  addSums(y, shape, x.data, x.shape);
  return record(
    "sumTo",
    y,
    [...shape],
    [
      wrt(x, (dx, dy) =>
        forEachRun(shape, x.shape, (start, at, length, step) => {
          for (let i = 0; i < length; i++) dx[start + i] += dy[at + i * step];
        }),
      ),
    ],
  );
}
