import * as math from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The natural logarithm: −∞ at 0, NaN below.
 *
 *     y  = ln x
 *     dx = dy / x        infinite at 0; 0 where dy is 0, also there
 */
export function log(x: Tensor): Tensor {
  const k = kernelsOf("log", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = math.log(values[i]);
  return record("log", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) if (dy[i] !== 0) dx[i] += dy[i] / values[i];
    }),
  ]);
}
