import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import {
  addChordGradient,
  type Directions,
  directionsOf,
  halfSquaredChord,
  shortestLength,
} from "./directions.ts";
import { type Maps, requireMaps } from "./operands.ts";

/**
 * How far the places that the student's maps respond to are from those of the teacher's: channels are summed up, and only
 * the distribution over positions is compared.
 *
 *     Q  = Σ_channels F², as a vector of positions    Q̂ = Q / |Q|        of each row, for student and teacher
 *     L  = (1/rows) Σ_rows ½ |Q̂_s − Q̂_t|²
 *     dQ = (Q̂_s − Q̂_t − ⟨Q̂_s, Q̂_s − Q̂_t⟩ Q̂_s) / (|Q_s| rows) · dL    dF = 2 F dQ        the teacher's likewise
 *
 * From 0 to 1, as no entry of Q is negative; exactly 0, with gradients of 0, for equal maps. Maps that are 0 everywhere
 * (|Q| below 1e-24) respond nowhere: their Q̂ is 0, so that the row's loss is ½, or 0 where both are; its gradients are
 * 0.
 * The paper's β, usually 1e3 divided by the number of values in Q, is the caller's weight.
 *
 * @param student `[rows, channels, height, width]`
 * @param teacher `[rows, channels', height, width]`: channels may differ
 * @returns a scalar
 * @see Zagoruyko & Komodakis, Paying More Attention to Attention (2017), arXiv 1612.03928, §3.1, equation 2
 */
export function attentionTransferLoss(student: Tensor, teacher: Tensor): Tensor {
  const maps = requireMaps("attentionTransferLoss", student, teacher);
  const { rows } = maps;
  const k = student.kernels;
  const s = attentionOf(k, student.data, maps);
  const t = attentionOf(k, teacher.data, maps);
  let total = 0;
  for (let row = 0; row < rows; row++) total += halfSquaredChord(s, t, row);
  const loss = k.alloc(1);
  loss[0] = total / rows;
  return record(
    "attentionTransferLoss",
    loss,
    [],
    [
      wrt(student, (ds, dLoss) => addGradient(k, ds, student.data, s, t, dLoss[0] / rows)),
      wrt(teacher, (dt, dLoss) => addGradient(k, dt, teacher.data, t, s, dLoss[0] / rows)),
    ],
  );
}

/** Q̂ and |Q| of each row. */
function attentionOf(k: Kernels, f: Floats, { rows, positions }: Maps): Directions {
  const q = k.wideRoom(rows * positions).fill(0);
  const size = f.length / rows;
  for (let row = 0, i = 0; row < rows; row++) {
    for (const end = i + size; i < end; ) {
      for (let at = row * positions; at < (row + 1) * positions; at++, i++) q[at] += f[i] * f[i];
    }
  }
  return directionsOf(k, q, rows, shortestLength * shortestLength);
}

/** dF += 2 F dQ */
function addGradient(
  k: Kernels,
  df: Floats,
  f: Floats,
  own: Directions,
  other: Directions,
  share: number,
): void {
  const [rows, size] = [own.lengths.length, own.units.length];
  const [positions, perRow] = [size / rows, f.length / rows];
  const dq = k.wideRoom(size).fill(0);
  addChordGradient(dq, own, other, share);
  for (let row = 0, i = 0; row < rows; row++) {
    for (const end = i + perRow; i < end; ) {
      for (let at = row * positions; at < (row + 1) * positions; at++, i++) df[i] += 2 * f[i] * dq[at];
    }
  }
}
