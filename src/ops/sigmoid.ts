import * as math from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The logistic function: log-odds become a probability.
 *
 *     y  = 1 / (1 + e⁻ˣ)
 *     dx = y ⊙ (1 − y) ⊙ dy = e / (1 + e)² ⊙ dy        e = e^−|x|
 *
 * The derivative is taken from x: 1 − y has lost its digits once y has rounded to 1, beyond x = 17 in float32.
 *
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §3.10
 */
export function sigmoid(x: Tensor): Tensor {
  const k = kernelsOf("sigmoid", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = math.sigmoid(values[i]);
  return record("sigmoid", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) {
        const e = math.exp(-Math.abs(values[i]));
        dx[i] += (e / ((1 + e) * (1 + e))) * dy[i];
      }
    }),
  ]);
}
