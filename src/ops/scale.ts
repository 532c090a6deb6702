import { DistilgradError } from "../errors.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * Every value times one number, which is not differentiated.
 *
 *     y  = s · x
 *     dx = s · dy
 *
 * @throws when `factor` is not a number
 */
export function scale(x: Tensor, factor: number): Tensor {
  const k = kernelsOf("scale", x);
  if (typeof factor !== "number") {
    throw new DistilgradError(
      "value",
      `scale: factor must be a number, got ${typeof factor}; use mul for two tensors`,
    );
  }
  const y = k.alloc(x.size);
  k.scale(y, factor, x.data);
  return record("scale", y, x.shape, [wrt(x, (dx, dy) => k.addScaled(dx, factor, dy))]);
}
