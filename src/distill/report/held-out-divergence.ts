import { requireOptions } from "../../arguments.ts";
import { noGrad } from "../../graph.ts";
import { requireTemperature, softTargetLoss } from "../../ops/soft-target-loss.ts";
import type { Tensor } from "../../tensor.ts";
import { requireLogits } from "../losses/operands.ts";

export interface HeldOutDivergenceOptions {
  /** T from 1e-8 to 1e8: softens both distributions. Default 1, which leaves them as they are. */
  readonly temperature?: number;
}

/**
 * How far a student's probabilities are from its teacher's, on rows that it did not learn from.
 *
 *     D = (1/rows) Σ KL( softmax(v / T) ‖ softmax(z / T) )
 *
 * In nats, without the factor T² of `softTargetLoss`: that one keeps gradients of several temperatures comparable, and
 * nothing is trained here. Never negative, and exactly 0 for equal logits.
 *
 * @param studentLogits `[rows, classes]` z
 * @param teacherLogits `[rows, classes]` v
 * @see Stanton et al., Does Knowledge Distillation Really Work? (2021), arXiv 2106.05945, §3.2
 */
export function heldOutDivergence(
  studentLogits: Tensor,
  teacherLogits: Tensor,
  options: HeldOutDivergenceOptions = {},
): number {
  requireOptions("heldOutDivergence", options, ["temperature"]);
  const { temperature = 1 } = options;
  requireTemperature("heldOutDivergence", temperature);
  requireLogits("heldOutDivergence", studentLogits, teacherLogits);
  const loss = noGrad(() => softTargetLoss(studentLogits, teacherLogits, { temperature })).item();
  return loss / (temperature * temperature);
}
