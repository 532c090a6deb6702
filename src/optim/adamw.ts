import { roundingOf } from "../kernels/rounding.ts";
import { type AdamOptions, AdamRule, adamSettings } from "./adam.ts";
import type { ParameterUpdate } from "./optimizer.ts";
import { type GroupedParameters, requireAtLeast0 } from "./settings.ts";

export interface AdamWOptions extends AdamOptions {
  /** λ ≥ 0: shrinks every weight by the factor 1 − η λ, beside Adam's step. Default 0.01. */
  readonly weightDecay?: number;
}

/**
 * Adam with the decay of the weights decoupled from their gradients.
 *
 *     w  ← (1 − η λ) w
 *     m  ← β₁ m + (1 − β₁) g           v ← β₂ v + (1 − β₂) g²
 *     w  ← w − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 *
 * In Adam λ w is part of what is divided by √v, so that weights with large gradients decay less; here all decay alike.
 *
 * @see Loshchilov & Hutter, Decoupled Weight Decay Regularization (2019), arXiv 1711.05101, Algorithm 2; the rate is in
 *   the factor as in PyTorch
 */
export class AdamW extends AdamRule {
  constructor(parameters: GroupedParameters<AdamWOptions>, options: AdamWOptions = {}) {
    super("AdamW", parameters, options, { ...adamSettings, weightDecay: [0.01, requireAtLeast0] }, 1e-3);
  }

  protected override move(update: ParameterUpdate<AdamWOptions>): void {
    const { w, kernels, settings, rate } = update;
    kernels.scale(w, roundingOf(kernels)(1 - rate * settings.weightDecay), w);
    this.adapt(update, 0);
  }
}
