import { argmaxRow, logSumExpAbove } from "../kernels/rows.ts";
import { exp } from "../math.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { rowsOf } from "./operands.ts";

/**
 * The logarithm of the sum of exponentials along the last axis: a smooth maximum.
 *
 *     y  = max x + log Σ exp(x − max x)
 *     dx = softmax(x) · dy
 *
 * It lies between max x and max x + log classes. An infinite maximum is the value; there is no gradient then (NaN).
 *
 * @param x `[…, classes]`
 * @returns `[…]`
 * @see Boyd & Vandenberghe, Convex Optimization (2004), §3.1.5
 */
export function logSumExp(x: Tensor): Tensor {
  const { rows, cols } = rowsOf("logSumExp", x);
  const k = x.kernels;
  const values = x.data;
  const y = k.alloc(rows);
  // Maximum and distance stay apart for the derivative: their sum would round away what is left of a small distance.
  const max = new Float64Array(rows);
  const above = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const top = argmaxRow(values, row * cols, cols);
    max[row] = values[top];
    above[row] = logSumExpAbove(values, row * cols, cols, top, 1);
    y[row] = Math.abs(max[row]) === Number.POSITIVE_INFINITY ? max[row] : max[row] + above[row];
  }
  return record("logSumExp", y, x.shape.slice(0, -1), [
    wrt(x, (dx, dy) => {
      for (let row = 0, i = 0; row < rows; row++) {
        for (const end = i + cols; i < end; i++) dx[i] += exp(values[i] - max[row] - above[row]) * dy[row];
      }
    }),
  ]);
}
