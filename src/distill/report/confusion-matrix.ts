import { unlabelled } from "../../data/dataset.ts";
import { DistilgradError } from "../../errors.ts";
import { requireLabels } from "../../labels.ts";
import type { Tensor } from "../../tensor.ts";
import { predictLabels } from "../evaluate.ts";

/** How a model does on one class. Shares are in [0, 1], and null where there is nothing to take a share of. */
export interface ClassScores {
  /** Rows whose label it is. */
  readonly support: number;
  /** Rows for which the model named it. */
  readonly predicted: number;
  /** Of the rows for which the model named it, the share that have it as label; null when it was never named. */
  readonly precision: number | null;
  /** Of the rows whose label it is, the share for which the model named it; null when there is no such row. */
  readonly recall: number | null;
  /** The harmonic mean of both, 2 · right / (support + predicted); null when both counts are 0. */
  readonly f1: number | null;
}

export interface ConfusionMatrix {
  /** How many rows of a true class (first index) were answered with a class (second index). */
  readonly counts: readonly (readonly number[])[];
  /** Of every class, in their order. */
  readonly classes: readonly ClassScores[];
}

/**
 * Which classes a model takes for which, and what follows for each.
 *
 *     counts[t][c] = labelled rows with label t and most likely class c
 *     precision    = counts[c][c] / Σ_t counts[t][c]        recall = counts[c][c] / Σ_p counts[c][p]
 *     F1           = 2 · counts[c][c] / (Σ_t counts[t][c] + Σ_p counts[c][p])
 *
 * @param logits `[rows, classes]`
 * @param labels a class for each row; rows with −1 are left out
 * @throws when no row has a label, and on a row with NaN
 * @see Manning, Raghavan & Schütze, Introduction to Information Retrieval (2008), §8.3
 */
export function confusionMatrix(logits: Tensor, labels: ArrayLike<number>): ConfusionMatrix {
  const answers = predictLabels(logits);
  const [rows, cols] = logits.shape;
  requireLabels("confusionMatrix", labels, rows, cols, unlabelled);
  const counts = Array.from({ length: cols }, () => new Array<number>(cols).fill(0));
  const [support, predicted] = [new Array<number>(cols).fill(0), new Array<number>(cols).fill(0)];
  let labelled = 0;
  for (let row = 0; row < rows; row++) {
    if (labels[row] === unlabelled) continue;
    counts[labels[row]][answers[row]]++;
    support[labels[row]]++;
    predicted[answers[row]]++;
    labelled++;
  }
  if (labelled === 0) {
    throw new DistilgradError("labels", "confusionMatrix: expected at least one labelled row");
  }
  const classes = counts.map((answered, label) => ({
    support: support[label],
    predicted: predicted[label],
    precision: share(answered[label], predicted[label]),
    recall: share(answered[label], support[label]),
    f1: share(2 * answered[label], support[label] + predicted[label]),
  }));
  return { counts, classes };
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
