import { DistilgradError } from "../errors.ts";
import { argmaxRow } from "../kernels/rows.ts";
import { formatShape, requireAxis, sizeOf } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";

/**
 * Where the largest value along one axis stands.
 *
 *     y = the first i with xᵢ = max x
 *
 * It is no tensor and has no gradient: an index does not change with x, or it jumps. A NaN wins, the first of several.
 *
 * @param axis −1 being the last, which is the default
 * @returns an index in [0, length of the axis) for each position on the other axes, row-major
 * @throws where there is nothing to compare
 */
export function argmax(x: Tensor, axis = -1): Int32Array {
  const k = kernelsOf("argmax", x);
  const along = requireAxis("argmax", x.shape, axis);
  const length = x.shape[along];
  if (length === 0) {
    throw new DistilgradError(
      "shape",
      `argmax: nothing to compare in ${formatShape(x.shape)} along axis ${along}`,
    );
  }
  const values = x.data;
  const indices = new Int32Array(x.size / length);
  const stride = sizeOf(x.shape.slice(along + 1));
  if (stride === 1) {
    for (let o = 0; o < indices.length; o++) indices[o] = argmaxRow(values, o * length, length) - o * length;
    return indices;
  }
  const row = k.alloc(length);
  for (let o = 0; o < indices.length; o++) {
    const start = Math.floor(o / stride) * length * stride + (o % stride);
    for (let i = 0; i < length; i++) row[i] = values[start + i * stride];
    indices[o] = argmaxRow(row, 0, length);
  }
  return indices;
}
