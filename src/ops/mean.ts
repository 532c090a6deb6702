import { requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { addRepeated, addSums } from "./broadcasting.ts";
import { reductionOf } from "./reduction.ts";
import type { ReductionOptions } from "./sum.ts";

/**
 * The mean over some axes, or over all.
 *
 *     y  = Σ x / n
 *     dx = dy / n, repeated along the averaged axes
 *
 * Summed and divided in float64, rounded once.
 *
 * @param axes an axis or a list, −1 being the last; all of them when left out
 * @throws where there is nothing to average
 */
export function mean(x: Tensor, axes?: number | readonly number[], options: ReductionOptions = {}): Tensor {
  const k = kernelsOf("mean", x);
  requireOptions("mean", options, ["keepAxes"]);
  const { keepAxes = false } = options;
  const { axes: reduced, count, kept, shape } = reductionOf("mean", x.shape, axes, keepAxes);
  if (count === 0) {
    throw new DistilgradError(
      "shape",
      `mean: nothing to average in ${formatShape(x.shape)} over axes ${formatShape(reduced)}`,
    );
  }
  const sums = new Float64Array(x.size / count);
  addSums(k, sums, kept, x.data, x.shape);
  const y = k.alloc(sums.length);
  for (let i = 0; i < y.length; i++) y[i] = sums[i] / count;
  return record("mean", y, shape, [wrt(x, (dx, dy) => addRepeated(dx, x.shape, dy, kept, count))]);
}
