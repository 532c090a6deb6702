import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The rectifier: negative values become 0.
 *
 *     y  = max(x, 0)
 *     dx = dy where x > 0, 0 where x ≤ 0        the derivative at 0 is 0
 *
 * NaN stays NaN: a fault upstream is not hidden.
 *
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §6.3.1
 */
export function relu(x: Tensor): Tensor {
  const k = kernelsOf("relu", x);
  const y = k.room(x.size);
  k.relu(y, x.data);
  return record("relu", y, x.shape, [wrt(x, (dx, dy) => k.reluBackward(dx, x.data, dy))]);
}
