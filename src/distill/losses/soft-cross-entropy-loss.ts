import { requireFlag, requireOptions } from "../../arguments.ts";
import { requireProbabilities } from "../../ops/operands.ts";
import { requireTemperature } from "../../ops/soft-target-loss.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import { distributionOf } from "./divergence.ts";
import { requireLogits } from "./operands.ts";

export interface SoftCrossEntropyOptions {
  /** T from 1e-8 to 1e8: how far both distributions are softened. Default 1, which leaves them as they are. */
  readonly temperature?: number;
  /** Whether the teacher's side is probabilities, which were softened already, instead of logits. Default false. */
  readonly probabilities?: boolean;
}

/**
 * The cross-entropy of the student's softened distribution with the teacher's: `softTargetLoss` and, on top, T² times
 * the entropy of the teacher, which no student changes.
 *
 *     p  = softmax(z / T)    q = softmax(v / T), or as given
 *     L  = T² · (1/rows) Σ −q log p
 *     dz = T ((Σ q) p − q) / rows · dL
 *     dv = −T q (log p + H) / rows · dL        H = Σ −q log p of the row; 0 where q is 0
 *     dq = −T² log p / rows · dL               where q is given
 *
 * log p = (z − max z)/T − log Σ exp((z − max z)/T) cannot overflow, and 0 · ∞ is 0: a class that the teacher rules out
 * may have the logit −∞. L is not 0 for equal logits; where a loss is to say how far the two are apart, take
 * `softTargetLoss`.
 *
 * @param studentLogits `[rows, classes]` z
 * @param teacher `[rows, classes]` logits v, or probabilities q with the option `probabilities`
 * @returns a scalar, in nats · T²
 * @see Hinton, Vinyals & Dean, Distilling the Knowledge in a Neural Network (2015), arXiv 1503.02531, §2
 */
export function softCrossEntropyLoss(
  studentLogits: Tensor,
  teacher: Tensor,
  options: SoftCrossEntropyOptions = {},
): Tensor {
  const op = "softCrossEntropyLoss";
  requireOptions(op, options, ["temperature", "probabilities"]);
  const { temperature = 1, probabilities = false } = options;
  requireFlag(op, "probabilities", probabilities);
  const shape = requireLogits(op, studentLogits, teacher, probabilities ? "teacherProbs" : "teacherLogits");
  requireTemperature(op, temperature);
  if (probabilities) requireProbabilities(op, "teacherProbs", teacher, shape);
  const { rows, cols } = shape;
  const k = studentLogits.kernels;
  const { probs: p, logProbs: logP } = distributionOf(k, studentLogits.data, shape, temperature);
  const q = probabilities ? teacher.data : distributionOf(k, teacher.data, shape, temperature).probs;
  const perRow = k.wideRoom(rows); // H
  let total = 0;
  for (let row = 0, i = 0; row < rows; row++) {
    let sum = 0;
    for (const end = i + cols; i < end; i++) if (q[i] !== 0) sum -= q[i] * logP[i];
    perRow[row] = sum;
    total += sum;
  }
  const loss = k.alloc(1);
  loss[0] = temperature * temperature * (total / rows);

  const share = temperature / rows;
  return record(
    op,
    loss,
    [],
    [
      wrt(studentLogits, (dz, dLoss) => {
        for (let row = 0; row < rows; row++) {
          const end = (row + 1) * cols;
          let mass = probabilities ? 0 : 1; // Σ q: what was made here sums to 1, but for rounding
          if (probabilities) for (let i = end - cols; i < end; i++) mass += q[i];
          for (let i = end - cols; i < end; i++) dz[i] += (mass * p[i] - q[i]) * share * dLoss[0];
        }
      }),
      wrt(teacher, (d, dLoss) => {
        if (probabilities) {
          for (let i = 0; i < d.length; i++) d[i] -= logP[i] * temperature * share * dLoss[0];
          return;
        }
        for (let row = 0, i = 0; row < rows; row++) {
          for (const end = i + cols; i < end; i++) {
            if (q[i] !== 0) d[i] -= q[i] * (logP[i] + perRow[row]) * share * dLoss[0];
          }
        }
      }),
    ],
  );
}
