import { kindOf, requireOptions, requireWhole } from "../../arguments.ts";
import { unlabelled } from "../../data/dataset.ts";
import { DistilgradError } from "../../errors.ts";
import { requireLabels } from "../../labels.ts";
import { exp } from "../../math.ts";
import type { Tensor } from "../../tensor.ts";
import { distributionOf } from "./distribution.ts";
import { requireSameAnswers } from "./same-answers.ts";

export interface FitEnsembleWeightsOptions {
  /** The most updates that are made. Default 10,000. */
  readonly updates?: number;
}

/** In nats: how much the best weights may still be better than those that are returned. */
const tolerance = 1e-6;

/**
 * The weights with which the mean of several teachers' probabilities has the least cross-entropy on labelled rows. Take
 * rows that none of them was trained on, or the one that overfits most will have all the weight.
 *
 *     p_k = softmax(v_k)[label]        L = −mean_rows log Σ_k w_k p_k
 *     g_k = mean_rows p_k / Σ_j w_j p_j        w_k ← w_k g_k, from equal weights
 *
 * L is convex in w. This is expectation maximisation: no update makes L worse, none leaves the simplex, as Σ w_k g_k is
 * 1, and after n of them the best weights of K members are better by at most log K / (n + 1). By convexity they are also
 * better by at most max g − 1: it stops where that is 1e-6 nats, or after the most updates. The same on every machine.
 *
 * @param members each one's logits `[rows, classes]`, divided by its temperature if the ensemble has one for it
 * @param labels a class for each row, −1 for none
 * @returns one weight a member, which sum to 1
 * @throws on a row whose label no member gives a probability
 * @see Cover, An Algorithm for Maximizing Expected Log Investment Return (1984): these updates and this bound, for a
 *   portfolio; Dempster, Laird & Rubin, Maximum Likelihood from Incomplete Data via the EM Algorithm (1977), §4.3
 */
export function fitEnsembleWeights(
  members: readonly Tensor[],
  labels: ArrayLike<number>,
  options: FitEnsembleWeightsOptions = {},
): number[] {
  const likelihoods = likelihoodsOf(members, labels);
  requireOptions("fitEnsembleWeights", options, ["updates"]);
  const { updates = 10_000 } = options;
  requireWhole("fitEnsembleWeights", "updates", updates, 0);
  let weights = members.map(() => 1 / members.length);
  for (let update = 0; update < updates; update++) {
    const gains = gainsOf(likelihoods, weights);
    if (gains.every((gain) => gain - 1 <= tolerance)) break;
    weights = weights.map((weight, k) => weight * gains[k]);
  }
  return weights;
}

/** g_k */
function gainsOf(likelihoods: readonly Float64Array[], weights: readonly number[]): number[] {
  const gains = weights.map(() => 0);
  for (const row of likelihoods) {
    let mean = 0;
    for (let k = 0; k < row.length; k++) mean += weights[k] * row[k];
    for (let k = 0; k < row.length; k++) gains[k] += row[k] / mean / likelihoods.length;
  }
  return gains;
}

/**
 * p_k of each labelled row, in proportion to the largest of the row: g_k does not depend on a row's scale, and none is
 * too small for a float.
 */
function likelihoodsOf(members: readonly Tensor[], labels: ArrayLike<number>): Float64Array[] {
  if (!Array.isArray(members) || members.length === 0) {
    const got = Array.isArray(members) ? "none" : kindOf(members);
    throw new DistilgradError(
      "value",
      `fitEnsembleWeights: expected the logits of at least one member, got ${got}`,
    );
  }
  const { rows, cols } = requireSameAnswers(
    "fitEnsembleWeights",
    members,
    members.map((_, k) => `member ${k}`),
  );
  requireLabels("fitEnsembleWeights", labels, rows, cols, unlabelled);
  const logs = (members as readonly Tensor[]).map(
    (logits) => distributionOf(logits, { rows, cols }, 1).logarithms,
  );
  const likelihoods: Float64Array[] = [];
  for (let row = 0; row < rows; row++) {
    if (labels[row] === unlabelled) continue;
    const own = Float64Array.from(logs, (logP) => logP[row * cols + labels[row]]);
    const top = own.reduce((a, b) => Math.max(a, b));
    if (!(top > Number.NEGATIVE_INFINITY)) {
      throw new DistilgradError(
        "nonfinite",
        `fitEnsembleWeights: expected a member that gives the label of row ${row} a probability above 0, got ${Number.isNaN(top) ? "NaN" : "none"}`,
      );
    }
    likelihoods.push(own.map((logP) => exp(logP - top)));
  }
  if (likelihoods.length === 0) {
    throw new DistilgradError("labels", "fitEnsembleWeights: expected at least one labelled row");
  }
  return likelihoods;
}
