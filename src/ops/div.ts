import { record, type Tensor, wrt } from "../tensor.ts";
import { broadcastOperands } from "./operands.ts";

/**
 * The elementwise quotient of two tensors, broadcast to a common shape.
 *
 *     y  = a / b
 *     da = dy / b        db = −a / b² · dy        0 where dy is 0, also where b is 0
 *
 * As IEEE 754 has it, x / 0 is ±∞ and 0 / 0 is NaN.
 */
export function div(a: Tensor, b: Tensor): Tensor {
  [a, b] = broadcastOperands("div", a, b);
  const k = a.kernels;
  const [p, q] = [a.data, b.data];
  const y = k.alloc(a.size);
  k.div(y, p, q);
  return record("div", y, a.shape, [
    wrt(a, (da, dy) => {
      for (let i = 0; i < da.length; i++) if (dy[i] !== 0) da[i] += dy[i] / q[i];
    }),
    wrt(b, (db, dy) => {
      for (let i = 0; i < db.length; i++) if (dy[i] !== 0) db[i] -= (p[i] / q[i] / q[i]) * dy[i];
    }),
  ]);
}
