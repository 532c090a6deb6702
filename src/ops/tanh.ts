import * as math from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The hyperbolic tangent: an odd sigmoid between −1 and 1.
 *
 *     y  = tanh x
 *     dx = (1 − y²) ⊙ dy = 4e / (1 + e)² ⊙ dy        e = e^−2|x|
 *
 * The derivative is taken from x: 1 − y² has lost its digits once y has rounded to ±1, beyond |x| = 9 in float32.
 */
export function tanh(x: Tensor): Tensor {
  const k = kernelsOf("tanh", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = math.tanh(values[i]);
  return record("tanh", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) {
        const e = math.exp(-2 * Math.abs(values[i]));
        dx[i] += ((4 * e) / ((1 + e) * (1 + e))) * dy[i];
      }
    }),
  ]);
}
