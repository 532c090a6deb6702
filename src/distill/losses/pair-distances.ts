/** Floor 4: distances between rows, for losses that are functions of these alone. */
import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { shortestLength } from "./directions.ts";

/** Of each pair of rows i < j, at i · rows + j and at j · rows + i. */
export interface PairDistances {
  readonly rows: number;
  /** |x_i − x_j|² */
  readonly squares: Float64Array;
  /** |x_i − x_j|. Both are 0 where it is below 1e-12: such rows count as equal. */
  readonly lengths: Float64Array;
}

/** Sums of squared differences: |x_i|² + |x_j|² − 2 ⟨x_i, x_j⟩ would cancel where rows are close. */
export function pairDistances(k: Kernels, x: Floats, rows: number): PairDistances {
  const width = x.length / rows;
  const [squares, lengths] = [0, 0].map(() => k.wideRoom(rows * rows).fill(0));
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      let sum = 0;
      for (let c = 0; c < width; c++) {
        const difference = x[i * width + c] - x[j * width + c];
        sum += difference * difference;
      }
      const length = Math.sqrt(sum);
      if (length < shortestLength) continue;
      for (const at of [i * rows + j, j * rows + i]) {
        squares[at] = sum;
        lengths[at] = length;
      }
    }
  }
  return { rows, squares, lengths };
}

/**
 * dx_i += Σ_j 2 g_ij (x_i − x_j)
 *
 * @param g dL/d|x_i − x_j|² of each pair, at i · rows + j for i < j
 */
export function addThroughSquares(dx: Floats, g: Float64Array, x: Floats, rows: number): void {
  const width = x.length / rows;
  const sums = new Float64Array(width);
  for (let i = 0; i < rows; i++) {
    sums.fill(0);
    for (let j = 0; j < rows; j++) {
      if (i === j) continue;
      const slope = 2 * g[i < j ? i * rows + j : j * rows + i];
      for (let c = 0; c < width; c++) sums[c] += slope * (x[i * width + c] - x[j * width + c]);
    }
    for (let c = 0; c < width; c++) dx[i * width + c] += sums[c];
  }
}

/** Huber's function with δ = 1: ½ d² up to 1, |d| − ½ beyond. */
export function huberOf(difference: number): number {
  const size = Math.abs(difference);
  const inside = Math.min(size, 1);
  return inside * (size - inside / 2);
}

/** Its derivative: the difference, cut to [−1, 1]. */
export const huberSlope = (difference: number): number => Math.max(-1, Math.min(difference, 1));
