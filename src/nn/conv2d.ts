import { requireOptions } from "../arguments.ts";
import { requireChannels } from "../ops/channels.ts";
import {
  type Conv2dOptions,
  type ConvolutionSettings,
  conv2d,
  convolutionOptions,
  requireConvolution,
} from "../ops/conv2d.ts";
import { type Pair, requirePair } from "../ops/windows.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { Module, type Parameter } from "./module.ts";
import { startingWeights, type WeightOptions, weightOptions } from "./weights.ts";

/** `fanIn`, which bounds weight and bias at the start, is in / groups · kernel height · kernel width. */
export interface Conv2dLayerOptions extends Conv2dOptions, WeightOptions {}

/**
 * A convolution of planes: `[samples, in, height, width]` to `[samples, out, …]`. Its weight is
 * `[out, in / groups, kernel height, kernel width]`, as in PyTorch.
 */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly settings: ConvolutionSettings;

  /** @param kernel its height and width, or one number for both */
  constructor(inputs: number, outputs: number, kernel: Pair, options: Conv2dLayerOptions = {}) {
    super();
    requireOptions("Conv2d", options, [...convolutionOptions, ...weightOptions]);
    const { stride, padding, dilation, groups, ...start } = options;
    this.settings = requireConvolution("Conv2d", { stride, padding, dilation, groups });
    const [groupInputs] = requireChannels("Conv2d", inputs, outputs, this.settings.groups);
    const shape = [outputs, groupInputs, ...requirePair("Conv2d", "kernel", kernel, 1)];
    const { weight, bias } = startingWeights("Conv2d", shape, outputs, start);
    this.weight = weight;
    this.bias = bias;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.settings);
  }

  override multiplyAdds(_input: Shape, output: Shape): number {
    return sizeOf(output) * sizeOf(this.weight.shape.slice(1));
  }
}
