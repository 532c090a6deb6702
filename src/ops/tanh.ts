import * as math from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The hyperbolic tangent: an odd sigmoid between −1 and 1.
 *
 *     y  = tanh x
 *     dx = (1 − y²) ⊙ dy        written (1 − y)(1 + y), which keeps its digits where y is near ±1
 */
export function tanh(x: Tensor): Tensor {
  const k = kernelsOf("tanh", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = math.tanh(values[i]);
  return record("tanh", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) dx[i] += (1 - y[i]) * (1 + y[i]) * dy[i];
    }),
  ]);
}
