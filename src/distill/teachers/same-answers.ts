/** Floor 4: whether several models speak of the same rows and classes. */
import { DistilgradError } from "../../errors.ts";
import { lossRowsOf, type Rows } from "../../ops/operands.ts";
import { formatShape, sameShape } from "../../shape.ts";
import { kernelsOf, type Tensor } from "../../tensor.ts";

/** Requires logits `[rows, classes]` of one shape and one kernel set; `names` says whose each of them is. */
export function requireSameAnswers(where: string, logits: readonly Tensor[], names: readonly string[]): Rows {
  kernelsOf(where, ...logits);
  const shape = lossRowsOf(where, `the logits of ${names[0]}`, logits[0]);
  for (const [i, other] of logits.entries()) {
    if (sameShape(other.shape, logits[0].shape)) continue;
    throw new DistilgradError(
      "shape",
      `${where}: the logits of ${names[0]} are ${formatShape(logits[0].shape)} and those of ${names[i]} ${formatShape(other.shape)}; all need the same rows and the same classes in the same order`,
    );
  }
  return shape;
}
