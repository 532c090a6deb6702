import { requireOptions, requirePositive } from "../arguments.ts";
import type { Floats } from "../kernels/kernels.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { requireSameShape, rowsOf } from "./operands.ts";

export interface CosineSimilarityOptions {
  /** ε above 0: shorter vectors count as if they had this length. Default 1e-8. */
  readonly epsilon?: number;
}

/**
 * The cosine of the angle between two vectors, for each pair of rows.
 *
 *     |a|' = max(|a|, ε)        |b|' = max(|b|, ε)
 *     y  = ⟨a, b⟩ / (|a|' |b|')
 *     da = (b / |b|' − y a / |a|) / |a|' · dy        without the second term where |a| ≤ ε; db likewise
 *
 * Within [−1, 1], and 1 for equal vectors longer than ε. The zero vector has y = 0 and da = b / (ε |b|') · dy: a
 * direction that it could take, not NaN. Sums run in float64, where squares of float32 values cannot overflow; in the
 * float64 set they do from 1e154 on.
 *
 * @param a `[…, n]`
 * @param b `[…, n]`, the same shape: it is not broadcast
 * @returns `[…]`
 * @see Manning, Raghavan & Schütze, Introduction to Information Retrieval (2008), §6.3.1
 */
export function cosineSimilarity(a: Tensor, b: Tensor, options: CosineSimilarityOptions = {}): Tensor {
  requireSameShape("cosineSimilarity", "a", a, "b", b);
  requireOptions("cosineSimilarity", options, ["epsilon"]);
  const { epsilon = 1e-8 } = options;
  requirePositive("cosineSimilarity", "epsilon", epsilon);
  const { rows, cols } = rowsOf("cosineSimilarity", a);
  const [p, q] = [a.data, b.data];
  const left: Side = { values: p, lengths: new Float64Array(rows) };
  const right: Side = { values: q, lengths: new Float64Array(rows) };
  const cosines = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let dot = 0;
    let aa = 0;
    let bb = 0;
    for (let i = row * cols; i < (row + 1) * cols; i++) {
      dot += p[i] * q[i];
      aa += p[i] * p[i];
      bb += q[i] * q[i];
    }
    left.lengths[row] = Math.sqrt(aa);
    right.lengths[row] = Math.sqrt(bb);
    const cosine = dot / Math.max(left.lengths[row], epsilon) / Math.max(right.lengths[row], epsilon);
    cosines[row] = Math.max(-1, Math.min(cosine, 1)); // beyond by rounding only
  }
  const y = a.kernels.alloc(rows);
  y.set(cosines);
  return record("cosineSimilarity", y, a.shape.slice(0, -1), [
    wrt(a, (da, dy) => addGradient(da, left, right, cosines, epsilon, dy)),
    wrt(b, (db, dy) => addGradient(db, right, left, cosines, epsilon, dy)),
  ]);
}

/** The vectors of one operand, and how long they are. */
interface Side {
  readonly values: Floats;
  readonly lengths: Float64Array;
}

/** dx += (other / |other|' − y own / |own|) / |own|' · dy */
function addGradient(
  dx: Floats,
  own: Side,
  other: Side,
  cosines: Float64Array,
  epsilon: number,
  dy: Floats,
): void {
  const cols = dx.length / dy.length;
  for (let row = 0; row < dy.length; row++) {
    const ownLength = own.lengths[row];
    const otherLength = Math.max(other.lengths[row], epsilon);
    const along = ownLength <= epsilon ? 0 : cosines[row] / ownLength;
    const share = dy[row] / Math.max(ownLength, epsilon);
    for (let i = row * cols; i < (row + 1) * cols; i++) {
      dx[i] += (other.values[i] / otherLength - along * own.values[i]) * share;
    }
  }
}
