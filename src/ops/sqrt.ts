import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The square root: NaN below 0.
 *
 *     y  = √x
 *     dx = dy / 2√x        infinite at 0; 0 where dy is 0, also there
 *
 * The derivative takes the root of x once more: y has been rounded.
 */
export function sqrt(x: Tensor): Tensor {
  const k = kernelsOf("sqrt", x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = Math.sqrt(values[i]);
  return record("sqrt", y, x.shape, [
    wrt(x, (dx, dy) => {
      // + 0 turns −0 into 0, where the derivative is +∞ as well.
      for (let i = 0; i < dx.length; i++) if (dy[i] !== 0) dx[i] += dy[i] / (2 * Math.sqrt(values[i] + 0));
    }),
  ]);
}
