/**
 * Floor 0: class c kernels along rows. Everything is float64 inside and rounded once at the store, so one loop serves
 * both precisions.
 */
import { exp, log1p } from "../math.ts";
import type { Floats, Kernels } from "./kernels.ts";
import { dot, sum } from "./sums.ts";

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
 * powers = exp((x − x[top]) / T), along a row that begins at `start` and whose maximum stands at `top`.
 *
 * The difference is taken before the division, so that a small T cannot overflow.
 *
 * @returns the sum of all powers but that of the maximum, which is exactly 1; NaN where the maximum is infinite or NaN.
 *   Apart from the 1 the rest keeps every digit: a row that is sure of its class has a loss of 1e-20, not 0.
 */
function powersOfRow(
  powers: Float64Array,
  x: Floats,
  start: number,
  top: number,
  temperature: number,
): number {
  const max = x[top];
  for (let j = 0; j < powers.length; j++) powers[j] = exp((x[start + j] - max) / temperature);
  powers[top - start] = 0;
  const rest = sum(powers, 0, powers.length);
  powers[top - start] = 1;
  return rest + (max - max);
}

export const rows = {
  sum: (x) => sum(x, 0, x.length),
  dot: (x, y) => dot(x, y, 0, x.length),

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
      const share = 1 / (1 + powersOfRow(powers, x, start, argmaxRow(x, start, cols), 1));
      for (let j = 0; j < cols; j++) y[start + j] = powers[j] * share;
    }
  },
  softmaxBackward(dx, y, dy, rows, cols) {
    for (let start = 0; start < rows * cols; start += cols) {
      const total = dot(dy, y, start, start + cols); // ⟨dy, y⟩
      for (let i = start; i < start + cols; i++) dx[i] += y[i] * (dy[i] - total);
    }
  },

  logSoftmax(y, x, rows, cols) {
    const powers = new Float64Array(cols);
    for (let start = 0; start < rows * cols; start += cols) {
      const top = argmaxRow(x, start, cols);
      const above = log1p(powersOfRow(powers, x, start, top, 1));
      for (let i = start; i < start + cols; i++) y[i] = x[i] - x[top] - above;
    }
  },
  logSoftmaxBackward(dx, y, dy, rows, cols) {
    for (let start = 0; start < rows * cols; start += cols) {
      const total = sum(dy, start, start + cols); // Σ dy
      for (let i = start; i < start + cols; i++) dx[i] += dy[i] - exp(y[i]) * total;
    }
  },

  distribution(p, logP, x, rows, cols, temperature) {
    const powers = new Float64Array(cols);
    for (let start = 0; start < rows * cols; start += cols) {
      const top = argmaxRow(x, start, cols);
      const rest = powersOfRow(powers, x, start, top, temperature);
      const share = 1 / (1 + rest);
      const above = log1p(rest);
      for (let j = 0, i = start; j < cols; j++, i++) {
        p[i] = powers[j] * share;
        logP[i] = (x[i] - x[top]) / temperature - above;
      }
    }
  },
} satisfies Partial<Kernels>;
