import { DistilgradError } from "../errors.ts";
import { formatShape, requireShape, type Shape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The same values in the same order under another shape. Nothing is copied: both tensors share their values.
 *
 *     y  = x
 *     dx = dy
 *
 * @param shape sizes with the same product; one of them may be −1 and is then worked out
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const k = kernelsOf("reshape", x);
  if (!Array.isArray(shape)) requireShape("reshape", shape);
  const wanted = inferred(x, shape);
  requireShape("reshape", wanted);
  if (sizeOf(wanted) !== x.size) {
    throw new DistilgradError(
      "shape",
      `reshape: ${formatShape(x.shape)} holds ${x.size} values and ${formatShape(shape)} does not`,
    );
  }
  return record("reshape", x.storage, wanted, [wrt(x, (dx, dy) => k.addScaled(dx, 1, dy))]);
}

/** `shape` with its −1, if it has one, replaced by what is left over. */
function inferred(x: Tensor, shape: Shape): Shape {
  const known = shape.filter((length) => length !== -1);
  if (shape.length - known.length > 1) {
    throw new DistilgradError("shape", `reshape: only one size may be −1, got ${formatShape(shape)}`);
  }
  if (known.length !== shape.length - 1) return [...shape];
  const rest = x.size / sizeOf(known);
  return shape.map((length) => (length !== -1 ? length : Number.isInteger(rest) ? rest : 0));
}
