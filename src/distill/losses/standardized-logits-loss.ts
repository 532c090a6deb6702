import { requireOptions, requirePositive } from "../../arguments.ts";
import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { rows as plainRows } from "../../kernels/rows.ts";
import type { Rows } from "../../ops/operands.ts";
import { requireTemperature } from "../../ops/soft-target-loss.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import { addModelGradient, addTargetGradient, type Distribution, divergenceOf } from "./divergence.ts";
import { requireLogits } from "./operands.ts";

export interface StandardizedLogitsOptions {
  /** T from 1e-8 to 1e8: how far both distributions are softened after logits were standardised. Default 2. */
  readonly temperature?: number;
  /** ε above 0, added to the deviation: logits that are all equal become 0, not NaN. Default 1e-7. */
  readonly epsilon?: number;
}

/**
 * `softTargetLoss` between logits at mean 0 and deviation 1 in each row: the student has to order and space its logits as
 * the teacher does, and is free in their size.
 *
 *     ẑ  = (z − m) / (s + ε)        m = Σ z / classes    s = √(Σ (z − m)² / classes)        v̂ likewise
 *     p  = softmax(ẑ / T)    q = softmax(v̂ / T)
 *     L  = T² · (1/rows) Σ q (log q − log p)
 *     dẑ = T (p − q) / rows · dL        dv̂ = T q (log q − log p − KL of the row) / rows · dL
 *     dz = (dẑ − Σ dẑ / classes − (z − m) Σ (dẑ ẑ) / (classes s)) / (s + ε)        dv likewise
 *
 * The last term of dz is 0 where s is 0. There the formula still has a derivative, (dẑ − Σ dẑ / classes) / ε, and this is
 * it: large, so that a student whose logits are all equal leaves that point. The deviation divides by the number of
 * classes, as in the paper, and not by one less.
 *
 * Never negative, exactly 0 for equal logits, and the same for all logits that differ by a shift, or by a positive factor
 * as far as s ≫ ε.
 *
 * @param studentLogits `[rows, classes]` z
 * @param teacherLogits `[rows, classes]` v
 * @returns a scalar, in nats · T²
 * @see Sun et al., Logit Standardization in Knowledge Distillation (2024), arXiv 2403.01427, §4.3, algorithms 1 and 2
 */
export function standardizedLogitsLoss(
  studentLogits: Tensor,
  teacherLogits: Tensor,
  options: StandardizedLogitsOptions = {},
): Tensor {
  const op = "standardizedLogitsLoss";
  const shape = requireLogits(op, studentLogits, teacherLogits);
  requireOptions(op, options, ["temperature", "epsilon"]);
  const { temperature = 2, epsilon = 1e-7 } = options;
  requireTemperature(op, temperature);
  requirePositive(op, "epsilon", epsilon);
  const k = studentLogits.kernels;
  const student = standardized(k, studentLogits.data, shape, epsilon);
  const teacher = standardized(k, teacherLogits.data, shape, epsilon);
  const divergence = divergenceOf(
    k,
    softened(k, teacher.scores, shape, temperature),
    softened(k, student.scores, shape, temperature),
    shape,
  );
  const loss = k.alloc(1);
  loss[0] = temperature * temperature * divergence.mean;
  const share = temperature / shape.rows;
  return record(
    op,
    loss,
    [],
    [
      wrt(studentLogits, (dz, dLoss) => {
        const dScores = k.wideRoom(dz.length).fill(0);
        addModelGradient(dScores, divergence, share * dLoss[0]);
        addThrough(dz, dScores, student, epsilon);
      }),
      wrt(teacherLogits, (dv, dLoss) => {
        const dScores = k.wideRoom(dv.length).fill(0);
        addTargetGradient(dScores, divergence, share * dLoss[0]);
        addThrough(dv, dScores, teacher, epsilon);
      }),
    ],
  );
}

interface Standardized {
  /** ẑ */
  readonly scores: Float64Array;
  /** s of each row */
  readonly deviations: Float64Array;
}

function standardized(k: Kernels, z: Floats, { rows, cols }: Rows, epsilon: number): Standardized {
  const [scores, deviations] = [k.wideRoom(z.length), k.wideRoom(rows)];
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * cols, (row + 1) * cols];
    // From the row's first value on: equal values then have a deviation of exactly 0.
    let sum = 0;
    for (let i = start; i < end; i++) sum += z[i] - z[start];
    const mean = sum / cols;
    let squares = 0;
    for (let i = start; i < end; i++) {
      scores[i] = z[i] - z[start] - mean;
      squares += scores[i] * scores[i];
    }
    deviations[row] = Math.sqrt(squares / cols);
    for (let i = start; i < end; i++) scores[i] /= deviations[row] + epsilon;
  }
  return { scores, deviations };
}

/** The softmax of what is in float64 in every set of kernels. */
function softened(k: Kernels, scores: Float64Array, { rows, cols }: Rows, temperature: number): Distribution {
  const [probs, logProbs] = [k.wideRoom(scores.length), k.wideRoom(scores.length)];
  plainRows.distribution(probs, logProbs, scores, rows, cols, temperature);
  return { probs, logProbs };
}

/** dz += (dẑ − Σ dẑ / n − (z − m) Σ (dẑ ẑ) / (n s)) / (s + ε), where z − m = ẑ (s + ε) */
function addThrough(
  dz: Floats,
  dScores: Float64Array,
  { scores, deviations }: Standardized,
  epsilon: number,
): void {
  const cols = dz.length / deviations.length;
  for (let row = 0; row < deviations.length; row++) {
    const [start, end] = [row * cols, (row + 1) * cols];
    let sum = 0;
    let dot = 0;
    for (let i = start; i < end; i++) {
      sum += dScores[i];
      dot += dScores[i] * scores[i];
    }
    const deviation = deviations[row];
    const stretched = deviation + epsilon;
    const along = deviation === 0 ? 0 : (dot / cols) * (stretched / deviation);
    for (let i = start; i < end; i++) dz[i] += (dScores[i] - sum / cols - scores[i] * along) / stretched;
  }
}
