/** Floor 4: two layers under the loss of a term. */
import { DistilgradError } from "../errors.ts";
import { formatShape, type Shape, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { onSameSides } from "./feature-matching-loss.ts";
import type { AskedPair } from "./layer-pairs.ts";
import type { FeatureTerm } from "./terms.ts";

export interface LayerComparison {
  readonly loss: Tensor;
  /** What the loss was given of the student and of the teacher. */
  readonly compared: readonly [student: Shape, teacher: Shape];
}

/**
 * The loss between the layers of a pair: the student's goes through its projection, and maps are brought to the same
 * sides.
 *
 * @param where the function's name and the term's, for messages
 * @throws what projection and loss refuse, saying of which layers
 */
export function compareLayers(
  where: string,
  { compare }: FeatureTerm,
  { pair, own, wanted }: AskedPair,
  options: object,
): LayerComparison {
  const [studentLayer, teacherLayer, projection] = pair;
  try {
    const [student, teacher] = onSameSides(projection?.forward(own) ?? own, wanted);
    return { loss: compare(student, teacher, options), compared: [student.shape, teacher.shape] };
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    const through = projection ? ` through ${projection.constructor.name}` : "";
    const isMissing = error.code === "shape" && !projection && !sameShape(own.shape, wanted.shape);
    throw new DistilgradError(
      error.code,
      `${where}: student "${studentLayer}" ${formatShape(own.shape)}${through} against teacher "${teacherLayer}" ${formatShape(wanted.shape)}: ${error.message}${isMissing ? "; projectedPairs makes a projection" : ""}`,
    );
  }
}
