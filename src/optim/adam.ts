import { requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { Floats } from "../kernels/kernels.ts";
import { integerPower } from "../math.ts";
import type { NamedTensors } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, requireAtLeast0, requireFraction } from "./optimizer.ts";

export interface AdamOptions {
  /** η ≥ 0, per step. Default 1e-3. */
  readonly learningRate?: number;
  /** β₁ in [0, 1): how slowly the mean gradient changes. Default 0.9. */
  readonly beta1?: number;
  /** β₂ in [0, 1): how slowly the mean square changes. Default 0.999. */
  readonly beta2?: number;
  /** ε > 0: keeps the step finite where gradients vanish. Default 1e-8. */
  readonly epsilon?: number;
  /** λ ≥ 0: adds λ·w to the gradient, before the moments. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Adam: each weight moves by its mean gradient over the root of its mean square.
 *
 *     g' = g + λ w
 *     m  ← β₁ m + (1 − β₁) g'          v ← β₂ v + (1 − β₂) g'²
 *     w  ← w − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 *
 * t counts the steps of each parameter, so that one unfrozen late starts with its own bias correction.
 *
 * @see Kingma & Ba, Adam: A Method for Stochastic Optimization (2015), arXiv 1412.6980, Algorithm 1
 */
export class Adam extends Optimizer {
  protected override readonly rule = "Adam";
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #decay: number;
  /** 1 − β₁ᵗ and 1 − β₂ᵗ of the last t that was asked for: parameters mostly step together. */
  #correction = { steps: 0, first: 0, second: 0 };

  constructor(parameters: NamedTensors, options: AdamOptions = {}) {
    requireOptions("Adam", options, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay"]);
    super(parameters, options.learningRate ?? 1e-3, ["m", "v"]);
    this.#beta1 = requireFraction("beta1", options.beta1 ?? 0.9);
    this.#beta2 = requireFraction("beta2", options.beta2 ?? 0.999);
    this.#epsilon = requireAtLeast0("epsilon", options.epsilon ?? 1e-8);
    this.#decay = requireAtLeast0("weightDecay", options.weightDecay ?? 0);
    if (this.#epsilon === 0) {
      throw new DistilgradError(
        "value",
        "optimizer: epsilon must be above 0, or a zero gradient gives 0 / 0",
      );
    }
  }

  protected override move(name: string, parameter: Tensor, gradient: Floats, steps: number): void {
    if (this.#correction.steps !== steps) {
      const first = 1 - integerPower(this.#beta1, steps);
      const second = 1 - integerPower(this.#beta2, steps);
      this.#correction = { steps, first, second };
    }
    parameter.kernels.adamStep(parameter.data, gradient, this.buffer("m", name), this.buffer("v", name), {
      rate: this.learningRate / this.#correction.first,
      beta1: this.#beta1,
      beta2: this.#beta2,
      epsilon: this.#epsilon,
      decay: this.#decay,
      root: Math.sqrt(this.#correction.second),
    });
  }
}
