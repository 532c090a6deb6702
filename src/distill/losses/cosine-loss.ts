import { DistilgradError } from "../../errors.ts";
import { requireSameShape } from "../../ops/operands.ts";
import { formatShape } from "../../shape.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import { addChordGradient, cosineDistance, directionsOf } from "./directions.ts";

/**
 * How far the student's features point away from the teacher's: 1 − cos of their angle, averaged over vectors. Lengths
 * do not count.
 *
 *     L  = mean over vectors of 1 − ⟨ŝ, t̂⟩  =  mean of ½ |ŝ − t̂|²        ŝ = s / |s|    t̂ = t / |t|
 *     ds = (ŝ − t̂ − ⟨ŝ, ŝ − t̂⟩ ŝ) / (|s| vectors) · dL        dt likewise
 *
 * From 0 to 2. The second form keeps its digits where the two nearly agree, where 1 − cos would cancel; it is never
 * negative, and exactly 0 for equal features, as are its gradients. A vector that is shorter than 1e-12 has no
 * direction: its cosine is 0, its pair's loss 1, and the gradients of the pair are 0.
 *
 * @param student `[rows, features]`, or `[rows, positions, features]` such as a transformer's hidden states
 * @param teacher the same shape
 * @returns a scalar
 * @see Sanh et al., DistilBERT (2019), arXiv 1910.01108, §2
 */
export function cosineLoss(student: Tensor, teacher: Tensor): Tensor {
  requireSameShape("cosineLoss", "student", student, "teacher", teacher);
  const { shape, size, kernels: k } = student;
  if ((shape.length !== 2 && shape.length !== 3) || size === 0) {
    const hint = shape.length > 3 ? "; flatten what is one vector" : "";
    throw new DistilgradError(
      "shape",
      `cosineLoss: expected features [rows, features] or [rows, positions, features] with at least one value, got ${formatShape(shape)}${hint}`,
    );
  }
  const count = size / shape[shape.length - 1];
  const s = directionsOf(k, student.data, count);
  const t = directionsOf(k, teacher.data, count);
  let total = 0;
  for (let v = 0; v < count; v++) total += cosineDistance(s, t, v);
  const loss = k.alloc(1);
  loss[0] = total / count;
  return record(
    "cosineLoss",
    loss,
    [],
    [
      wrt(student, (ds, dLoss) => addChordGradient(ds, s, t, dLoss[0] / count)),
      wrt(teacher, (dt, dLoss) => addChordGradient(dt, t, s, dLoss[0] / count)),
    ],
  );
}
