import { record, type Tensor, wrt } from "../tensor.ts";
import { broadcastOperands } from "./operands.ts";

/**
 * The elementwise product of two tensors, broadcast to a common shape.
 *
 *     y  = a ⊙ b
 *     da = b ⊙ dy        db = a ⊙ dy
 */
export function mul(a: Tensor, b: Tensor): Tensor {
  [a, b] = broadcastOperands("mul", a, b);
  const k = a.kernels;
  const y = k.alloc(a.size);
  k.mul(y, a.data, b.data);
  return record("mul", y, a.shape, [
    wrt(a, (da, dy) => k.addProduct(da, b.data, dy)),
    wrt(b, (db, dy) => k.addProduct(db, a.data, dy)),
  ]);
}
