import { record, type Tensor, wrt } from "../tensor.ts";
import { extremesOf } from "./extremes.ts";
import type { ReductionOptions } from "./sum.ts";

/**
 * The largest value over some axes, or over all.
 *
 *     y  = max x
 *     dx = dy at the largest entry, else 0
 *
 * Of equals the first in row-major order is taken, and gets the whole gradient. A NaN wins, the first of several: a
 * fault upstream is not hidden.
 *
 * @param axes an axis or a list, −1 being the last; all of them when left out
 * @throws where there is nothing to compare
 */
export function max(x: Tensor, axes?: number | readonly number[], options: ReductionOptions = {}): Tensor {
  const { from, shape } = extremesOf("max", 1, x, axes, options);
  const values = x.data;
  const y = x.kernels.alloc(from.length);
  for (let o = 0; o < y.length; o++) y[o] = values[from[o]];
  return record("max", y, shape, [
    wrt(x, (dx, dy) => {
      for (let o = 0; o < dy.length; o++) dx[from[o]] += dy[o];
    }),
  ]);
}
