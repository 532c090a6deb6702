import { roundingOf } from "../kernels/rounding.ts";
import { Optimizer, type ParameterUpdate } from "./optimizer.ts";
import { type GroupedParameters, requireAtLeast0, requireFraction, type SettingsTable } from "./settings.ts";

export interface LionOptions {
  /** η ≥ 0, how far every weight moves at every step; a third to a tenth of Adam's serves. Default 1e-4. */
  readonly learningRate?: number;
  /** β₁ in [0, 1): the share of the mean gradient in the direction of the step. Default 0.9. */
  readonly beta1?: number;
  /** β₂ in [0, 1): how slowly the mean gradient changes. Default 0.99. */
  readonly beta2?: number;
  /** λ ≥ 0: shrinks every weight by the factor 1 − η λ, beside the step. Default 0. */
  readonly weightDecay?: number;
}

const lionSettings: SettingsTable<LionOptions> = {
  beta1: [0.9, requireFraction],
  beta2: [0.99, requireFraction],
  weightDecay: [0, requireAtLeast0],
};

/**
 * Lion: each weight moves by the sign of its mean gradient, all equally far.
 *
 *     c = β₁ m + (1 − β₁) g
 *     w ← w − η (sign c + λ w)         sign 0 = 0
 *     m ← β₂ m + (1 − β₂) g
 *
 * Half the memory of Adam. In float32 every operation rounds, in the order of the formula.
 *
 * @see Chen et al., Symbolic Discovery of Optimization Algorithms (2023), arXiv 2302.06675, Algorithm 2
 */
export class Lion extends Optimizer<LionOptions> {
  constructor(parameters: GroupedParameters<LionOptions>, options: LionOptions = {}) {
    super("Lion", parameters, options, lionSettings, 1e-4);
  }

  protected override start(): { m: number } {
    return { m: 0 };
  }

  protected override move(update: ParameterUpdate<LionOptions>): void {
    const { w, g, kernels, settings, rate } = update;
    const { m } = update.running;
    const round = roundingOf(kernels);
    const eta = round(rate);
    const [beta1, rest1] = [round(settings.beta1), round(1 - settings.beta1)];
    const [beta2, rest2] = [round(settings.beta2), round(1 - settings.beta2)];
    const decay = round(settings.weightDecay);
    for (let i = 0; i < w.length; i++) {
      const mean = m[i];
      const slope = g[i];
      const weight = w[i];
      const direction = round(round(beta1 * mean) + round(rest1 * slope)); // c
      m[i] = round(beta2 * mean) + round(rest2 * slope);
      w[i] = weight - round(eta * round(Math.sign(direction) + round(decay * weight)));
    }
  }
}
