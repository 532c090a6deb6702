import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { log } from "../../math.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import { addThroughDirections, type Directions, directionsOf } from "./directions.ts";
import { type Divergence, divergenceFrom } from "./divergence.ts";
import { requireSameRows } from "./operands.ts";

/**
 * Whether each row has the same neighbours for the student as for the teacher: similarities to the other rows are read as
 * probabilities, and the student's are compared with the teacher's.
 *
 *     K_ij = ½ (1 + cos of the angle of x_i and x_j)  =  ¼ |x̂_i + x̂_j|²        x̂ = x / |x|
 *     p_ij = K_ij / Σ_{m ≠ i} K_im        for j ≠ i, of the student; q of the teacher
 *     L    = (1/rows) Σ_i Σ_{j ≠ i} q_ij (log q_ij − log p_ij)
 *     dK_ij = (p_ij − q_ij) / K_ij / rows · dL                          the student's
 *     dK_ij = q_ij (log q_ij − log p_ij − KL of i) / K_ij / rows · dL        the teacher's
 *     dx̂_i = Σ_j ½ (dK_ij + dK_ji) (x̂_i + x̂_j)    dx = (dx̂ − ⟨x̂, dx̂⟩ x̂) / |x|
 *
 * The second form of K keeps its digits where two rows are almost opposite. L has only terms that are ≥ 0, as in
 * `softTargetLoss`; it is exactly 0 for equal features, and for fewer than three rows. Features of any width compare with
 * features of any other, and the lengths of rows do not count.
 *
 * A row shorter than 1e-12 has no direction: its cosines are 0, its K ½ and its gradient 0. Where the student's rows are
 * exactly opposite and the teacher's are not, L is infinite. A row that is opposite to all others has equal p instead,
 * and nothing flows from it. The paper sums over rows where the mean is here; a row is no neighbour of its own, in either.
 *
 * Each value rests on all rows of a batch: means over parts of a batch do not add up to its loss.
 *
 * @param student `[rows, …]`
 * @param teacher `[rows, …]`, a row of whatever shape
 * @returns a scalar, in nats
 * @see Passalis & Tefas, Learning Deep Representations with Probabilistic Knowledge Transfer (2018), arXiv 1803.10837, §3
 */
export function probabilisticKnowledgeTransferLoss(student: Tensor, teacher: Tensor): Tensor {
  const op = "probabilisticKnowledgeTransferLoss";
  const rows = requireSameRows(op, student, teacher);
  const k = student.kernels;
  const s = neighboursOf(k, student.data, rows);
  const t = neighboursOf(k, teacher.data, rows);
  const logRatios = k.wideRoom(rows * rows);
  for (let i = 0; i < logRatios.length; i++) logRatios[i] = log(t.probs[i]) - log(s.probs[i]);
  // On the diagonal both are 0, which adds nothing.
  const divergence = divergenceFrom(k, t.probs, s.probs, logRatios, { rows, cols: rows });
  const loss = k.alloc(1);
  loss[0] = divergence.mean;
  return record(
    op,
    loss,
    [],
    [
      wrt(student, (ds, dLoss) => {
        const slope = (at: number): number => divergence.model[at] - divergence.target[at];
        addGradient(k, ds, s, slope, dLoss[0] / rows);
      }),
      wrt(teacher, (dt, dLoss) => addGradient(k, dt, t, targetSlope(divergence, rows), dLoss[0] / rows)),
    ],
  );
}

const targetSlope =
  ({ target, logRatios, perRow }: Divergence, rows: number) =>
  (at: number): number =>
    target[at] === 0 ? 0 : target[at] * (logRatios[at] - perRow[Math.floor(at / rows)]);

interface Neighbours {
  readonly directions: Directions;
  /** K, 0 on the diagonal */
  readonly similarities: Float64Array;
  /** p, 0 on the diagonal */
  readonly probs: Float64Array;
}

function neighboursOf(k: Kernels, x: Floats, rows: number): Neighbours {
  const width = x.length / rows;
  const directions = directionsOf(k, x, rows);
  const { units, lengths } = directions;
  const [similarities, probs] = [k.wideRoom(rows * rows).fill(0), k.wideRoom(rows * rows)];
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      let squares = 0;
      for (let c = 0; c < width; c++) {
        const sum = units[i * width + c] + units[j * width + c];
        squares += sum * sum;
      }
      const similarity = lengths[i] === 0 || lengths[j] === 0 ? 0.5 : squares / 4;
      similarities[i * rows + j] = similarity;
      similarities[j * rows + i] = similarity;
    }
  }
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < rows; j++) sum += similarities[i * rows + j];
    for (let j = 0; j < rows; j++) {
      const at = i * rows + j;
      probs[at] = i === j ? 0 : sum === 0 ? 1 / (rows - 1) : similarities[at] / sum;
    }
  }
  return { directions, similarities, probs };
}

/** @param slope K_ij times dL/dK_ij, of the probabilities of row i */
function addGradient(
  k: Kernels,
  dx: Floats,
  { directions, similarities }: Neighbours,
  slope: (at: number) => number,
  share: number,
): void {
  const { units, lengths } = directions;
  const rows = lengths.length;
  const width = units.length / rows;
  const dUnits = k.wideRoom(units.length).fill(0);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      const at = i * rows + j;
      if (similarities[at] === 0) continue;
      const ofBoth = slope(at) + slope(j * rows + i);
      const change = (ofBoth / (2 * similarities[at])) * share;
      for (let c = 0; c < width; c++)
        dUnits[i * width + c] += change * (units[i * width + c] + units[j * width + c]);
    }
  }
  addThroughDirections(dx, dUnits, directions);
}
