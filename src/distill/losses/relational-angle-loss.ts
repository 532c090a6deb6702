import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import { requireSameRows } from "./operands.ts";
import {
  addThroughSquares,
  huberOf,
  huberSlope,
  type PairDistances,
  pairDistances,
} from "./pair-distances.ts";

/**
 * Whether three rows form the same angle for the student as for the teacher: the angle-wise part of relational knowledge
 * distillation.
 *
 *     a_ijk = cos of the angle at x_j between x_i and x_k = (d²_ij + d²_kj − d²_ik) / (2 d_ij d_kj)    d_ij = |x_i − x_j|
 *     L     = (1/rows³) Σ_ijk h(a_s,ijk − a_t,ijk)        h(e) = ½ e² up to |e| = 1, |e| − ½ beyond
 *     e'    = h'(a_s − a_t) / rows³ · dL
 *     dd²_ik −= e' / (2 d_ij d_kj)    dd²_ij += e' (1 / (2 d_ij d_kj) − a / (2 d²_ij))    dd²_kj likewise
 *     dx_i  = Σ_j 2 dd²_ij (x_i − x_j)        the teacher's with −e'
 *
 * By the law of cosines all angles follow from the distances of pairs: rows² · width operations and rows³ besides,
 * instead of rows³ · width. Features of any width compare with features of any other; a shift, a rotation and a factor
 * that all rows of either share change nothing. Exactly 0, with gradients of 0, for equal features.
 *
 * Rows closer than 1e-12 count as equal. A side without length forms no angle: a is 0, and its derivative is chosen 0.
 * Fewer than three different rows have L = 0, unless the models differ in which rows are equal.
 *
 * The paper gives this loss the weight 50 and `relationalDistanceLoss` the weight 25. Those weights belong to a mean over
 * all rows³ triples, as it is here. Each value rests on all rows of a batch: means over parts of a batch do not add up to
 * its loss.
 *
 * @param student `[rows, …]`
 * @param teacher `[rows, …]`, a row of whatever shape
 * @returns a scalar
 * @see Park et al., Relational Knowledge Distillation (2019), arXiv 1904.05068, §3.2.2
 */
export function relationalAngleLoss(student: Tensor, teacher: Tensor): Tensor {
  const rows = requireSameRows("relationalAngleLoss", student, teacher);
  const k = student.kernels;
  const s = pairDistances(k, student.data, rows);
  const t = pairDistances(k, teacher.data, rows);
  let pairs = 0;
  let same = 0;
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < rows; i++) {
      // The angle of a side with itself has the cosine 1, where there is a side.
      const at = j * rows + i;
      same += huberOf(Number(s.lengths[at] !== 0) - Number(t.lengths[at] !== 0));
      for (let m = i + 1; m < rows; m++) pairs += huberOf(cosine(s, i, j, m) - cosine(t, i, j, m));
    }
  }
  const loss = k.alloc(1);
  loss[0] = (2 * pairs + same) / (rows * rows * rows);
  return record(
    "relationalAngleLoss",
    loss,
    [],
    [
      wrt(student, (ds, dLoss) => addGradient(k, ds, student.data, s, t, dLoss[0])),
      wrt(teacher, (dt, dLoss) => addGradient(k, dt, teacher.data, t, s, dLoss[0])),
    ],
  );
}

/** Of the angle at row j between rows i and m; 0 where a side has no length. */
function cosine({ rows, squares, lengths }: PairDistances, i: number, j: number, m: number): number {
  const [one, two] = [j * rows + i, j * rows + m];
  const product = lengths[one] * lengths[two];
  return product === 0 ? 0 : (squares[one] + squares[two] - squares[i * rows + m]) / (2 * product);
}

function addGradient(
  k: Kernels,
  dx: Floats,
  x: Floats,
  own: PairDistances,
  other: PairDistances,
  dLoss: number,
): void {
  const { rows, squares, lengths } = own;
  const share = (2 / (rows * rows * rows)) * dLoss;
  const slopes = k.wideRoom(rows * rows).fill(0);
  const pairOf = (a: number, b: number): number => (a < b ? a * rows + b : b * rows + a);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < rows; i++) {
      for (let m = i + 1; m < rows; m++) {
        const [one, two] = [pairOf(i, j), pairOf(m, j)];
        const product = lengths[one] * lengths[two];
        if (product === 0) continue;
        const angle = cosine(own, i, j, m);
        const slope = huberSlope(angle - cosine(other, i, j, m)) * share;
        slopes[pairOf(i, m)] -= slope / (2 * product);
        slopes[one] += slope * (1 / (2 * product) - angle / (2 * squares[one]));
        slopes[two] += slope * (1 / (2 * product) - angle / (2 * squares[two]));
      }
    }
  }
  addThroughSquares(dx, slopes, x, rows);
}
