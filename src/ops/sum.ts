import { requireAxes } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { reshape } from "./reshape.ts";
import { sumTo } from "./sum-to.ts";

export interface ReductionOptions {
  /** Keeps the reduced axes with length 1. Default false. */
  readonly keepAxes?: boolean;
}

/**
 * The sum over some axes, or over all.
 *
 *     y  = Σ x
 *     dx = dy, repeated along the summed axes
 *
 * @param axes an axis or a list, −1 being the last; all of them when left out
 */
export function sum(
  x: Tensor,
  axes?: number | readonly number[],
  { keepAxes = false }: ReductionOptions = {},
): Tensor {
  kernelsOf("sum", x);
  const reduced = requireAxes("sum", x.shape, axes);
  const kept = sumTo(
    x,
    x.shape.map((length, axis) => (reduced.includes(axis) ? 1 : length)),
  );
  if (keepAxes) return kept;
  return reshape(
    kept,
    x.shape.filter((_, axis) => !reduced.includes(axis)),
  );
}
