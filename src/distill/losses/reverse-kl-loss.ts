import { requireOptions } from "../../arguments.ts";
import { requireTemperature } from "../../ops/soft-target-loss.ts";
import type { Tensor } from "../../tensor.ts";
import { divergenceLoss } from "./divergence.ts";
import { requireLogits } from "./operands.ts";

export interface ReverseKlOptions {
  /** T from 1e-8 to 1e8: how far both distributions are softened. Default 1, which leaves them as they are. */
  readonly temperature?: number;
}

/**
 * How far the teacher's softened distribution is from the student's: `softTargetLoss` with its roles exchanged. The
 * student pays for what it believes and the teacher does not, and may leave out what it cannot represent.
 *
 *     p = softmax(z / T)    q = softmax(v / T)    δ = log p − log q
 *     L  = T² · (1/rows) Σ p (log p − log q)  =  T² · (1/rows) Σ p ψ(δ)        ψ(δ) = e^−δ − 1 + δ
 *     dz = T p (δ − KL of the row) / rows · dL        0 where p is 0
 *     dv = T (q − p) / rows · dL
 *
 * Every term p ψ(δ) is ≥ 0, so L is never negative, and exactly 0 for equal logits. The maximum is subtracted before
 * the division by T, and 0 · log 0 is 0, forward and backward: wherever L is finite, so are its gradients.
 *
 * @param studentLogits `[rows, classes]` z
 * @param teacherLogits `[rows, classes]` v
 * @returns a scalar, in nats · T²
 * @see Gu et al., MiniLLM (2024), arXiv 2306.08543, §2.1; T² as in Hinton et al. (2015), arXiv 1503.02531, §2
 */
export function reverseKlLoss(
  studentLogits: Tensor,
  teacherLogits: Tensor,
  options: ReverseKlOptions = {},
): Tensor {
  const shape = requireLogits("reverseKlLoss", studentLogits, teacherLogits);
  requireOptions("reverseKlLoss", options, ["temperature"]);
  const { temperature = 1 } = options;
  const t = requireTemperature("reverseKlLoss", temperature);
  return divergenceLoss("reverseKlLoss", studentLogits, teacherLogits, shape, t, t * t);
}
