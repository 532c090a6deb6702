import * as math from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The exponential function.
 *
 *     y  = eˣ
 *     dx = y ⊙ dy
 */
export function exp(x: Tensor): Tensor {
  const k = kernelsOf("exp", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = math.exp(values[i]);
  return record("exp", y, x.shape, [wrt(x, (dx, dy) => k.addProduct(dx, y, dy))]);
}
