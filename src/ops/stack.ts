import { DistilgradError } from "../errors.ts";
import { formatShape, requireAxis, sameShape, sizeOf, stridesOf } from "../shape.ts";
import { record, type Tensor } from "../tensor.ts";
import { requireTensors } from "./concat.ts";
import { placed } from "./strided-runs.ts";

/**
 * Tensors of one shape side by side along an axis that they do not have.
 *
 *     y[…, i, …] = xᵢ
 *     dxᵢ = dy[…, i, …]
 *
 * @param tensors at least one
 * @param axis which axis of the result is the new one; −1 is its last
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const k = requireTensors("stack", tensors);
  const each = tensors[0].shape;
  for (const [i, x] of tensors.entries()) {
    if (!sameShape(x.shape, each)) {
      throw new DistilgradError(
        "shape",
        `stack: expected equal shapes, got ${formatShape(each)} and, as tensor ${i}, ${formatShape(x.shape)}`,
      );
    }
  }
  const along = requireAxis("stack", [tensors.length, ...each], axis);
  const shape = [...each.slice(0, along), tensors.length, ...each.slice(along)];
  const strides = stridesOf(shape);
  const [step] = strides.splice(along, 1);
  const y = k.alloc(sizeOf(shape));
  return record(
    "stack",
    y,
    shape,
    tensors.map((x, i) => placed(y, x, strides, i * step)),
  );
}
