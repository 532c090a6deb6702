import { requireOptions } from "../arguments.ts";
import { requireChannels } from "../ops/channels.ts";
import {
  type ConvTranspose2dOptions,
  convTranspose2d,
  requireTransposed,
  type TransposedSettings,
} from "../ops/conv-transpose2d.ts";
import { convolutionOptions } from "../ops/conv2d.ts";
import { type Pair, requirePair } from "../ops/windows.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { Module, type Parameter } from "./module.ts";
import { startingWeights, type WeightOptions, weightOptions } from "./weights.ts";

/** `fanIn`, which bounds weight and bias at the start, is out / groups · kernel height · kernel width, as in PyTorch. */
export interface ConvTranspose2dLayerOptions extends ConvTranspose2dOptions, WeightOptions {}

/**
 * The transpose of a convolution, which makes planes larger: `[samples, in, height, width]` to `[samples, out, …]`. Its
 * weight is `[in, out / groups, kernel height, kernel width]`, as in PyTorch.
 */
export class ConvTranspose2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly settings: TransposedSettings;

  /** @param kernel its height and width, or one number for both */
  constructor(inputs: number, outputs: number, kernel: Pair, options: ConvTranspose2dLayerOptions = {}) {
    super();
    const known = [...convolutionOptions, "outputPadding", ...weightOptions];
    requireOptions("ConvTranspose2d", options, known);
    const { stride, padding, outputPadding, dilation, groups, ...start } = options;
    const given = { stride, padding, outputPadding, dilation, groups };
    this.settings = requireTransposed("ConvTranspose2d", given);
    const [, groupOutputs] = requireChannels("ConvTranspose2d", inputs, outputs, this.settings.groups);
    const shape = [inputs, groupOutputs, ...requirePair("ConvTranspose2d", "kernel", kernel, 1)];
    const { weight, bias } = startingWeights("ConvTranspose2d", shape, outputs, start);
    this.weight = weight;
    this.bias = bias;
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.settings);
  }

  override multiplyAdds(input: Shape, _output: Shape): number {
    return sizeOf(input) * sizeOf(this.weight.shape.slice(1));
  }
}
