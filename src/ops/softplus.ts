import { exp, log1p, sigmoid } from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * A smooth rectifier, always positive.
 *
 *     y  = log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|)
 *     dx = sigmoid(x) ⊙ dy
 *
 * The second form cannot overflow, and far to the left it is eˣ to the last digit.
 *
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §3.10
 */
export function softplus(x: Tensor): Tensor {
  const k = kernelsOf("softplus", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = Math.max(values[i], 0) + log1p(exp(-Math.abs(values[i])));
  return record("softplus", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) dx[i] += sigmoid(values[i]) * dy[i];
    }),
  ]);
}
