import { argmaxRow } from "../kernels/rows.ts";
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
  // Kept in float64, so that the gradient is rounded only once.
  const [p, logP] = [k.wideRoom(x.size), k.wideRoom(x.size)];
  k.distribution(p, logP, values, rows, cols, 1);
  for (let row = 0; row < rows; row++) {
    const top = argmaxRow(values, row * cols, cols);
    const max = values[top];
    // Of the maximum itself, −log p is how far the result lies above it.
    y[row] = Math.abs(max) === Number.POSITIVE_INFINITY ? max : max - logP[top];
  }
  return record("logSumExp", y, x.shape.slice(0, -1), [
    wrt(x, (dx, dy) => {
      for (let row = 0, i = 0; row < rows; row++) {
        for (const end = i + cols; i < end; i++) dx[i] += p[i] * dy[row];
      }
    }),
  ]);
}
