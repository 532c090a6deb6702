import { exp, sigmoid } from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { weighted } from "./weighted.ts";

/**
 * A value times its own sigmoid, also known as swish.
 *
 *     y  = x σ(x)
 *     dx = (σ(x) + x σ′(x)) ⊙ dy        σ′(x) = e / (1 + e)², e = e^−|x|
 *
 * Where σ or σ′ vanishes, so does its product with x: −∞ gives 0 and the derivative 0, +∞ gives +∞ and the derivative 1.
 *
 * @see Elfwing, Uchibe & Doya, Sigmoid-weighted linear units (2018), arXiv 1702.03118, §2
 */
export function silu(x: Tensor): Tensor {
  const k = kernelsOf("silu", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = weighted(values[i], sigmoid(values[i]));
  return record("silu", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) {
        const e = exp(-Math.abs(values[i]));
        dx[i] += (sigmoid(values[i]) + weighted(values[i], e / ((1 + e) * (1 + e)))) * dy[i];
      }
    }),
  ]);
}
