import { roundingOf } from "../kernels/rounding.ts";
import { Optimizer, type ParameterUpdate } from "./optimizer.ts";
import {
  type GroupedParameters,
  requireAtLeast0,
  requireEpsilon,
  requireFlag,
  requireFraction,
  type Settings,
  type SettingsTable,
} from "./settings.ts";

export interface RMSPropOptions {
  /** η ≥ 0, per step. Default 0.01. */
  readonly learningRate?: number;
  /** α in [0, 1): how slowly the mean square changes. Default 0.99. */
  readonly smoothing?: number;
  /** ε > 0: keeps the step finite where gradients vanish; outside the root. Default 1e-8. */
  readonly epsilon?: number;
  /** μ in [0, 1): how much of the last step is kept. Default 0. */
  readonly momentum?: number;
  /** Divides by the deviation from the mean gradient instead of by the root of the mean square. Default false. */
  readonly centered?: boolean;
  /** λ ≥ 0: adds λ·w to the gradient. Default 0. */
  readonly weightDecay?: number;
}

const rmsPropSettings: SettingsTable<RMSPropOptions> = {
  smoothing: [0.99, requireFraction],
  epsilon: [1e-8, requireEpsilon],
  momentum: [0, requireFraction],
  centered: [false, requireFlag],
  weightDecay: [0, requireAtLeast0],
};

/**
 * RMSProp: each weight moves by its gradient over the root of its mean square, as PyTorch defines it.
 *
 *     g' = g + λ w
 *     v  ← α v + (1 − α) g'²
 *     u  ← μ u + g' / (√v + ε)         centered: m ← α m + (1 − α) g', and √(v − m²) for √v
 *     w  ← w − η u
 *
 * v − m² is a variance; where rounding makes it negative, it is 0. In float32 every operation rounds, in the order of
 * the formula, (1 − α) g'² from the left.
 *
 * @see Hinton, Neural Networks for Machine Learning (2012), lecture 6e; Graves (2013), arXiv 1308.0850, equations 38–45
 *   (centered)
 */
export class RMSProp extends Optimizer<RMSPropOptions> {
  constructor(parameters: GroupedParameters<RMSPropOptions>, options: RMSPropOptions = {}) {
    super("RMSProp", parameters, options, rmsPropSettings, 1e-2);
  }

  protected override start({ momentum, centered }: Settings<RMSPropOptions>): Record<string, number> {
    return { v: 0, ...(centered && { m: 0 }), ...(momentum > 0 && { u: 0 }) };
  }

  protected override move({ w, g, kernels, running, settings, rate }: ParameterUpdate<RMSPropOptions>): void {
    const round = roundingOf(kernels);
    const { v, m, u } = running;
    const eta = round(rate);
    const kept = round(settings.smoothing);
    const added = round(1 - settings.smoothing);
    const epsilon = round(settings.epsilon);
    const momentum = round(settings.momentum);
    const decay = round(settings.weightDecay);
    for (let i = 0; i < w.length; i++) {
      const slope = round(g[i] + round(decay * w[i])); // g'
      let square = round(round(kept * v[i]) + round(round(added * slope) * slope));
      v[i] = square;
      if (m !== undefined) {
        const mean = round(round(kept * m[i]) + round(added * slope));
        m[i] = mean;
        square = Math.max(round(square - round(mean * mean)), 0);
      }
      let step = round(slope / round(round(Math.sqrt(square)) + epsilon));
      if (u !== undefined) {
        step = round(round(momentum * u[i]) + step);
        u[i] = step;
      }
      w[i] -= round(eta * step);
    }
  }
}
