/** Floor 2: what the norms share: what they can be told, and how rows are brought to mean 0 and variance 1. */
import { DistilgradError } from "../errors.ts";
import type { Floats } from "../kernels/kernels.ts";
import { formatShape, type Shape, sameShape } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

export interface NormOptions {
  /** w, what normalised values are multiplied by. Default: none, which null says as well. */
  readonly weight?: Tensor | null | undefined;
  /** b, what is added then. Default: none, which null says as well. */
  readonly bias?: Tensor | null | undefined;
  /** ε > 0, added to the variance: values that are all equal become b, not NaN. Default 1e-5. */
  readonly epsilon?: number | undefined;
}

/** Requires a weight and a bias, where there are any, of one shape; `expected` says in words which. */
export function requireAffine(
  op: string,
  x: Tensor,
  { weight, bias }: NormOptions,
  shape: Shape,
  expected: string,
): void {
  kernelsOf(op, x, ...[weight, bias].filter((operand) => operand != null));
  const fits = (operand: Tensor | null | undefined): boolean => !operand || sameShape(operand.shape, shape);
  if (fits(weight) && fits(bias)) return;
  const parts = [`x ${formatShape(x.shape)}`];
  if (weight) parts.push(`weight ${formatShape(weight.shape)}`);
  if (bias) parts.push(`bias ${formatShape(bias.shape)}`);
  throw new DistilgradError("shape", `${op}: expected ${expected}, got ${parts.join(", ")}`);
}

/** The entries of a weight or a bias, each as often as makes `size` numbers; `otherwise` where there is none. */
export function repeated(operand: Tensor | null | undefined, size: number, otherwise: number): Float64Array {
  const values = new Float64Array(size).fill(otherwise);
  if (!operand) return values;
  const repeats = size / operand.size;
  for (let c = 0; c < operand.size; c++) values.fill(operand.data[c], c * repeats, (c + 1) * repeats);
  return values;
}

/**
 * Rows of n values at mean 0 and variance 1, then scaled and shifted.
 *
 *     m  = Σ x / n        r = 1 / √(Σ (x − m)² / n + ε)        x̂ = (x − m) r
 *     y  = w x̂ + b
 *     dx = r (g − Σ g / n − x̂ Σ (g x̂) / n)        g = w dy
 *     dw = Σ x̂ dy        db = Σ dy        over whatever shares an entry of w and b
 *
 * The variance is that of differences from the mean: Σ x² / n − m² would cancel. x̂ is worked out again on the way back,
 * from x and two numbers a row; beside these, w and b are kept in float64, written out over a period.
 *
 * @param n the length of a row
 * @param period after how many values of x the entries of w and b start over: each serves period / its size values
 */
export function normalizeRows(
  op: string,
  x: Tensor,
  n: number,
  period: number,
  { weight, bias, epsilon }: NormOptions & { readonly epsilon: number },
): Tensor {
  const values = x.data;
  const rows = x.size / n;
  const [w, b] = [repeated(weight, period, 1), repeated(bias, period, 0)];
  const [means, scales] = [new Float64Array(rows), new Float64Array(rows)]; // m, r
  const y = x.kernels.alloc(x.size);
  for (let row = 0, start = 0; row < rows; row++, start += n) {
    const end = start + n;
    let sum = 0;
    for (let i = start; i < end; i++) sum += values[i];
    const mean = sum / n;
    let squares = 0;
    for (let i = start; i < end; i++) squares += (values[i] - mean) * (values[i] - mean);
    const scale = 1 / Math.sqrt(squares / n + epsilon);
    for (let i = start, j = start % period; i < end; i++, j++)
      y[i] = (values[i] - mean) * scale * w[j] + b[j];
    means[row] = mean;
    scales[row] = scale;
  }

  const partials = [
    wrt(x, (dx, dy) => {
      for (let row = 0, start = 0; row < rows; row++, start += n) {
        const end = start + n;
        const [mean, scale] = [means[row], scales[row]];
        let sum = 0; // Σ g
        let dot = 0; // Σ g x̂
        for (let i = start, j = start % period; i < end; i++, j++) {
          const g = w[j] * dy[i];
          sum += g;
          dot += g * (values[i] - mean) * scale;
        }
        const [offset, slope] = [sum / n, dot / n];
        for (let i = start, j = start % period; i < end; i++, j++) {
          dx[i] += scale * (w[j] * dy[i] - offset - (values[i] - mean) * scale * slope);
        }
      }
    }),
  ];
  if (weight) {
    partials.push(
      wrt(weight, (dw, dy) => {
        const sums = new Float64Array(period);
        for (let row = 0, start = 0; row < rows; row++, start += n) {
          const [mean, scale] = [means[row], scales[row]];
          for (let i = start, j = start % period; i < start + n; i++, j++) {
            sums[j] += (values[i] - mean) * scale * dy[i];
          }
        }
        addFolded(dw, sums);
      }),
    );
  }
  if (bias) {
    partials.push(
      wrt(bias, (db, dy) => {
        const sums = new Float64Array(period);
        for (let start = 0; start < dy.length; start += period) {
          for (let j = 0; j < period; j++) sums[j] += dy[start + j];
        }
        addFolded(db, sums);
      }),
    );
  }
  return record(op, y, x.shape, partials);
}

/** d += Σ over the neighbours in `sums` that stand for one entry: the adjoint of `repeated`. */
export function addFolded(d: Floats, sums: Float64Array): void {
  const repeats = sums.length / d.length;
  for (let c = 0, j = 0; c < d.length; c++) {
    let sum = 0;
    for (const end = j + repeats; j < end; j++) sum += sums[j];
    d[c] += sum;
  }
}
