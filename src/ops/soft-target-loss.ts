import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { expm1 } from "../math.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { lossRowsOf, requireSameShape } from "./operands.ts";

export interface SoftTargetOptions {
  /** T from 1e-8 to 1e8: how far both distributions are softened; 1 leaves them as they are. */
  readonly temperature: number;
}

/**
 * How far the student's softened distribution is from the teacher's, in one piece from the logits.
 *
 *     p = softmax(z / T)    q = softmax(v / T)    δ = log q − log p = (v − z)/T − (lse(v/T) − lse(z/T))
 *     L  = T² · (1/rows) Σ q (log q − log p)  =  T² · (1/rows) Σ q ψ(δ)        ψ(δ) = e^−δ − 1 + δ
 *     dz = T (p − q) / rows · dL
 *     dv = T q (δ − KL of the row) / rows · dL
 *
 * A temperature shrinks gradients as 1/T²; the factor T² restores them, so that changing T does not change the balance
 * with the hard loss. Σ (p − q) = 0 makes the two forms of L one number, but every term q ψ(δ) is ≥ 0, whereas the
 * textbook's terms cancel: in float32 that sum is negative on four rows of ten once the student is near its teacher.
 * So L is never negative, and exactly 0 for equal logits.
 *
 * @param studentLogits `[rows, classes]` z
 * @param teacherLogits `[rows, classes]` v; receives a gradient only if it requires one
 * @returns a scalar, in nats · T²
 * @see Hinton, Vinyals & Dean, Distilling the Knowledge in a Neural Network (2015), arXiv 1503.02531, §2
 */
export function softTargetLoss(
  studentLogits: Tensor,
  teacherLogits: Tensor,
  options: SoftTargetOptions,
): Tensor {
  requireSameShape("softTargetLoss", "studentLogits", studentLogits, "teacherLogits", teacherLogits);
  const { rows, cols } = lossRowsOf("softTargetLoss", "studentLogits", studentLogits);
  const temperature = requireTemperature("softTargetLoss", options?.temperature);
  const k = studentLogits.kernels;
  const [z, v] = [studentLogits.data, teacherLogits.data];

  // Kept in float64, so that the gradients are rounded only once.
  const [p, logP, q, logQ] = [0, 0, 0, 0].map(() => k.wideRoom(z.length));
  k.distribution(p, logP, z, rows, cols, temperature);
  k.distribution(q, logQ, v, rows, cols, temperature);
  const divergences = k.wideRoom(rows);
  let total = 0;
  for (let row = 0, i = 0; row < rows; row++) {
    let kl = 0;
    for (const end = i + cols; i < end; i++) kl += divergenceTerm(p[i], q[i], logQ[i] - logP[i]);
    divergences[row] = kl;
    total += kl;
  }
  const loss = k.alloc(1);
  loss[0] = temperature * temperature * (total / rows);

  return record(
    "softTargetLoss",
    loss,
    [],
    [
      wrt(studentLogits, (dz, dLoss) => {
        const share = (temperature / rows) * dLoss[0];
        for (let i = 0; i < dz.length; i++) dz[i] += (p[i] - q[i]) * share;
      }),
      wrt(teacherLogits, (dv, dLoss) => {
        const share = (temperature / rows) * dLoss[0];
        for (let row = 0, i = 0; row < rows; row++) {
          for (const end = i + cols; i < end; i++) {
            if (q[i] !== 0) dv[i] += q[i] * (logQ[i] - logP[i] - divergences[row]) * share;
          }
        }
      }),
    ],
  );
}

/**
 * q ψ(δ) without cancellation and never negative: a series where δ is small, the definition where expm1 keeps its
 * digits, and beyond that the equal form p − q + q δ, which cannot overflow.
 */
export function divergenceTerm(p: number, q: number, delta: number): number {
  // The limit for q → 0; also where both logits are −∞ and δ has no value.
  if (q === 0) return p;
  const size = Math.abs(delta);
  if (size < 1e-2) {
    // ψ(δ) = δ²/2 − δ³/6 + δ⁴/24 − δ⁵/120 + δ⁶/720 − …; the next term is below 2⁻⁵³ of the first.
    const tail =
      1 / 2 - delta * (1 / 6 - delta * (1 / 24 - delta * (1 / 120 - delta * (1 / 720 - delta / 5040))));
    return q * (delta * delta * tail);
  }
  if (size < 0.5) return q * (expm1(-delta) + delta);
  const term = p - q + q * delta;
  return term < 0 ? 0 : term; // by rounding, where q is denormal
}

/** Requires a temperature from 1e-8 to 1e8. Beyond, T² times a divergence of the order 1/T² would be rounding only. */
export function requireTemperature(where: string, temperature: unknown): number {
  if (typeof temperature === "number" && temperature >= 1e-8 && temperature <= 1e8) return temperature;
  const positive =
    typeof temperature === "number" && temperature > 0 && temperature < Number.POSITIVE_INFINITY;
  throw new DistilgradError(
    "value",
    `${where}: temperature must be ${positive ? "a number from 1e-8 to 1e8" : "a finite number above 0"}, got ${kindOf(temperature)}`,
  );
}
