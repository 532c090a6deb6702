import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import {
  addChordGradient,
  type Directions,
  directionsOf,
  halfSquaredChord,
  shortestLength,
} from "./directions.ts";
import { requireSameRows } from "./operands.ts";

/**
 * Whether rows that are similar for the teacher are similar for the student: the two tables of inner products, each of
 * their rows at length 1.
 *
 *     G  = F Fᵀ    Ĝ_i = G_i / |G_i|        of each row i of G, for student and teacher; rows of F flattened
 *     L  = (1/rows²) Σ (Ĝ_s − Ĝ_t)²
 *     dG_i = 2 (Ĝ_s − Ĝ_t − ⟨Ĝ_s, Ĝ_s − Ĝ_t⟩ Ĝ_s)_i / (|G_s,i| rows²) · dL
 *     dF   = (dG + dGᵀ) F        the teacher's likewise
 *
 * Features of any width compare with features of any other. L is 0, and its gradients are, for equal features; a factor
 * common to all rows of either changes nothing. A row of G shorter than 1e-24, which belongs to a row of F that is 0,
 * counts as 0: its part of L is 1/rows², or 0 where both models have none, and its gradients are 0. L of one row is 0.
 *
 * Each value rests on all rows of a batch: means over parts of a batch do not add up to its loss.
 *
 * @param student `[rows, …]`
 * @param teacher `[rows, …]`, a row of whatever shape
 * @returns a scalar
 * @see Tung & Mori, Similarity-Preserving Knowledge Distillation (2019), arXiv 1907.09682, §3, equations 1 to 4
 */
export function similarityPreservingLoss(student: Tensor, teacher: Tensor): Tensor {
  const rows = requireSameRows("similarityPreservingLoss", student, teacher);
  const k = student.kernels;
  const s = similarities(k, student.data, rows);
  const t = similarities(k, teacher.data, rows);
  let total = 0;
  for (let row = 0; row < rows; row++) total += halfSquaredChord(s, t, row);
  const loss = k.alloc(1);
  loss[0] = (2 * total) / (rows * rows);
  const share = 2 / (rows * rows);
  return record(
    "similarityPreservingLoss",
    loss,
    [],
    [
      wrt(student, (ds, dLoss) => addGradient(k, ds, student.data, s, t, share * dLoss[0])),
      wrt(teacher, (dt, dLoss) => addGradient(k, dt, teacher.data, t, s, share * dLoss[0])),
    ],
  );
}

/** Ĝ, and the lengths of the rows of G. */
function similarities(k: Kernels, f: Floats, rows: number): Directions {
  const width = f.length / rows;
  const g = k.wideRoom(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = i; j < rows; j++) {
      let dot = 0;
      for (let c = 0; c < width; c++) dot += f[i * width + c] * f[j * width + c];
      g[i * rows + j] = dot;
      g[j * rows + i] = dot;
    }
  }
  return directionsOf(k, g, rows, shortestLength * shortestLength);
}

/** dF += (dG + dGᵀ) F */
function addGradient(
  k: Kernels,
  df: Floats,
  f: Floats,
  own: Directions,
  other: Directions,
  share: number,
): void {
  const rows = own.lengths.length;
  const width = f.length / rows;
  const dg = k.wideRoom(rows * rows).fill(0);
  addChordGradient(dg, own, other, share);
  const sums = new Float64Array(width);
  for (let i = 0; i < rows; i++) {
    sums.fill(0);
    for (let j = 0; j < rows; j++) {
      const slope = dg[i * rows + j] + dg[j * rows + i];
      for (let c = 0; c < width; c++) sums[c] += slope * f[j * width + c];
    }
    for (let c = 0; c < width; c++) df[i * width + c] += sums[c];
  }
}
