import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import { addThroughDirections, type Directions, directionsOf } from "./directions.ts";
import { requireMaps } from "./operands.ts";

/**
 * Whether the student's channels respond in the same patterns as the teacher's: the distance of the two sets of patterns,
 * in which no channel has to match a certain other (maximum mean discrepancy with the kernel (aᵀb)²).
 *
 *     f̂ = f / |f|        f a channel as a vector of positions
 *     A  = (1/C_s) Σ_channels f̂_s f̂_sᵀ − (1/C_t) Σ_channels f̂_t f̂_tᵀ        of each row, [positions, positions]
 *     L  = (1/rows) Σ_rows |A|²
 *        = (1/rows) Σ_rows ( mean (f̂_sᵀ f̂_s')² + mean (f̂_tᵀ f̂_t')² − 2 mean (f̂_sᵀ f̂_t)² )
 *     df̂_s = 4 A f̂_s / (C_s rows) · dL    df = (df̂ − ⟨f̂, df̂⟩ f̂) / |f|        the teacher's with −A and C_t
 *
 * The three means of the second form cancel; as |A|² L is never negative, exactly 0 for equal maps, and so are its
 * gradients. The order of channels does not count, nor do their sizes and signs. A channel that is 0 (shorter than 1e-12)
 * has no pattern: it adds nothing to A, and its gradient is 0.
 *
 * A row takes channels · positions² operations and two tables of positions² numbers: pool large maps first.
 *
 * @param student `[rows, channels, height, width]`
 * @param teacher `[rows, channels', height, width]`: channels may differ
 * @returns a scalar
 * @see Huang & Wang, Like What You Like: Knowledge Distill via Neuron Selectivity Transfer (2017), arXiv 1707.01219, §4
 */
export function neuronSelectivityTransferLoss(student: Tensor, teacher: Tensor): Tensor {
  const op = "neuronSelectivityTransferLoss";
  const { rows, positions } = requireMaps(op, student, teacher);
  const k = student.kernels;
  const s = directionsOf(k, student.data, student.size / positions);
  const t = directionsOf(k, teacher.data, teacher.size / positions);
  const difference = differenceOf(k, s, t, rows);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    for (const entry of difference(row)) total += entry * entry;
  }
  const loss = k.alloc(1);
  loss[0] = total / rows;
  return record(
    op,
    loss,
    [],
    [
      wrt(student, (ds, dLoss) => addGradient(k, ds, s, t, rows, dLoss[0] / rows)),
      wrt(teacher, (dt, dLoss) => addGradient(k, dt, t, s, rows, dLoss[0] / rows)),
    ],
  );
}

/**
 * A, row by row, in a table that the next row is written over. Both means are summed up before they are
 * subtracted: equal ones then leave exactly 0.
 */
function differenceOf(
  k: Kernels,
  own: Directions,
  other: Directions,
  rows: number,
): (row: number) => Float64Array {
  const positions = own.units.length / own.lengths.length;
  const [ofOwn, ofOther] = [0, 0].map(() => k.wideRoom(positions * positions));
  return (row) => {
    meanPattern(ofOwn, own, rows, row);
    meanPattern(ofOther, other, rows, row);
    for (let i = 0; i < ofOwn.length; i++) ofOwn[i] -= ofOther[i];
    return ofOwn;
  };
}

/** table = (1/C) Σ_channels f̂ f̂ᵀ of a row. */
function meanPattern(table: Float64Array, { units, lengths }: Directions, rows: number, row: number): void {
  const channels = lengths.length / rows;
  const positions = units.length / lengths.length;
  table.fill(0);
  for (let channel = row * channels; channel < (row + 1) * channels; channel++) {
    const start = channel * positions;
    for (let i = 0; i < positions; i++) {
      const weight = units[start + i] / channels;
      for (let j = i; j < positions; j++) table[i * positions + j] += weight * units[start + j];
    }
  }
  for (let i = 0; i < positions; i++) {
    for (let j = 0; j < i; j++) table[i * positions + j] = table[j * positions + i];
  }
}

/** df += the gradient of the one whose patterns count positive in A, which is made once more. */
function addGradient(
  k: Kernels,
  df: Floats,
  own: Directions,
  other: Directions,
  rows: number,
  share: number,
): void {
  const { units, lengths } = own;
  const channels = lengths.length / rows;
  const positions = units.length / lengths.length;
  const difference = differenceOf(k, own, other, rows);
  const dUnits = k.wideRoom(units.length);
  for (let row = 0; row < rows; row++) {
    const table = difference(row);
    for (let channel = row * channels; channel < (row + 1) * channels; channel++) {
      const start = channel * positions;
      for (let i = 0; i < positions; i++) {
        let sum = 0;
        for (let j = 0; j < positions; j++) sum += table[i * positions + j] * units[start + j];
        dUnits[start + i] = ((4 * sum) / channels) * share;
      }
    }
  }
  addThroughDirections(df, dUnits, own);
}
