import { DistilgradError } from "../../errors.ts";
import { mse } from "../../ops/mse.ts";
import { requireSameShape } from "../../ops/operands.ts";
import { scale } from "../../ops/scale.ts";
import { formatShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";

/**
 * How far the student's features are from the teacher's: half the squared distance, averaged over rows.
 *
 *     L  = (1/rows) Σ ½ (s − t)²
 *     ds = (s − t) / rows · dL        dt = −ds
 *
 * The features have one shape: where the student's differ, a projection that is trained with it comes before.
 * `featureMatchingLoss` is this loss but for a factor: its mean is over elements, and not halved.
 *
 * @param student `[rows, …]` s, projected
 * @param teacher `[rows, …]` t
 * @returns a scalar
 * @see Romero et al., FitNets: Hints for Thin Deep Nets (2015), arXiv 1412.6550, §2.2, equation 3
 */
export function hintLoss(student: Tensor, teacher: Tensor): Tensor {
  requireSameShape("hintLoss", "student", student, "teacher", teacher);
  const [rows] = student.shape;
  if (rows === undefined || student.size === 0) {
    throw new DistilgradError(
      "shape",
      `hintLoss: expected features [rows, …] with at least one value, got ${formatShape(student.shape)}`,
    );
  }
  return scale(mse(student, teacher), student.size / (2 * rows));
}
