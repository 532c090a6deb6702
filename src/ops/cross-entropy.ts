import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { requireLabels } from "../labels.ts";
import { formatShape } from "../shape.ts";
import { record, Tensor, wrt } from "../tensor.ts";
import { lossRowsOf, requireProbabilities, requireSameShape } from "./operands.ts";

export interface CrossEntropyOptions {
  /** s in [0, 1): the share of every target that is spread evenly over the classes. Default 0. */
  readonly labelSmoothing?: number;
  /** Rows with this label take no part: neither in the sum nor in the number of rows. Default: none. */
  readonly ignoredLabel?: number;
}

/**
 * The cross-entropy of a softmax with its targets, averaged over rows, straight from the logits.
 *
 *     q' = (1 − s) q + s / classes        q is one-hot for labels
 *     L  = (1/rows) Σ q' (lse z − z)
 *     dz = ((Σ q') softmax(z) − q') / rows · dL
 *     dq = (1 − s) (lse z − z) / rows · dL
 *
 * @param logits `[rows, classes]` z
 * @param targets one class label a row, or target probabilities `[rows, classes]` as a tensor
 * @returns a scalar, in nats; 0 when every row is ignored
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §6.2.2; Szegedy et al., arXiv 1512.00567, §7 (smoothing)
 */
export function crossEntropy(
  logits: Tensor,
  targets: ArrayLike<number> | Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  requireOptions("crossEntropy", options, ["labelSmoothing", "ignoredLabel"]);
  const { labelSmoothing = 0, ignoredLabel } = options;
  const { rows, cols } = lossRowsOf("crossEntropy", "logits", logits);
  requireSmoothing("crossEntropy", labelSmoothing);
  if (ignoredLabel !== undefined && !Number.isSafeInteger(ignoredLabel)) {
    throw new DistilgradError(
      "value",
      `crossEntropy: ignoredLabel must be a whole number, got ${kindOf(ignoredLabel)}`,
    );
  }
  const soft = targets instanceof Tensor ? targets : null;
  const labels = soft ? [] : (targets as ArrayLike<number>);
  if (soft) {
    if (soft.size === rows && soft.size !== logits.size) {
      throw new DistilgradError(
        "labels",
        `crossEntropy: expected labels as an array or target probabilities ${formatShape(logits.shape)}, got a tensor ${formatShape(soft.shape)}; pass its data`,
      );
    }
    if (ignoredLabel !== undefined) {
      throw new DistilgradError(
        "value",
        "crossEntropy: ignoredLabel goes with labels, not with target probabilities",
      );
    }
    requireSameShape("crossEntropy", "logits", logits, "targetProbs", soft);
    requireProbabilities("crossEntropy", "targetProbs", soft, { rows, cols });
  } else {
    requireLabels("crossEntropy", labels, rows, cols, ignoredLabel);
  }

  const k = logits.kernels;
  const z = logits.data;
  const kept = 1 - labelSmoothing;
  const target = k.wideRoom(z.length).fill(labelSmoothing / cols); // q', and 0 in rows that are ignored
  let count = rows;
  if (soft) for (let i = 0; i < z.length; i++) target[i] += kept * soft.data[i];
  else {
    for (let row = 0; row < rows; row++) {
      if (labels[row] !== ignoredLabel) target[row * cols + labels[row]] += kept;
      else {
        count--;
        target.fill(0, row * cols, (row + 1) * cols);
      }
    }
  }

  // Kept in float64, so that the gradients are rounded only once.
  const [p, logP] = [k.wideRoom(z.length), k.wideRoom(z.length)];
  k.distribution(p, logP, z, rows, cols, 1);
  let total = 0;
  for (let i = 0; i < z.length; i++) {
    // 0 · ∞ = 0: a class that is not wanted may have the logit −∞.
    if (target[i] !== 0) total -= target[i] * logP[i];
  }
  const loss = k.alloc(1);
  loss[0] = count === 0 ? 0 : total / count;

  const partials = [
    wrt(logits, (dz, dLoss) => {
      for (let row = 0; row < rows; row++) {
        const end = (row + 1) * cols;
        let mass = 0; // Σ q'
        for (let i = end - cols; i < end; i++) mass += target[i];
        if (mass === 0) continue;
        for (let i = end - cols; i < end; i++) dz[i] += ((mass * p[i] - target[i]) / count) * dLoss[0];
      }
    }),
  ];
  if (soft) {
    partials.push(
      wrt(soft, (dq, dLoss) => {
        for (let i = 0; i < dq.length; i++) dq[i] -= ((kept * logP[i]) / count) * dLoss[0];
      }),
    );
  }
  return record("crossEntropy", loss, [], partials);
}

/** Requires a share in [0, 1). */
export function requireSmoothing(where: string, labelSmoothing: unknown): void {
  if (!(typeof labelSmoothing === "number" && labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new DistilgradError(
      "value",
      `${where}: labelSmoothing must be in [0, 1), got ${kindOf(labelSmoothing)}`,
    );
  }
}
