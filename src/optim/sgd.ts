import { requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { Floats, SgdStep } from "../kernels/kernels.ts";
import type { NamedTensors } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, requireAtLeast0, requireFraction } from "./optimizer.ts";

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

/**
 * Stochastic gradient descent, with momentum and weight decay as PyTorch defines them.
 *
 *     g' = g + λ w
 *     v  ← μ v + g'
 *     w  ← w − η v                 Nesterov: w ← w − η (g' + μ v)
 *
 * @see Sutskever et al., On the importance of initialization and momentum in deep learning (2013), §2
 */
export class SGD extends Optimizer {
  protected override readonly rule = "SGD";
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #decay: number;

  constructor(parameters: NamedTensors, options: SGDOptions) {
    requireOptions("SGD", options, ["learningRate", "momentum", "nesterov", "weightDecay"]);
    const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options;
    super(parameters, learningRate, momentum > 0 ? ["v"] : []);
    this.#momentum = requireFraction("momentum", momentum);
    this.#decay = requireAtLeast0("weightDecay", weightDecay);
    this.#nesterov = nesterov;
    if (nesterov && momentum === 0) {
      throw new DistilgradError("value", "optimizer: nesterov needs a momentum above 0");
    }
  }

  protected override move(name: string, parameter: Tensor, gradient: Floats): void {
    const settings: SgdStep = {
      rate: this.learningRate,
      momentum: this.#momentum,
      nesterov: this.#nesterov,
      decay: this.#decay,
    };
    const velocity = this.#momentum > 0 ? this.buffer("v", name) : null;
    parameter.kernels.sgdStep(parameter.data, gradient, velocity, settings);
  }
}
