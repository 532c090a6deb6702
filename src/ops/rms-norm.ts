import { requireOptions, requirePositive } from "../arguments.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { addFolded, type NormOptions, repeated, requireAffine } from "./normalization.ts";
import { rowsOf } from "./operands.ts";

/** As for the other norms, without a bias. ε joins the mean square; its default is 1e-6. */
export type RmsNormOptions = Omit<NormOptions, "bias">;

/**
 * Brings the values of each row to a mean square of 1, without taking their mean away.
 *
 *     r  = 1 / √(Σ x² / n + ε)        x̂ = r x
 *     y  = w ⊙ x̂
 *     dx = r (g − x̂ Σ (g x̂) / n)        g = w ⊙ dy
 *     dw = Σ x̂ ⊙ dy over rows
 *
 * A row of zeros is 0, and has a finite derivative, because ε > 0.
 *
 * @param x `[…, n]`
 * @param options.weight `[n]`
 * @returns `[…, n]`; a row with NaN becomes NaN, alone; ∞ becomes NaN and what is beside it 0
 * @see Zhang & Sennrich, Root Mean Square Layer Normalization (2019), arXiv 1910.07467, §4
 */
export function rmsNorm(x: Tensor, options: RmsNormOptions = {}): Tensor {
  const { rows, cols: n } = rowsOf("rmsNorm", x);
  requireOptions("rmsNorm", options, ["weight", "epsilon"]);
  const { weight, epsilon = 1e-6 } = options;
  requirePositive("rmsNorm", "epsilon", epsilon);
  requireAffine("rmsNorm", x, { weight }, [n], "weight [n] for x […, n]");

  const values = x.data;
  const w = repeated(weight, n, 1);
  const scales = new Float64Array(rows); // r
  const y = x.kernels.alloc(x.size);
  for (let row = 0, start = 0; row < rows; row++, start += n) {
    let squares = 0;
    for (let i = start; i < start + n; i++) squares += values[i] * values[i];
    const scale = 1 / Math.sqrt(squares / n + epsilon);
    for (let j = 0; j < n; j++) y[start + j] = values[start + j] * scale * w[j];
    scales[row] = scale;
  }

  const partials = [
    wrt(x, (dx, dy) => {
      for (let row = 0, start = 0; row < rows; row++, start += n) {
        const scale = scales[row];
        let dot = 0; // Σ g x̂
        for (let j = 0; j < n; j++) dot += w[j] * dy[start + j] * values[start + j] * scale;
        const slope = dot / n;
        for (let j = 0; j < n; j++) {
          dx[start + j] += scale * (w[j] * dy[start + j] - values[start + j] * scale * slope);
        }
      }
    }),
  ];
  if (weight) {
    partials.push(
      wrt(weight, (dw, dy) => {
        const sums = new Float64Array(n);
        for (let row = 0, start = 0; row < rows; row++, start += n) {
          for (let j = 0; j < n; j++) sums[j] += values[start + j] * scales[row] * dy[start + j];
        }
        addFolded(dw, sums);
      }),
    );
  }
  return record("rmsNorm", y, x.shape, partials);
}
