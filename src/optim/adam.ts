import { integerPower } from "../math.ts";
import { Optimizer, type ParameterUpdate } from "./optimizer.ts";
import {
  type GroupedParameters,
  requireAtLeast0,
  requireEpsilon,
  requireFraction,
  type SettingsTable,
} from "./settings.ts";

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

/** What Adam and AdamW can be told. */
export const adamSettings = {
  beta1: [0.9, requireFraction],
  beta2: [0.999, requireFraction],
  epsilon: [1e-8, requireEpsilon],
  weightDecay: [0, requireAtLeast0],
} as const satisfies SettingsTable<AdamOptions>;

/** What Adam and AdamW share: the two means, and the step. */
export abstract class AdamRule extends Optimizer<AdamOptions> {
  /** 1 − β₁ᵗ and 1 − β₂ᵗ as last asked for: the parameters of a group mostly step together. */
  #correction: { settings?: object; steps: number; first: number; second: number } = {
    steps: 0,
    first: 0,
    second: 0,
  };

  protected override start(): { m: number; v: number } {
    return { m: 0, v: 0 };
  }

  /** Adam's step with the gradient g + `decay` · w. */
  protected adapt(update: ParameterUpdate<AdamOptions>, decay: number): void {
    const { w, g, kernels, running, settings, rate, steps } = update;
    const { beta1, beta2, epsilon } = settings;
    if (this.#correction.settings !== settings || this.#correction.steps !== steps) {
      const first = 1 - integerPower(beta1, steps);
      const second = 1 - integerPower(beta2, steps);
      this.#correction = { settings, steps, first, second };
    }
    const { first, second } = this.#correction;
    kernels.adamStep(w, g, running.m, running.v, {
      rate: rate / first,
      beta1,
      beta2,
      epsilon,
      decay,
      root: Math.sqrt(second),
    });
  }
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
export class Adam extends AdamRule {
  constructor(parameters: GroupedParameters<AdamOptions>, options: AdamOptions = {}) {
    super("Adam", parameters, options, adamSettings, 1e-3);
  }

  protected override move(update: ParameterUpdate<AdamOptions>): void {
    this.adapt(update, update.settings.weightDecay);
  }
}
