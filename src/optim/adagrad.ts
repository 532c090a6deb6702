import { roundingOf } from "../kernels/rounding.ts";
import { Optimizer, type ParameterUpdate } from "./optimizer.ts";
import {
  type GroupedParameters,
  requireAtLeast0,
  requireEpsilon,
  type Settings,
  type SettingsTable,
} from "./settings.ts";

export interface AdagradOptions {
  /** η ≥ 0, per step. Default 0.01. */
  readonly learningRate?: number;
  /** δ ≥ 0: divides the rate of step t by 1 + (t − 1) δ. Default 0. */
  readonly rateDecay?: number;
  /** ε > 0: keeps the step finite where gradients vanish. Default 1e-10. */
  readonly epsilon?: number;
  /** At least 0: where the sum of squares starts. Default 0. */
  readonly initialAccumulator?: number;
  /** λ ≥ 0: adds λ·w to the gradient. Default 0. */
  readonly weightDecay?: number;
}

const adagradSettings: SettingsTable<AdagradOptions> = {
  rateDecay: [0, requireAtLeast0],
  epsilon: [1e-10, requireEpsilon],
  initialAccumulator: [0, requireAtLeast0],
  weightDecay: [0, requireAtLeast0],
};

/**
 * Adagrad: each weight moves by its gradient over the root of the sum of all its squares, so that its rate only falls.
 *
 *     g' = g + λ w
 *     s  ← s + g'²
 *     w  ← w − η / (1 + (t − 1) δ) · g' / (√s + ε)
 *
 * t counts the steps of each parameter. In float32 every operation rounds, in the order of the formula; the rate of the
 * step is computed in float64 and rounded once.
 *
 * @see Duchi, Hazan & Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization (2011), §1.1
 *   and figure 1 (diagonal); the decay of the rate as in PyTorch
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(parameters: GroupedParameters<AdagradOptions>, options: AdagradOptions = {}) {
    super("Adagrad", parameters, options, adagradSettings, 1e-2);
  }

  protected override start({ initialAccumulator }: Settings<AdagradOptions>): Record<string, number> {
    return { s: initialAccumulator };
  }

  protected override move(update: ParameterUpdate<AdagradOptions>): void {
    const { w, g, kernels, settings, rate, steps } = update;
    const { s } = update.running;
    const round = roundingOf(kernels);
    const eta = round(rate / (1 + (steps - 1) * settings.rateDecay));
    const epsilon = round(settings.epsilon);
    const decay = round(settings.weightDecay);
    for (let i = 0; i < w.length; i++) {
      const slope = round(g[i] + round(decay * w[i])); // g'
      const sum = round(s[i] + round(slope * slope));
      s[i] = sum;
      w[i] -= round(eta * round(slope / round(round(Math.sqrt(sum)) + epsilon)));
    }
  }
}
