import { DistilgradError } from "../errors.ts";
import { Optimizer, type ParameterUpdate } from "./optimizer.ts";
import {
  type GroupedParameters,
  requireAtLeast0,
  requireFlag,
  requireFraction,
  type Settings,
  type SettingsTable,
} from "./settings.ts";

export interface SGDOptions {
  /** η ≥ 0, per step. */
  readonly learningRate: number;
  /** μ in [0, 1): how much of the last step is kept. Default 0. */
  readonly momentum?: number;
  /** Looks ahead by one momentum step. Needs momentum. Default false. */
  readonly nesterov?: boolean;
  /** λ ≥ 0: adds λ·w to the gradient. Default 0. */
  readonly weightDecay?: number;
}

const sgdSettings: SettingsTable<SGDOptions> = {
  momentum: [0, requireFraction],
  nesterov: [false, requireMomentum],
  weightDecay: [0, requireAtLeast0],
};

/**
 * Stochastic gradient descent, with momentum and weight decay as PyTorch defines them.
 *
 *     g' = g + λ w
 *     v  ← μ v + g'
 *     w  ← w − η v                 Nesterov: w ← w − η (g' + μ v)
 *
 * @see Sutskever et al., On the importance of initialization and momentum in deep learning (2013), §2
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(parameters: GroupedParameters<SGDOptions>, options: SGDOptions) {
    super("SGD", parameters, options, sgdSettings);
  }

  protected override start({ momentum }: Settings<SGDOptions>): Readonly<Record<string, number>> {
    return momentum > 0 ? { v: 0 } : {};
  }

  protected override move({ w, g, kernels, running, settings, rate }: ParameterUpdate<SGDOptions>): void {
    const { momentum, nesterov, weightDecay: decay } = settings;
    kernels.sgdStep(w, g, running.v ?? null, { rate, momentum, nesterov, decay });
  }
}

function requireMomentum(name: string, nesterov: boolean, { momentum }: Settings<SGDOptions>): void {
  requireFlag(name, nesterov);
  if (nesterov && momentum === 0) {
    throw new DistilgradError("value", "optimizer: nesterov needs a momentum above 0");
  }
}
