import { requireOptions } from "../arguments.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { reductionOf } from "./reduction.ts";
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
export function sum(x: Tensor, axes?: number | readonly number[], options: ReductionOptions = {}): Tensor {
  kernelsOf("sum", x);
  requireOptions("sum", options, ["keepAxes"]);
  const { keepAxes = false } = options;
  const { kept, shape } = reductionOf("sum", x.shape, axes, keepAxes);
  const y = sumTo(x, kept);
  return keepAxes ? y : reshape(y, shape);
}
