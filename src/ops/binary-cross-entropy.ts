import { DistilgradError } from "../errors.ts";
import { exp, log1p } from "../math.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { requireComparable } from "./operands.ts";

/**
 * The cross-entropy of independent yes-or-no answers with their targets, the mean over every element, straight from the
 * logits.
 *
 *     L  = Σ (max(z, 0) − z t + log(1 + e^−|z|)) / n  =  Σ (|z| m + log(1 + e^−|z|)) / n
 *     dz = (σ(z) − t) / n · dL  =  ± (m − σ(−|z|)) / n · dL        + where z ≥ 0
 *     dt = −z / n · dL
 *
 * m is the part of the target on the side that z denies: 1 − t where z ≥ 0, else t. Both terms of the second form are
 * ≥ 0, so nothing cancels: a logit that is sure and right has a loss of e^−|z| and the gradient that goes with it, not 0.
 *
 * Where m = 0 an infinite logit is simply right: 0 · ∞ = 0, and its gradients are 0.
 *
 * @param logits any shape with at least one value: the log-odds z
 * @param targetProbs t in [0, 1], the same shape: it is not broadcast
 * @returns a scalar, in nats
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §6.2.2.2
 */
export function binaryCrossEntropy(logits: Tensor, targetProbs: Tensor): Tensor {
  requireComparable("binaryCrossEntropy", "logits", logits, "targetProbs", targetProbs);
  const n = logits.size;
  const [z, t] = [logits.data, targetProbs.data];
  for (let i = 0; i < n; i++) {
    if (t[i] < 0 || t[i] > 1) {
      throw new DistilgradError(
        "value",
        `binaryCrossEntropy: targetProbs must be in [0, 1], got ${t[i]} at entry ${i}; are these logits? Apply sigmoid first`,
      );
    }
  }
  let total = 0;
  for (let i = 0; i < n; i++) {
    const size = Math.abs(z[i]);
    const miss = missed(z[i], t[i]);
    total += (miss === 0 ? 0 : size * miss) + log1p(exp(-size));
  }
  const loss = logits.kernels.alloc(1);
  loss[0] = total / n;
  return record(
    "binaryCrossEntropy",
    loss,
    [],
    [
      wrt(logits, (dz, dLoss) => {
        const share = dLoss[0] / n;
        for (let i = 0; i < n; i++) {
          const e = exp(-Math.abs(z[i]));
          const slope = missed(z[i], t[i]) - e / (1 + e);
          dz[i] += (z[i] >= 0 ? slope : -slope) * share;
        }
      }),
      wrt(targetProbs, (dt, dLoss) => {
        const share = dLoss[0] / n;
        for (let i = 0; i < n; i++) {
          const right = Math.abs(z[i]) === Number.POSITIVE_INFINITY && missed(z[i], t[i]) === 0;
          if (!right) dt[i] -= z[i] * share;
        }
      }),
    ],
  );
}

/** m: how much of the target lies on the side that the logit denies. */
function missed(logit: number, target: number): number {
  return logit >= 0 ? 1 - target : target;
}
