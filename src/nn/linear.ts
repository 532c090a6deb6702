import { requireOptions, requireWhole } from "../arguments.ts";
import { linear } from "../ops/linear.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { Module, type Parameter } from "./module.ts";
import { startingWeights, type WeightOptions, weightOptions } from "./weights.ts";

/** `fanIn`, which bounds the bias at the start, is `in`. */
export type LinearOptions = WeightOptions;

/** A fully connected layer, y = x Wᵀ + b: `[…, in]` to `[…, out]`. Its weight is `[out, in]`. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    super();
    requireOptions("Linear", options, weightOptions);
    requireWhole("Linear", "in", inputs, 1);
    requireWhole("Linear", "out", outputs, 1);
    const { weight, bias } = startingWeights("Linear", [outputs, inputs], outputs, options);
    this.weight = weight;
    this.bias = bias;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  override multiplyAdds(_input: Shape, output: Shape): number {
    return sizeOf(output) * this.weight.shape[1];
  }
}
