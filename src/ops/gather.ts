import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { requireAxis, type Shape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The slices of a tensor that stand at given places along an axis, in the order given.
 *
 *     y[…, p, …] = x[…, indices[p], …]
 *     dx[…, i, …] = Σ dy[…, p, …] over every p with indices[p] = i
 *
 * An index may be there any number of times, or never. Its gradients are summed in float64, in ascending order of
 * position, and rounded once.
 *
 * @param indices whole numbers from 0 to the axis' length − 1; they are copied
 * @param axis −1 is the last
 */
export function gather(x: Tensor, indices: ArrayLike<number>, axis = 0): Tensor {
  kernelsOf("gather", x);
  const along = requireAxis("gather", x.shape, axis);
  const places = requireIndices("gather", indices, x.shape[along]);
  const shape = x.shape.map((length, i) => (i === along ? places.length : length));
  return gathered("gather", x, places, along, shape);
}

/** What `gather` and `embedding` record, from indices that are known to be right and nobody else's. */
export function gathered(op: string, x: Tensor, indices: Int32Array, axis: number, shape: Shape): Tensor {
  const outer = sizeOf(x.shape.slice(0, axis));
  const length = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const values = x.data;
  const y = x.kernels.alloc(outer * indices.length * inner);
  for (let o = 0, to = 0; o < outer; o++) {
    for (let p = 0; p < indices.length; p++) {
      const from = (o * length + indices[p]) * inner;
      for (let i = 0; i < inner; i++) y[to++] = values[from + i];
    }
  }
  return record(op, y, shape, [
    wrt(x, (dx, dy) => {
      const { first, next } = positionsByIndex(indices, length);
      const sums = new Float64Array(inner);
      for (let o = 0; o < outer; o++) {
        for (let index = 0; index < length; index++) {
          if (first[index] === -1) continue;
          sums.fill(0);
          for (let p = first[index]; p !== -1; p = next[p]) {
            const from = (o * indices.length + p) * inner;
            for (let i = 0; i < inner; i++) sums[i] += dy[from + i];
          }
          const to = (o * length + index) * inner;
          for (let i = 0; i < inner; i++) dx[to + i] += sums[i];
        }
      }
    }),
  ]);
}

/** Where each index stands first, and for every position where the same index stands next; −1 where it does not. */
function positionsByIndex(indices: Int32Array, length: number): { first: Int32Array; next: Int32Array } {
  const first = new Int32Array(length).fill(-1);
  const next = new Int32Array(indices.length);
  for (let p = indices.length - 1; p >= 0; p--) {
    next[p] = first[indices[p]];
    first[indices[p]] = p;
  }
  return { first, next };
}

/** A copy of indices, each required to be a whole number in [0, length). */
export function requireIndices(op: string, indices: ArrayLike<number>, length: number): Int32Array {
  if (typeof indices?.length !== "number") {
    throw new DistilgradError(
      "value",
      `${op}: expected indices as an array of whole numbers, got ${kindOf(indices)}`,
    );
  }
  for (let p = 0; p < indices.length; p++) {
    const index = indices[p];
    if (!Number.isInteger(index)) {
      throw new DistilgradError(
        "value",
        `${op}: indices are whole numbers, got ${kindOf(index)} at position ${p}`,
      );
    }
    if (index < 0 || index >= length) {
      throw new DistilgradError("value", `${op}: index ${index} at position ${p} is outside [0, ${length})`);
    }
  }
  return Int32Array.from(indices);
}
