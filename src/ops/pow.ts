import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { power } from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * Every value to the power of one number, which is not differentiated.
 *
 *     y  = xᵖ
 *     dx = p xᵖ⁻¹ ⊙ dy        0 everywhere for p = 0; 0 where dy is 0, also at a pole
 *
 * Both powers are taken from x, so that at 0 the derivative of x² is 0 and that of x is 1, where p y / x would be NaN.
 * Special values are those of JavaScript's `**`: x⁰ = 1, and a negative number to a power that is not whole is NaN.
 *
 * @param exponent p, any finite number
 */
export function pow(x: Tensor, exponent: number): Tensor {
  const k = kernelsOf("pow", x);
  if (!Number.isFinite(exponent)) {
    throw new DistilgradError("value", `pow: exponent must be a finite number, got ${kindOf(exponent)}`);
  }
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = power(values[i], exponent);
  return record("pow", y, x.shape, [
    wrt(x, (dx, dy) => {
      if (exponent === 0) return;
      for (let i = 0; i < dx.length; i++) {
        if (dy[i] !== 0) dx[i] += exponent * power(values[i], exponent - 1) * dy[i];
      }
    }),
  ]);
}
