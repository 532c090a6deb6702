import { requireInstance } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { adaptiveAvgPool2d } from "../ops/adaptive-avg-pool2d.ts";
import { add } from "../ops/add.ts";
import { mse } from "../ops/mse.ts";
import { formatShape, type Shape, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * How far a student's features are from a teacher's: Σ over pairs of the mean squared error.
 *
 *     L = Σ_l MSE(student feature l, teacher feature l)
 *
 * Maps `[rows, channels, height, width]` may differ in height and width: each side of either is averaged down to the
 * smaller of the two (`adaptiveAvgPool2d`) before they are compared.
 *
 * @param studentFeatures in the order of the pairs, already projected
 * @param teacherFeatures as many, each of its partner's shape but for the sides of maps
 * @param names what messages call the two of each pair
 * @see Romero et al., FitNets (2015), arXiv 1412.6550, equation 3
 */
export function featureMatchingLoss(
  studentFeatures: readonly Tensor[],
  teacherFeatures: readonly Tensor[],
  names?: readonly (readonly [student: string, teacher: string, ...unknown[]])[],
): Tensor {
  requireInstance("featureMatchingLoss", "student features as an array", studentFeatures, Array);
  requireInstance("featureMatchingLoss", "teacher features as an array", teacherFeatures, Array);
  if (studentFeatures.length !== teacherFeatures.length || studentFeatures.length === 0) {
    throw new DistilgradError(
      "shape",
      `featureMatchingLoss: expected as many student as teacher features and at least one, got ${studentFeatures.length} and ${teacherFeatures.length}`,
    );
  }
  for (const [i, student] of studentFeatures.entries()) {
    const teacher = teacherFeatures[i];
    if (!comparable(student.shape, teacher.shape)) {
      const [s, t] = names?.[i] ?? [`feature ${i}`, `feature ${i}`];
      const both = student.shape.length === 4 && teacher.shape.length === 4;
      const such = both ? `, such as new Conv2d(${student.shape[1]}, ${teacher.shape[1]}, 1)` : "";
      throw new DistilgradError(
        "shape",
        `featureMatchingLoss: student "${s}" is ${formatShape(student.shape)} and teacher "${t}" is ${formatShape(teacher.shape)}; add a projection${such}`,
      );
    }
  }
  return studentFeatures
    .map((student, i) => distance(student, teacherFeatures[i]))
    .reduce((a, b) => add(a, b));
}

/** Whether two features are equal in shape, or maps that differ in their sides alone. */
const comparable = (a: Shape, b: Shape): boolean =>
  sameShape(a, b) || (a.length === 4 && b.length === 4 && sameShape(a.slice(0, 2), b.slice(0, 2)));

const distance = (student: Tensor, teacher: Tensor): Tensor => mse(...onSameSides(student, teacher));

/** Maps that differ in height or width, each side averaged down to the smaller of the two; all else as it is. */
export function onSameSides(student: Tensor, teacher: Tensor): readonly [student: Tensor, teacher: Tensor] {
  const [s, t] = [student.shape, teacher.shape];
  if (s.length !== 4 || t.length !== 4 || (s[2] === t[2] && s[3] === t[3])) return [student, teacher];
  const size = [Math.min(s[2], t[2]), Math.min(s[3], t[3])] as const;
  return [adaptiveAvgPool2d(student, size), adaptiveAvgPool2d(teacher, size)];
}
