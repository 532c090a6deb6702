import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * One over every value: ±∞ at ±0.
 *
 *     y  = 1 / x
 *     dx = −dy / x / x        infinite at 0; 0 where dy is 0, also there
 *
 * Divided twice, because x² overflows first.
 */
export function reciprocal(x: Tensor): Tensor {
  const k = kernelsOf("reciprocal", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = 1 / values[i];
  return record("reciprocal", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) if (dy[i] !== 0) dx[i] -= dy[i] / values[i] / values[i];
    }),
  ]);
}
