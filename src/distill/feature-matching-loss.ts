import { DistilgradError } from "../errors.ts";
import { add } from "../ops/add.ts";
import { mse } from "../ops/mse.ts";
import { formatShape, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * How far a student's features are from a teacher's: Σ over pairs of the mean squared error.
 *
 *     L = Σ_l MSE(student feature l, teacher feature l)
 *
 * @param studentFeatures in the order of the pairs, already projected
 * @param teacherFeatures as many, each of its partner's shape
 * @param names what messages call the two of each pair
 * @see Romero et al., FitNets (2015), arXiv 1412.6550, equation 3
 */
export function featureMatchingLoss(
  studentFeatures: readonly Tensor[],
  teacherFeatures: readonly Tensor[],
  names?: readonly (readonly [student: string, teacher: string, ...unknown[]])[],
): Tensor {
  if (studentFeatures.length !== teacherFeatures.length || studentFeatures.length === 0) {
    throw new DistilgradError(
      "shape",
      `featureMatchingLoss: expected as many student as teacher features and at least one, got ${studentFeatures.length} and ${teacherFeatures.length}`,
    );
  }
  for (const [i, student] of studentFeatures.entries()) {
    const teacher = teacherFeatures[i];
    if (!sameShape(student.shape, teacher.shape)) {
      const [s, t] = names?.[i] ?? [`feature ${i}`, `feature ${i}`];
      throw new DistilgradError(
        "shape",
        `featureMatchingLoss: student "${s}" is ${formatShape(student.shape)} and teacher "${t}" is ${formatShape(teacher.shape)}; add a projection`,
      );
    }
  }
  return studentFeatures.map((student, i) => mse(student, teacherFeatures[i])).reduce((a, b) => add(a, b));
}
