import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { type RandomOptions, uniform } from "../factories.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { linear } from "../ops/linear.ts";
import { RandomStream } from "../random.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { fanInUniform, type Initializer } from "./init.ts";
import { Module, Parameter } from "./module.ts";

export interface LinearOptions {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** How the weight starts. Default `fanInUniform`, as in PyTorch. The bias starts uniform within ±1/√in. */
  readonly init?: Initializer;
  /** Where the draws come from: the weight's first, then the bias's. Default: the library's stream. */
  readonly random?: RandomStream | undefined;
  /** The kernel set it lives in. Default float32. */
  readonly kernels?: Kernels;
}

/** A fully connected layer, y = x Wᵀ + b: `[…, in]` to `[…, out]`. Its weight is `[out, in]`. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    super();
    requireOptions("Linear", options, ["bias", "init", "random", "kernels"]);
    for (const [name, size] of [
      ["in", inputs],
      ["out", outputs],
    ] as const) {
      if (!Number.isSafeInteger(size) || size < 1) {
        throw new DistilgradError(
          "value",
          `Linear: ${name} must be a whole number of at least 1, got ${kindOf(size)}`,
        );
      }
    }
    const { bias = true, init = fanInUniform, ...from } = options;
    const source: RandomOptions = from;
    if (typeof init !== "function") {
      throw new DistilgradError(
        "value",
        `Linear: init must be a function such as kaimingUniform, got ${kindOf(init)}`,
      );
    }
    if (from.random !== undefined)
      requireInstance("Linear", "random, a RandomStream", from.random, RandomStream);
    const bound = 1 / Math.sqrt(inputs);
    this.weight = new Parameter(init([outputs, inputs], source));
    this.bias = bias ? new Parameter(uniform([outputs], { ...source, low: -bound, high: bound })) : null;
  }

  forward(x: Tensor): Tensor {
    return this.bias ? linear(x, this.weight, this.bias) : linear(x, this.weight);
  }

  override multiplyAdds(_input: Shape, output: Shape): number {
    return sizeOf(output) * this.weight.shape[1];
  }
}
