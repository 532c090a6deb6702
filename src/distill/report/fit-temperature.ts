import type { Tensor } from "../../tensor.ts";
import { labelledLogits } from "./labelled-logits.ts";

/** The interval of 1/T that is searched. */
const [lowest, highest] = [1e-2, 1e2];

/**
 * Temperature scaling: the one T that makes a trained model's probabilities fit labels that it has not seen.
 *
 *     T = argmin L        L(β) = (1/rows) Σ (lse(β z) − β z_label)        β = 1/T
 *     L′(β) = (1/rows) Σ Σᵢ pᵢ (zᵢ − z_label)        p = softmax(β z)
 *     L″(β) = (1/rows) Σ Σᵢ pᵢ (zᵢ − Σⱼ pⱼ zⱼ)²  ≥ 0
 *
 * L is convex in β, so L′ rises through 0 at most once: Newton's steps find it, within an interval that has L′ < 0 at
 * one end and L′ > 0 at the other, and that is halved where a step would leave it or make no way. T is sought from 0.01
 * to 100. Where every label has the largest logit of its row, the loss falls with T for ever, and T is 0.01: more rows
 * are needed. Where the logits are no better than chance, it is 100. Where T changes nothing, as of equal logits, it is 1.
 *
 * It changes confidence and no answer: softmax(z/T) names the class that z names.
 *
 * @param logits `[rows, classes]` z, of rows that the model did not learn from
 * @param labels a class for each row; rows with −1 take no part
 * @throws when no row has a label, and where a logit of a labelled row is not finite
 * @see Guo et al., On Calibration of Modern Neural Networks (2017), arXiv 1706.04599, §4.2
 */
export function fitTemperature(logits: Tensor, labels: ArrayLike<number>): number {
  const known = labelledLogits("fitTemperature", logits, labels);
  const { kernels: k, data: z } = known.logits;
  const [rows, cols] = known.logits.shape;
  const [p, logP] = [k.wideRoom(z.length), k.wideRoom(z.length)];

  /** L′ and L″, in float64. */
  function derivatives(beta: number): { readonly slope: number; readonly curvature: number } {
    k.distribution(p, logP, z, rows, cols, 1 / beta);
    let [slope, curvature] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const start = row * cols;
      const own = z[start + known.labels[row]];
      let mean = 0; // of zᵢ − z_label
      for (let i = start; i < start + cols; i++) mean += p[i] * (z[i] - own);
      slope += mean;
      for (let i = start; i < start + cols; i++) {
        const apart = z[i] - own - mean;
        curvature += p[i] * apart * apart;
      }
    }
    return { slope: slope / rows, curvature: curvature / rows };
  }

  const ends = [lowest, highest].map((beta) => derivatives(beta).slope);
  if (ends[0] === 0 && ends[1] === 0) return 1;
  if (ends[1] <= 0) return 1 / highest;
  if (ends[0] >= 0) return 1 / lowest;

  let [low, high, beta, before] = [lowest, highest, 1, highest];
  for (;;) {
    const { slope, curvature } = derivatives(beta);
    if (slope === 0) return 1 / beta;
    if (slope < 0) low = beta;
    else high = beta;
    const step = -slope / curvature;
    // Newton's error is squared with every step: after one of 1e-10 nothing is left.
    if (Math.abs(step) <= 1e-10 * beta) return 1 / (beta + step);
    const newton = beta + step;
    const makesWay = newton > low && newton < high && Math.abs(step) < before / 2;
    const next = makesWay ? newton : Math.sqrt(low * high);
    before = Math.abs(next - beta);
    if (before <= 1e-15 * beta) return 1 / next;
    beta = next;
  }
}
