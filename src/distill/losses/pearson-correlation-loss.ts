import { requireOptions } from "../../arguments.ts";
import type { Floats, Kernels } from "../../kernels/kernels.ts";
import type { Rows } from "../../ops/operands.ts";
import { requireTemperature } from "../../ops/soft-target-loss.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import { addChordGradient, cosineDistance, type Directions, directionsOf } from "./directions.ts";
import { distributionOf } from "./divergence.ts";
import { requireLogits, requireWeight } from "./operands.ts";

export interface PearsonCorrelationOptions {
  /** T from 1e-8 to 1e8: how far both distributions are softened. Default 1, which leaves them as they are. */
  readonly temperature?: number;
  /** β ≥ 0, the weight of the relations between classes, which stand in a row. Default 1. */
  readonly interClassWeight?: number;
  /** γ ≥ 0, the weight of the relations within a class, which stand in a column. Default 1. */
  readonly intraClassWeight?: number;
}

/**
 * Whether the student's probabilities rise and fall with the teacher's (DIST), along each row and down each column of the
 * batch; that they are equal is not asked for.
 *
 *     p  = softmax(z / T)    q = softmax(v / T)    ρ = Pearson's correlation, the cosine of values less their mean
 *     L  = T² ( β (1/rows) Σ_rows (1 − ρ(p_row, q_row)) + γ (1/classes) Σ_classes (1 − ρ(p_column, q_column)) )
 *     d(1 − ρ)/da = (â − b̂ − ⟨â, â − b̂⟩ â) / |a|        a = p − mean p    b = q − mean q    â = a / |a|    b̂ = b / |b|
 *     dp = the sum of these for its row and for its column, each with its share of L
 *     dz = p (dp − Σ_row p dp) / T        dv likewise
 *
 * 1 − ρ = ½ |â − b̂|² keeps its digits where the two agree; it is exactly 0 for equal logits, as are the gradients. A row
 * or a column whose values are all equal has no correlation: ρ is 0, its part of L is the whole weight, and its gradients
 * are 0. So it is with the columns of one row alone.
 *
 * Correlations do not shrink with 1/T², so T² is not there to balance anything: it is a factor of the authors' code.
 * Each column rests on all rows of a batch: means over parts of a batch do not add up to its loss.
 *
 * @param studentLogits `[rows, classes]` z
 * @param teacherLogits `[rows, classes]` v
 * @returns a scalar
 * @see Huang et al., Knowledge Distillation from A Stronger Teacher (2022), arXiv 2205.10536, §4
 */
export function pearsonCorrelationLoss(
  studentLogits: Tensor,
  teacherLogits: Tensor,
  options: PearsonCorrelationOptions = {},
): Tensor {
  const op = "pearsonCorrelationLoss";
  const shape = requireLogits(op, studentLogits, teacherLogits);
  requireOptions(op, options, ["temperature", "interClassWeight", "intraClassWeight"]);
  const { temperature = 1, interClassWeight = 1, intraClassWeight = 1 } = options;
  requireTemperature(op, temperature);
  requireWeight(op, "interClassWeight", interClassWeight);
  requireWeight(op, "intraClassWeight", intraClassWeight);
  const { rows, cols } = shape;
  const k = studentLogits.kernels;
  const student = relationsOf(k, studentLogits.data, shape, temperature);
  const teacher = relationsOf(k, teacherLogits.data, shape, temperature);
  const [ofRow, ofColumn] = [interClassWeight / rows, intraClassWeight / cols].map(
    (weight) => temperature * temperature * weight,
  );
  let [inter, intra] = [0, 0];
  for (let row = 0; row < rows; row++) inter += cosineDistance(student.byRow, teacher.byRow, row);
  for (let c = 0; c < cols; c++) intra += cosineDistance(student.byColumn, teacher.byColumn, c);
  const loss = k.alloc(1);
  loss[0] = ofRow * inter + ofColumn * intra;

  const addGradient = (dz: Floats, own: Relations, other: Relations, dLoss: number): void => {
    const dp = k.wideRoom(dz.length).fill(0);
    const dColumns = k.wideRoom(dz.length).fill(0);
    addChordGradient(dp, own.byRow, other.byRow, ofRow * dLoss);
    addChordGradient(dColumns, own.byColumn, other.byColumn, ofColumn * dLoss);
    const { probs } = own;
    for (let row = 0; row < rows; row++) {
      const [start, end] = [row * cols, (row + 1) * cols];
      let mean = 0; // Σ p dp
      for (let i = start; i < end; i++) {
        dp[i] += dColumns[(i - start) * rows + row];
        mean += probs[i] * dp[i];
      }
      for (let i = start; i < end; i++) dz[i] += (probs[i] * (dp[i] - mean)) / temperature;
    }
  };
  return record(
    op,
    loss,
    [],
    [
      wrt(studentLogits, (dz, dLoss) => addGradient(dz, student, teacher, dLoss[0])),
      wrt(teacherLogits, (dv, dLoss) => addGradient(dv, teacher, student, dLoss[0])),
    ],
  );
}

/** Probabilities, and the directions of their rows and of their columns, less their means. */
interface Relations {
  readonly probs: Float64Array;
  readonly byRow: Directions;
  readonly byColumn: Directions;
}

function relationsOf(k: Kernels, logits: Floats, shape: Rows, temperature: number): Relations {
  const { rows, cols } = shape;
  const { probs } = distributionOf(k, logits, shape, temperature);
  const [byRow, byColumn] = [k.wideRoom(probs.length), k.wideRoom(probs.length)];
  byRow.set(probs);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let c = 0; c < cols; c++, i++) byColumn[c * rows + row] = probs[i];
  }
  centre(byRow, cols);
  centre(byColumn, rows);
  return {
    probs,
    byRow: directionsOf(k, byRow, rows, shortestDeviation),
    byColumn: directionsOf(k, byColumn, cols, shortestDeviation),
  };
}

/** Correlations do not depend on size, and a class may be rare; but squares of smaller deviations lose their digits. */
const shortestDeviation = 1e-150;

/** x −= mean x, of each `width` values; from the first of them on, so that equal values become exactly 0. */
function centre(x: Float64Array, width: number): void {
  for (let start = 0; start < x.length; start += width) {
    const first = x[start];
    let sum = 0;
    for (let i = start; i < start + width; i++) {
      x[i] -= first;
      sum += x[i];
    }
    for (let i = start; i < start + width; i++) x[i] -= sum / width;
  }
}
