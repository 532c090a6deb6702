import type { Tensor } from "../tensor.ts";
import { reduceToExtremes } from "./extremes.ts";
import type { ReductionOptions } from "./sum.ts";

/**
 * The smallest value over some axes, or over all.
 *
 *     y  = min x
 *     dx = dy at the smallest entry, else 0
 *
 * Of equals the first in row-major order is taken, and gets the whole gradient. A NaN wins, the first of several: a
 * fault upstream is not hidden.
 *
 * @param axes an axis or a list, −1 being the last; all of them when left out
 * @throws where there is nothing to compare
 */
export function min(x: Tensor, axes?: number | readonly number[], options: ReductionOptions = {}): Tensor {
  return reduceToExtremes("min", -1, x, axes, options);
}
