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
 * Whether rows lie as far apart for the student as for the teacher, each in units of its own mean distance: the
 * distance-wise part of relational knowledge distillation.
 *
 *     d_ij = |x_i − x_j|    μ = mean of the d_ij that are not 0    u = d / μ        for student and teacher
 *     L    = (1/rows²) Σ_ij h(u_s,ij − u_t,ij)        h(e) = ½ e² up to |e| = 1, |e| − ½ beyond
 *     e'   = h'(u_s − u_t) / rows² · dL
 *     dd   = (e' − mean of e' u, over the pairs that μ is a mean of) / μ
 *     dx_i = Σ_j 2 dd_ij (x_i − x_j) / d_ij        the teacher's with −e'
 *
 * Features of any width compare with features of any other; a shift, a rotation and a factor that all rows of either
 * share change nothing. Exactly 0, with gradients of 0, for equal features.
 *
 * A distance has no derivative where it is 0: there it is chosen 0. Rows closer than 1e-12 count as equal. Where all
 * rows are equal, or there is only one, u is 0. μ jumps where a pair of rows becomes equal, and L with it.
 *
 * The paper gives this loss the weight 25 and `relationalAngleLoss` the weight 50. Those weights belong to a mean over
 * all rows² pairs, as it is here. Each value rests on all rows of a batch: means over parts of a batch do not add up to
 * its loss.
 *
 * @param student `[rows, …]`
 * @param teacher `[rows, …]`, a row of whatever shape
 * @returns a scalar
 * @see Park et al., Relational Knowledge Distillation (2019), arXiv 1904.05068, §3.2.1
 */
export function relationalDistanceLoss(student: Tensor, teacher: Tensor): Tensor {
  const rows = requireSameRows("relationalDistanceLoss", student, teacher);
  const k = student.kernels;
  const s = scaled(pairDistances(k, student.data, rows));
  const t = scaled(pairDistances(k, teacher.data, rows));
  let total = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) total += huberOf(apart(s, t, i * rows + j));
  }
  const loss = k.alloc(1);
  loss[0] = (2 * total) / (rows * rows); // each pair twice, and no row with itself
  return record(
    "relationalDistanceLoss",
    loss,
    [],
    [
      wrt(student, (ds, dLoss) => addGradient(k, ds, student.data, s, t, dLoss[0])),
      wrt(teacher, (dt, dLoss) => addGradient(k, dt, teacher.data, t, s, dLoss[0])),
    ],
  );
}

interface ScaledDistances extends PairDistances {
  /** How many pairs i < j have a distance, and the mean of these: μ. 0 when there is none. */
  readonly count: number;
  readonly mean: number;
}

function scaled(distances: PairDistances): ScaledDistances {
  const { rows, lengths } = distances;
  let count = 0;
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      const length = lengths[i * rows + j];
      if (length === 0) continue;
      count++;
      sum += length;
    }
  }
  return { ...distances, count, mean: count === 0 ? 0 : sum / count };
}

const unitsOf = ({ lengths, mean }: ScaledDistances, at: number): number =>
  lengths[at] === 0 ? 0 : lengths[at] / mean;

const apart = (own: ScaledDistances, other: ScaledDistances, at: number): number =>
  unitsOf(own, at) - unitsOf(other, at);

function addGradient(
  k: Kernels,
  dx: Floats,
  x: Floats,
  own: ScaledDistances,
  other: ScaledDistances,
  dLoss: number,
): void {
  const { rows, lengths, count, mean } = own;
  const share = (2 / (rows * rows)) * dLoss;
  let along = 0; // Σ e' u
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      const at = i * rows + j;
      along += huberSlope(apart(own, other, at)) * unitsOf(own, at);
    }
  }
  const slopes = k.wideRoom(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      const at = i * rows + j;
      const slope = (huberSlope(apart(own, other, at)) - along / count) / mean;
      // dd²/dd = 2 d
      slopes[at] = lengths[at] === 0 ? 0 : (slope / (2 * lengths[at])) * share;
    }
  }
  addThroughSquares(dx, slopes, x, rows);
}
