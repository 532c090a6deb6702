import { requireOptions } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { requireLabels } from "../../labels.ts";
import { exp, log1p, sigmoid } from "../../math.ts";
import type { Rows } from "../../ops/operands.ts";
import { divergenceTerm, requireTemperature } from "../../ops/soft-target-loss.ts";
import { formatShape } from "../../shape.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import {
  addModelGradient,
  addTargetGradient,
  type Distribution,
  distributionOf,
  divergenceOf,
} from "./divergence.ts";
import { requireLogits, requireWeight } from "./operands.ts";

export interface DecoupledDistillationOptions {
  /** T from 1e-8 to 1e8: how far both distributions are softened. Default 4. */
  readonly temperature?: number;
  /** α ≥ 0, the weight of the part about the labelled class. Default 1. */
  readonly targetWeight?: number;
  /** β ≥ 0, the weight of the part about the other classes. Default 8. */
  readonly nonTargetWeight?: number;
}

/**
 * Decoupled knowledge distillation: how sure both are of the labelled class y, and how they share out the rest among the
 * other classes, each with a weight of its own.
 *
 *     b  = [p_y, 1 − p_y]    c = [q_y, 1 − q_y]        of p = softmax(z / T) and q = softmax(v / T)
 *     p̂  = softmax(z / T)    q̂ = softmax(v / T)        over the classes other than y
 *     L  = T² · (1/rows) Σ_rows ( α KL(c ‖ b) + β KL(q̂ ‖ p̂) )
 *     dz_y = α T (p_y − q_y) / rows · dL
 *     dz_j = T (β (p̂_j − q̂_j) − α (p_y − q_y) p̂_j) / rows · dL
 *     dv_y = α T q_y (1 − q_y) (x_v − x_z) / rows · dL
 *     dv_j = T (β q̂_j (log q̂_j − log p̂_j − KL(q̂ ‖ p̂)) − α q_y (1 − q_y) (x_v − x_z) q̂_j) / rows · dL
 *
 * With α = 1 and, in each row, β = 1 − q_y it would be `softTargetLoss`; there, a teacher that is sure of y silences what
 * it knows of the other classes.
 *
 * Nothing is subtracted from 1, which a sure model would round to 0: b is the sigmoid of x = z_y/T − lse(z_j/T, j ≠ y),
 * and p̂ is a softmax over the other logits, not a softmax with a mask. All terms of both divergences are ≥ 0, as in
 * `softTargetLoss`, and for equal logits L is exactly 0. A part of weight 0 is not counted, whatever it is.
 *
 * @param studentLogits `[rows, classes]` z, of at least three classes: of two, one is left, which has all of the rest
 * @param teacherLogits `[rows, classes]` v
 * @param labels y, the class of each row
 * @returns a scalar, in nats · T²
 * @see Zhao et al., Decoupled Knowledge Distillation (2022), arXiv 2203.08679, §3.1 and §3.3
 */
export function decoupledDistillationLoss(
  studentLogits: Tensor,
  teacherLogits: Tensor,
  labels: ArrayLike<number>,
  options: DecoupledDistillationOptions = {},
): Tensor {
  const op = "decoupledDistillationLoss";
  const { rows, cols } = requireLogits(op, studentLogits, teacherLogits);
  if (cols < 3) {
    throw new DistilgradError(
      "shape",
      `${op}: expected at least three classes, got ${formatShape(studentLogits.shape)}; of fewer, softTargetLoss says all there is to say`,
    );
  }
  requireLabels(op, labels, rows, cols);
  requireOptions(op, options, ["temperature", "targetWeight", "nonTargetWeight"]);
  const { temperature = 4, targetWeight = 1, nonTargetWeight = 8 } = options;
  requireTemperature(op, temperature);
  requireWeight(op, "targetWeight", targetWeight);
  requireWeight(op, "nonTargetWeight", nonTargetWeight);

  const k = studentLogits.kernels;
  const y = Array.from(labels);
  const student = decoupled(k, studentLogits.data, y, cols, temperature);
  const teacher = decoupled(k, teacherLogits.data, y, cols, temperature);
  let target = 0;
  for (let row = 0; row < rows; row++) target += binaryDivergence(teacher.scores[row], student.scores[row]);
  const others: Rows = { rows, cols: cols - 1 };
  const nonTarget = divergenceOf(k, teacher.others, student.others, others);
  const loss = k.alloc(1);
  loss[0] =
    temperature *
    temperature *
    (weighted(targetWeight, target / rows) + weighted(nonTargetWeight, nonTarget.mean));

  /** d_y += the slope of x; d_j += that of the other logits, less p̂_j times that of x = z_y/T − lse(z_j/T, j ≠ y). */
  const addGradient = (
    d: Floats,
    slopes: Float64Array,
    ofOthers: Float64Array,
    probs: Float64Array,
  ): void => {
    for (let row = 0, i = 0, j = 0; row < rows; row++) {
      for (let c = 0; c < cols; c++, i++) {
        d[i] += c === y[row] ? slopes[row] : ofOthers[j] - slopes[row] * probs[j++];
      }
    }
  };
  const share = temperature / rows;
  return record(
    op,
    loss,
    [],
    [
      wrt(studentLogits, (dz, dLoss) => {
        const ofOthers = k.wideRoom(rows * (cols - 1)).fill(0);
        if (nonTargetWeight !== 0) addModelGradient(ofOthers, nonTarget, nonTargetWeight * share * dLoss[0]);
        const slopes = k.wideRoom(rows);
        for (let row = 0; row < rows; row++) {
          const apart = sigmoidDifference(student.scores[row], teacher.scores[row]);
          slopes[row] = weighted(targetWeight, apart) * share * dLoss[0];
        }
        addGradient(dz, slopes, ofOthers, student.others.probs);
      }),
      wrt(teacherLogits, (dv, dLoss) => {
        const ofOthers = k.wideRoom(rows * (cols - 1)).fill(0);
        if (nonTargetWeight !== 0) addTargetGradient(ofOthers, nonTarget, nonTargetWeight * share * dLoss[0]);
        const slopes = k.wideRoom(rows);
        for (let row = 0; row < rows; row++) {
          const [own, other] = [teacher.scores[row], student.scores[row]];
          const variance = sigmoid(own) * sigmoid(-own); // q_y (1 − q_y)
          slopes[row] = weighted(targetWeight, variance * (own - other)) * share * dLoss[0];
        }
        addGradient(dv, slopes, ofOthers, teacher.others.probs);
      }),
    ],
  );
}

interface Decoupled {
  /** x = log(p_y / (1 − p_y)) of each row */
  readonly scores: Float64Array;
  /** p̂, of classes − 1 columns */
  readonly others: Distribution;
}

function decoupled(
  k: Kernels,
  logits: Floats,
  labels: readonly number[],
  cols: number,
  temperature: number,
): Decoupled {
  const rows = labels.length;
  const rest = k.room(rows * (cols - 1));
  for (let row = 0, i = 0, j = 0; row < rows; row++) {
    for (let c = 0; c < cols; c++, i++) if (c !== labels[row]) rest[j++] = logits[i];
  }
  const others = distributionOf(k, rest, { rows, cols: cols - 1 }, temperature);
  const scores = k.wideRoom(rows);
  for (let row = 0, j = 0; row < rows; row++) {
    let top = j;
    for (const end = j + cols - 1; j < end; j++) if (rest[j] > rest[top]) top = j;
    // lse(z_j / T) = max z_j / T − log p̂ of that class
    scores[row] = (logits[row * cols + labels[row]] - rest[top]) / temperature + others.logProbs[top];
  }
  return { scores, others };
}

/** KL([σ(v), σ(−v)] ‖ [σ(z), σ(−z)]) */
const binaryDivergence = (v: number, z: number): number =>
  divergenceTerm(sigmoid(z), sigmoid(v), logSigmoid(v) - logSigmoid(z)) +
  divergenceTerm(sigmoid(-z), sigmoid(-v), logSigmoid(-v) - logSigmoid(-z));

const logSigmoid = (x: number): number => (x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x)));

/** σ(a) − σ(b), from the side on which both are small. */
const sigmoidDifference = (a: number, b: number): number =>
  a + b > 0 ? sigmoid(-b) - sigmoid(-a) : sigmoid(a) - sigmoid(b);

/** 0 · ∞ is 0. */
const weighted = (weight: number, value: number): number => (weight === 0 ? 0 : weight * value);
