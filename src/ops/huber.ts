import { requireOptions, requirePositive } from "../arguments.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { requireComparable } from "./operands.ts";

export interface HuberOptions {
  /** δ above 0: the size of a difference from which on it counts linearly. Default 1. */
  readonly delta?: number;
}

/**
 * Half the squared error where it is small and linear where it is large, so that outliers do not dominate: the mean over
 * every element.
 *
 *     d  = a − b
 *     L  = Σ ½ d² / n               where |d| ≤ δ
 *          Σ δ (|d| − ½ δ) / n      beyond
 *     da = max(−δ, min(d, δ)) / n · dL        db = −da
 *
 * Both forms are m (|d| − ½ m) with m = min(|d|, δ), and they and their derivatives meet at |d| = δ. Nothing is squared
 * that is larger than δ.
 *
 * @param prediction any shape with at least one value
 * @param target the same shape: it is not broadcast
 * @returns a scalar
 * @see Hastie, Tibshirani & Friedman, The Elements of Statistical Learning (2009), §10.6
 */
export function huber(prediction: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  requireComparable("huber", "prediction", prediction, "target", target);
  requireOptions("huber", options, ["delta"]);
  const { delta = 1 } = options;
  requirePositive("huber", "delta", delta);
  const n = prediction.size;
  const [a, b] = [prediction.data, target.data];
  let total = 0;
  for (let i = 0; i < n; i++) {
    const size = Math.abs(a[i] - b[i]);
    const inside = Math.min(size, delta);
    total += inside * (size - 0.5 * inside);
  }
  const loss = prediction.kernels.alloc(1);
  loss[0] = total / n;
  return record(
    "huber",
    loss,
    [],
    [
      wrt(prediction, (da, dLoss) => {
        const share = dLoss[0] / n;
        for (let i = 0; i < n; i++) da[i] += clipped(a[i] - b[i], delta) * share;
      }),
      wrt(target, (db, dLoss) => {
        const share = dLoss[0] / n;
        for (let i = 0; i < n; i++) db[i] -= clipped(a[i] - b[i], delta) * share;
      }),
    ],
  );
}

/** A difference cut to [−δ, δ]; NaN stays NaN. */
function clipped(difference: number, delta: number): number {
  return Math.max(-delta, Math.min(difference, delta));
}
