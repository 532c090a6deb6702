/**
 * Floor 4: how far rows of probabilities are from each other, and what that says of the logits behind them. All of it in
 * float64, so that losses and gradients are rounded only once.
 */
import type { Floats, Kernels } from "../../kernels/kernels.ts";
import type { Rows } from "../../ops/operands.ts";
import { divergenceTerm } from "../../ops/soft-target-loss.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";

/** Rows of probabilities, and their logarithms. */
export interface Distribution {
  readonly probs: Float64Array;
  readonly logProbs: Float64Array;
}

/** softmax(logits / T), along rows. */
export function distributionOf(
  k: Kernels,
  logits: Floats,
  { rows, cols }: Rows,
  temperature: number,
): Distribution {
  const [probs, logProbs] = [k.wideRoom(logits.length), k.wideRoom(logits.length)];
  k.distribution(probs, logProbs, logits, rows, cols, temperature);
  return { probs, logProbs };
}

/** KL(q ‖ p) of rows: of a target q from a model p. */
export interface Divergence {
  /** q */
  readonly target: Float64Array;
  /** p */
  readonly model: Float64Array;
  /** log q − log p; anything where q is 0 */
  readonly logRatios: Float64Array;
  readonly perRow: Float64Array;
  readonly mean: number;
}

/** Of two distributions. */
export function divergenceOf(k: Kernels, target: Distribution, model: Distribution, shape: Rows): Divergence {
  const logRatios = k.wideRoom(target.probs.length);
  for (let i = 0; i < logRatios.length; i++) logRatios[i] = target.logProbs[i] - model.logProbs[i];
  return divergenceFrom(k, target.probs, model.probs, logRatios, shape);
}

/** Of probabilities whose ratios are known: a sum of terms of which none is negative. */
export function divergenceFrom(
  k: Kernels,
  target: Float64Array,
  model: Float64Array,
  logRatios: Float64Array,
  { rows, cols }: Rows,
): Divergence {
  const perRow = k.wideRoom(rows);
  let total = 0;
  for (let row = 0, i = 0; row < rows; row++) {
    let kl = 0;
    for (const end = i + cols; i < end; i++) kl += divergenceTerm(model[i], target[i], logRatios[i]);
    perRow[row] = kl;
    total += kl;
  }
  return { target, model, logRatios, perRow, mean: total / rows };
}

/** dlogits of the target += q (log q − log p − KL of the row) · share, 0 where q is 0 */
export function addTargetGradient(
  dLogits: Floats,
  { target, logRatios, perRow }: Divergence,
  share: number,
): void {
  const cols = dLogits.length / perRow.length;
  for (let row = 0, i = 0; row < perRow.length; row++) {
    for (const end = i + cols; i < end; i++) {
      if (target[i] !== 0) dLogits[i] += target[i] * (logRatios[i] - perRow[row]) * share;
    }
  }
}

/** dlogits of the model += (p − q) · share */
export function addModelGradient(dLogits: Floats, { target, model }: Divergence, share: number): void {
  for (let i = 0; i < dLogits.length; i++) dLogits[i] += (model[i] - target[i]) * share;
}

/**
 * The loss factor · KL(softmax(target / T) ‖ softmax(model / T)), averaged over rows.
 *
 * @param op the name of the loss
 */
export function divergenceLoss(
  op: string,
  targetLogits: Tensor,
  modelLogits: Tensor,
  shape: Rows,
  temperature: number,
  factor: number,
): Tensor {
  const k = targetLogits.kernels;
  const target = distributionOf(k, targetLogits.data, shape, temperature);
  const model = distributionOf(k, modelLogits.data, shape, temperature);
  const divergence = divergenceOf(k, target, model, shape);
  const share = factor / temperature / shape.rows;
  const loss = k.alloc(1);
  loss[0] = factor * divergence.mean;
  return record(
    op,
    loss,
    [],
    [
      wrt(targetLogits, (d, dLoss) => addTargetGradient(d, divergence, share * dLoss[0])),
      wrt(modelLogits, (d, dLoss) => addModelGradient(d, divergence, share * dLoss[0])),
    ],
  );
}
