import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * Every value times itself.
 *
 *     y  = x²
 *     dx = 2x ⊙ dy        0 where dy is 0, also at ±∞
 *
 * `pow(x, 2)` gives the same bits.
 */
export function square(x: Tensor): Tensor {
  const k = kernelsOf("square", x);
  const values = x.data;
  const y = k.alloc(x.size);
  k.mul(y, values, values);
  return record("square", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) if (dy[i] !== 0) dx[i] += 2 * values[i] * dy[i];
    }),
  ]);
}
