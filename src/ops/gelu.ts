import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { erfc, exp, sigmoid } from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { weighted } from "./weighted.ts";

export interface GeluOptions {
  /** `"tanh"` for the approximation that BERT and GPT-2 were trained with. Default `"none"`. */
  readonly approximation?: "none" | "tanh";
}

/**
 * A value times the probability that a standard normal number lies below it.
 *
 *     y  = x Φ(x)                        Φ(x) = ½ erfc(−x/√2)
 *     dx = (Φ(x) + x φ(x)) ⊙ dy          φ(x) = e^(−x²/2) / √(2π)
 *
 * and with `approximation: "tanh"`
 *
 *     y  = ½ x (1 + tanh u) = x σ(2u)    u = √(2/π) (x + 0.044715 x³)
 *     dx = (σ(2u) + x σ′(2u) 2u′) ⊙ dy   σ′(2u) = e / (1 + e)², e = e^−|2u|
 *
 * Far to the left the factor of x is a small number: erfc and σ keep its digits, 1 + erf and 1 + tanh would lose them.
 * −∞ gives 0 and the derivative 0, +∞ gives +∞ and the derivative 1.
 *
 * @see Hendrycks & Gimpel, Gaussian error linear units (2016), arXiv 1606.08415, §2
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  kernelsOf("gelu", x);
  return requireApproximation("gelu", options) === "none" ? exactGelu(x) : tanhGelu(x);
}

const ROOT_HALF = /* @__PURE__ */ Math.sqrt(0.5);
const INVERSE_ROOT_2PI = 0.3989422804014327;

function exactGelu(x: Tensor): Tensor {
  const values = x.data;
  const y = x.kernels.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = weighted(values[i], 0.5 * erfc(-values[i] * ROOT_HALF));
  return record("gelu", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) {
        const density = INVERSE_ROOT_2PI * exp(-0.5 * values[i] * values[i]);
        dx[i] += (0.5 * erfc(-values[i] * ROOT_HALF) + weighted(values[i], density)) * dy[i];
      }
    }),
  ]);
}

const TWICE_ROOT_2_OVER_PI = 1.5957691216057308;
const CUBIC = 0.044715;

function tanhGelu(x: Tensor): Tensor {
  const values = x.data;
  const y = x.kernels.alloc(x.size);
  const twiceU = (v: number): number => TWICE_ROOT_2_OVER_PI * (v + CUBIC * v * v * v);
  for (let i = 0; i < y.length; i++) y[i] = weighted(values[i], sigmoid(twiceU(values[i])));
  return record("gelu", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) {
        const v = values[i];
        const e = exp(-Math.abs(twiceU(v)));
        const growth = TWICE_ROOT_2_OVER_PI * (v + 3 * CUBIC * v * v * v);
        dx[i] += (sigmoid(twiceU(v)) + weighted(growth, e / ((1 + e) * (1 + e)))) * dy[i];
      }
    }),
  ]);
}

/** The approximation that the options choose. */
export function requireApproximation(where: string, options: GeluOptions): "none" | "tanh" {
  requireOptions(where, options, ["approximation"]);
  const { approximation = "none" } = options;
  if (approximation !== "none" && approximation !== "tanh") {
    throw new DistilgradError(
      "value",
      `${where}: approximation must be "none" or "tanh", got ${kindOf(approximation)}`,
    );
  }
  return approximation;
}
