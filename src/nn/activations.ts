/** Floor 3: the functions of one value as layers. */
import { type EluOptions, elu, requireAlpha } from "../ops/elu.ts";
import { type GeluOptions, gelu, requireApproximation } from "../ops/gelu.ts";
import { type LeakyReluOptions, leakyRelu, requireSlope } from "../ops/leaky-relu.ts";
import { relu } from "../ops/relu.ts";
import { sigmoid } from "../ops/sigmoid.ts";
import { silu } from "../ops/silu.ts";
import { softplus } from "../ops/softplus.ts";
import { tanh } from "../ops/tanh.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** The rectifier as a layer. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** The rectifier with a slope on its left as a layer. */
export class LeakyReLU extends Module {
  readonly slope: number;

  /** @param options.slope by what negative values are multiplied. Default 0.01 */
  constructor(options: LeakyReluOptions = {}) {
    super();
    this.slope = requireSlope("LeakyReLU", options);
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, { slope: this.slope });
  }
}

/** The exponential linear unit as a layer. */
export class ELU extends Module {
  readonly alpha: number;

  /** @param options.alpha −α is what negative values saturate at. Default 1 */
  constructor(options: EluOptions = {}) {
    super();
    this.alpha = requireAlpha("ELU", options);
  }

  forward(x: Tensor): Tensor {
    return elu(x, { alpha: this.alpha });
  }
}

/** A value times its own sigmoid, as a layer. */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** The Gaussian error linear unit as a layer. */
export class GELU extends Module {
  readonly approximation: "none" | "tanh";

  /** @param options.approximation `"tanh"` for the one of BERT and GPT-2. Default `"none"` */
  constructor(options: GeluOptions = {}) {
    super();
    this.approximation = requireApproximation("GELU", options);
  }

  forward(x: Tensor): Tensor {
    return gelu(x, { approximation: this.approximation });
  }
}

/** The logistic function as a layer. */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** The hyperbolic tangent as a layer. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** The smooth rectifier as a layer. */
export class Softplus extends Module {
  forward(x: Tensor): Tensor {
    return softplus(x);
  }
}
