/**
 * Floor 0: class c kernels along rows. Everything is float64 inside, in ascending order, and rounded once at the
 * store, so one loop serves both precisions.
 */
import { exp, log1p } from "../math.ts";
import type { Floats, Kernels } from "./kernels.ts";

/** Where the largest value of a row stands: the first of equals; the first NaN, if there is one, wins. */
export function argmaxRow(x: Floats, start: number, cols: number): number {
  let best = start;
  for (let i = start; i < start + cols; i++) {
    if (x[i] > x[best]) best = i;
    else if (Number.isNaN(x[i])) return i;
  }
  return best;
}

/**
 * How far log Σ exp of a row lies above the row's maximum: log Σ exp((x − x[top]) / T), between 0 and log cols.
 *
 * The maximum contributes exactly 1 and is left to log1p, which keeps every digit of the rest: a row that is sure of
 * its class has a loss of 1e-20, not 0. The difference is taken before the division, so that a small T cannot overflow.
 */
export function logSumExpAbove(
  x: Floats,
  start: number,
  cols: number,
  top: number,
  temperature: number,
): number {
  const max = x[top];
  let rest = 0;
  for (let i = start; i < start + cols; i++) if (i !== top) rest += exp((x[i] - max) / temperature);
  // A row whose maximum is infinite or NaN has no such distance.
  return max - max === 0 ? log1p(rest) : Number.NaN;
}

export const rows = {
  sumRows(db, dy, rows) {
    const cols = db.length;
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let i = j; i < rows * cols; i += cols) sum += dy[i];
      db[j] += sum;
    }
  },

  softmax(y, x, rows, cols) {
    const powers = new Float64Array(cols); // not in y, where they would be rounded
    for (let start = 0; start < rows * cols; start += cols) {
      const max = x[argmaxRow(x, start, cols)];
      let sum = 0;
      for (let j = 0; j < cols; j++) sum += powers[j] = exp(x[start + j] - max);
      for (let j = 0; j < cols; j++) y[start + j] = powers[j] / sum;
    }
  },
  softmaxBackward(dx, y, dy, rows, cols) {
    for (let start = 0; start < rows * cols; start += cols) {
      const end = start + cols;
      let dot = 0; // ⟨dy, y⟩
      for (let i = start; i < end; i++) dot += dy[i] * y[i];
      for (let i = start; i < end; i++) dx[i] += y[i] * (dy[i] - dot);
    }
  },

  logSoftmax(y, x, rows, cols) {
    for (let start = 0; start < rows * cols; start += cols) {
      const top = argmaxRow(x, start, cols);
      const max = x[top];
      const above = logSumExpAbove(x, start, cols, top, 1);
      for (let i = start; i < start + cols; i++) y[i] = x[i] - max - above;
    }
  },
  logSoftmaxBackward(dx, y, dy, rows, cols) {
    for (let start = 0; start < rows * cols; start += cols) {
      const end = start + cols;
      let total = 0; // Σ dy
      for (let i = start; i < end; i++) total += dy[i];
      for (let i = start; i < end; i++) dx[i] += dy[i] - exp(y[i]) * total;
    }
  },
} satisfies Partial<Kernels>;
