import { mse } from "../../ops/mse.ts";
import { scale } from "../../ops/scale.ts";
import type { Tensor } from "../../tensor.ts";
import { requireLogits } from "./operands.ts";

/**
 * How far the student's logits are from the teacher's, as they are: the squared distance, averaged over rows.
 *
 *     L  = (1/rows) Σ (z − v)²  =  classes · MSE(z, v)
 *     dz = 2 (z − v) / rows · dL        dv = −dz
 *
 * A constant that is added to a row of either counts here, where it changes no probability. Ba & Caruana halve this loss
 * (equation 1).
 *
 * @param studentLogits `[rows, classes]` z
 * @param teacherLogits `[rows, classes]` v
 * @returns a scalar
 * @see Ba & Caruana, Do Deep Nets Really Need to be Deep? (2014), arXiv 1312.6184, §2
 */
export function logitMatchingLoss(studentLogits: Tensor, teacherLogits: Tensor): Tensor {
  const { cols } = requireLogits("logitMatchingLoss", studentLogits, teacherLogits);
  return scale(mse(studentLogits, teacherLogits), cols);
}
