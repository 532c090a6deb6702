import { requireOptions, requireWhole } from "../arguments.ts";
import { requireChannels } from "../ops/channels.ts";
import {
  type Conv1dOptions,
  conv1d,
  type RowConvolutionSettings,
  requireRowConvolution,
} from "../ops/conv1d.ts";
import { convolutionOptions } from "../ops/conv2d.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { Module, type Parameter } from "./module.ts";
import { startingWeights, type WeightOptions, weightOptions } from "./weights.ts";

/** `fanIn`, which bounds weight and bias at the start, is in / groups · kernel. */
export interface Conv1dLayerOptions extends Conv1dOptions, WeightOptions {}

/**
 * A convolution of rows: `[samples, in, length]` to `[samples, out, …]`. Its weight is `[out, in / groups, kernel]`, as
 * in PyTorch.
 */
export class Conv1d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly settings: RowConvolutionSettings;

  constructor(inputs: number, outputs: number, kernel: number, options: Conv1dLayerOptions = {}) {
    super();
    requireOptions("Conv1d", options, [...convolutionOptions, ...weightOptions]);
    const { stride, padding, dilation, groups, ...start } = options;
    this.settings = requireRowConvolution("Conv1d", { stride, padding, dilation, groups });
    const [groupInputs] = requireChannels("Conv1d", inputs, outputs, this.settings.groups);
    requireWhole("Conv1d", "kernel", kernel, 1);
    const { weight, bias } = startingWeights("Conv1d", [outputs, groupInputs, kernel], outputs, start);
    this.weight = weight;
    this.bias = bias;
  }

  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.settings);
  }

  override multiplyAdds(_input: Shape, output: Shape): number {
    return sizeOf(output) * sizeOf(this.weight.shape.slice(1));
  }
}
