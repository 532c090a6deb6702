import { requireOptions, requirePositive } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape, sizeOf } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { type NormOptions, normalizeRows, requireAffine } from "./normalization.ts";

export type { NormOptions };

/**
 * Brings the values of each row, or of each block of trailing axes, to mean 0 and variance 1.
 *
 *     m  = Σ x / n        r = 1 / √(Σ (x − m)² / n + ε)        x̂ = (x − m) r
 *     y  = w ⊙ x̂ + b
 *     dx = r (g − Σ g / n − x̂ Σ (g x̂) / n)        g = w ⊙ dy
 *     dw = Σ x̂ ⊙ dy over rows        db = Σ dy over rows
 *
 * The mean is taken away before squaring, so an offset common to a row costs no digits. A row of equal values is b.
 *
 * @param x `[…, n]`, or `[…, …shape]` where weight or bias has `shape`: a row is what it covers
 * @returns the shape of x; a row with NaN or ∞ becomes NaN, alone
 * @see Ba, Kiros & Hinton, Layer Normalization (2016), arXiv 1607.06450, §3
 */
export function layerNorm(x: Tensor, options: NormOptions = {}): Tensor {
  kernelsOf("layerNorm", x);
  requireOptions("layerNorm", options, ["weight", "bias", "epsilon"]);
  const { weight, bias, epsilon = 1e-5 } = options;
  requirePositive("layerNorm", "epsilon", epsilon);
  const affine = weight ?? bias;
  if (affine != null) kernelsOf("layerNorm", x, affine);
  const shape = x.shape.slice(-(affine?.shape.length || 1));
  requireAffine("layerNorm", x, options, shape, "weight and bias of the shape of the last axes of x");
  const n = sizeOf(shape);
  if (shape.length === 0 || n === 0) {
    throw new DistilgradError(
      "shape",
      `layerNorm: expected rows of at least one value, got x ${formatShape(x.shape)}`,
    );
  }
  return normalizeRows("layerNorm", x, n, n, { weight, bias, epsilon });
}
