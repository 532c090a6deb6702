import { requireOptions, requireWhole } from "../../arguments.ts";
import { argmaxRow } from "../../kernels/rows.ts";
import type { Tensor } from "../../tensor.ts";
import { labelledLogits } from "./labelled-logits.ts";

export interface CalibrationOptions {
  /** How many intervals of equal width [0, 1] is cut into. Default 15. */
  readonly bins?: number;
}

/** The rows whose confidence lies in one interval. */
export interface CalibrationBin {
  /** A confidence lies above `low`, … */
  readonly low: number;
  /** … and not above `high`. */
  readonly high: number;
  /** How many rows there are. */
  readonly count: number;
  /** The mean confidence of these rows; null when there is none. */
  readonly confidence: number | null;
  /** The share of these rows whose most likely class is their label; null when there is none. */
  readonly accuracy: number | null;
}

export interface Calibration {
  /** The expected calibration error, in [0, 1]: 0 for a model that is right as often as it believes. */
  readonly error: number;
  /** The reliability table, ascending. */
  readonly bins: readonly CalibrationBin[];
}

/**
 * Whether a model is right as often as it believes: its expected calibration error, with the reliability table behind it.
 *
 *     confidence = max softmax(z)        bin m holds the rows with confidence in ((m − 1)/M, m/M]
 *     error      = Σ_m count_m / rows · |accuracy_m − confidence_m|
 *
 * An empty bin counts as nothing. A model that is sure and always right has no error, and neither has one that gives each
 * class its frequency whatever it sees: read it beside the accuracy. It rests on the number of bins, so compare figures
 * of one number only.
 *
 * @param logits `[rows, classes]` z
 * @param labels a class for each row; rows with −1 take no part
 * @throws when no row has a label, and where a logit of a labelled row is not finite
 * @see Guo et al., On Calibration of Modern Neural Networks (2017), arXiv 1706.04599, §2, equation 3
 */
export function calibration(
  logits: Tensor,
  labels: ArrayLike<number>,
  options: CalibrationOptions = {},
): Calibration {
  requireOptions("calibration", options, ["bins"]);
  const { bins = 15 } = options;
  requireWhole("calibration", "bins", bins, 1);
  const known = labelledLogits("calibration", logits, labels);
  const { kernels: k, data: z } = known.logits;
  const [rows, cols] = known.logits.shape;
  const [p, logP] = [k.wideRoom(z.length), k.wideRoom(z.length)];
  k.distribution(p, logP, z, rows, cols, 1);

  const table = Array.from({ length: bins }, () => ({ count: 0, right: 0, confidences: 0 }));
  for (let row = 0; row < rows; row++) {
    const top = argmaxRow(z, row * cols, cols);
    let m = 0;
    while (p[top] > (m + 1) / bins) m++; // by the edges themselves: a product could round across one
    table[m].count++;
    table[m].confidences += p[top];
    if (top - row * cols === known.labels[row]) table[m].right++;
  }
  // count · |accuracy − confidence| = |right − Σ confidence|
  const apart = table.reduce((sum, { right, confidences }) => sum + Math.abs(right - confidences), 0);
  return {
    error: apart / rows,
    bins: table.map(({ count, right, confidences }, m) => ({
      low: m / bins,
      high: (m + 1) / bins,
      count,
      confidence: count === 0 ? null : confidences / count,
      accuracy: count === 0 ? null : right / count,
    })),
  };
}
