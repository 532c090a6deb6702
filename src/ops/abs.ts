import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The magnitude.
 *
 *     y  = |x|
 *     dx = dy where x > 0, −dy where x < 0        the derivative at 0 is 0
 */
export function abs(x: Tensor): Tensor {
  const k = kernelsOf("abs", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = Math.abs(values[i]);
  return record("abs", y, x.shape, [
    wrt(x, (dx, dy) => {
      // 0 is left out rather than multiplied with: 0 · ∞ is NaN.
      for (let i = 0; i < dx.length; i++) if (values[i] !== 0) dx[i] += Math.sign(values[i]) * dy[i];
    }),
  ]);
}
