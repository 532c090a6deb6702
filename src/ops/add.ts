import { record, type Tensor, wrt } from "../tensor.ts";
import { broadcastOperands } from "./operands.ts";

/**
 * The sum of two tensors, broadcast to a common shape.
 *
 *     y  = a + b
 *     da = dy        db = dy
 */
export function add(a: Tensor, b: Tensor): Tensor {
  [a, b] = broadcastOperands("add", a, b);
  const k = a.kernels;
  const y = k.alloc(a.size);
  k.add(y, a.data, b.data);
  return record("add", y, a.shape, [
    wrt(a, (da, dy) => k.addScaled(da, 1, dy)),
    wrt(b, (db, dy) => k.addScaled(db, 1, dy)),
  ]);
}
