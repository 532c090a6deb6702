import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The opposite of every value.
 *
 *     y  = −x
 *     dx = −dy
 */
export function neg(x: Tensor): Tensor {
  const k = kernelsOf("neg", x);
  const y = k.alloc(x.size);
  k.scale(y, -1, x.data);
  return record("neg", y, x.shape, [wrt(x, (dx, dy) => k.addScaled(dx, -1, dy))]);
}
