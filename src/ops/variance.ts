import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { addSums, forEachRun } from "./broadcasting.ts";
import { reductionOf } from "./reduction.ts";
import type { ReductionOptions } from "./sum.ts";

export interface VarianceOptions extends ReductionOptions {
  /** c, at least 0: what is taken off the number of values. 0 for the variance of just these values. Default 1. */
  readonly correction?: number;
}

/**
 * The variance over some axes, or over all.
 *
 *     y  = Σ (x − mean x)² / (n − c)
 *     dx = 2 (x − mean x) / (n − c) · dy
 *
 * The mean has no part in the derivative, for Σ (x − mean x) = 0. Two passes in float64, the first for the mean: the
 * difference Σ x² − (Σ x)² / n would lose all digits where the mean is large. With c = 1 it estimates, without bias, the
 * variance of what n values were drawn from.
 *
 * @param axes an axis or a list, −1 being the last; all of them when left out
 * @throws where n ≤ c
 * @see Higham, Accuracy and Stability of Numerical Algorithms (2002), §1.9
 */
export function variance(
  x: Tensor,
  axes?: number | readonly number[],
  options: VarianceOptions = {},
): Tensor {
  const k = kernelsOf("variance", x);
  requireOptions("variance", options, ["keepAxes", "correction"]);
  const { keepAxes = false, correction = 1 } = options;
  if (!(typeof correction === "number" && correction >= 0 && correction < Number.POSITIVE_INFINITY)) {
    throw new DistilgradError(
      "value",
      `variance: correction must be a finite number of at least 0, got ${kindOf(correction)}`,
    );
  }
  const { axes: reduced, count, kept, shape } = reductionOf("variance", x.shape, axes, keepAxes);
  if (count <= correction) {
    throw new DistilgradError(
      "shape",
      `variance: expected more values than the correction of ${correction}, got ${count} in ${formatShape(x.shape)} over axes ${formatShape(reduced)}`,
    );
  }
  const values = x.data;
  const means = new Float64Array(x.size / count);
  addSums(k, means, kept, values, x.shape);
  for (let o = 0; o < means.length; o++) means[o] /= count;
  const squares = new Float64Array(means.length);
  forEachRun(kept, x.shape, (start, at, length, step) => {
    for (let i = start, o = at; i < start + length; i++, o += step) {
      const deviation = values[i] - means[o];
      squares[o] += deviation * deviation;
    }
  });
  const y = k.alloc(squares.length);
  for (let o = 0; o < y.length; o++) y[o] = squares[o] / (count - correction);
  return record("variance", y, shape, [
    wrt(x, (dx, dy) => {
      const share = 2 / (count - correction);
      forEachRun(kept, x.shape, (start, at, length, step) => {
        for (let i = start, o = at; i < start + length; i++, o += step) {
          dx[i] += (values[i] - means[o]) * share * dy[o];
        }
      });
    }),
  ]);
}
