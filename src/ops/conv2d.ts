import { requireOptions, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { fillChannels } from "../kernels/channels.ts";
import { unrolling } from "../kernels/columns.ts";
import { addImage, addMap, addWeight } from "../kernels/convolutions.ts";
import { accelerateOnce } from "../kernels/wasm/accelerate-once.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import {
  layoutHint,
  requireBiasOrNone,
  requireChannelBias,
  requireGroups,
  wrtChannelBias,
} from "./channels.ts";
import { type Both, type Pair, requirePair, requireWindows } from "./windows.ts";

export interface Conv2dOptions {
  /** From one window to the next, in positions. Default 1. */
  readonly stride?: Pair | undefined;
  /** How many zeros surround each plane, at every side. Default 0. */
  readonly padding?: Pair | undefined;
  /** From one tap of the kernel to the next, in positions. Default 1. */
  readonly dilation?: Pair | undefined;
  /** How many parts the channels fall into, each with a kernel of its own. Default 1. */
  readonly groups?: number | undefined;
}

/**
 * A convolution of planes, or rather a correlation: the kernel is not turned round.
 *
 *     y[n, o, u, v] = b[o] + Σ w[o, c, i, j] · x[n, c, u·s + i·d − p, v·s + j·d − p]        over c, i, j
 *     dx[n, c, …] = Σ w[o, c, i, j] · dy[n, o, u, v]        over all o, u, v and i, j that read this x
 *     dw[o, c, i, j] = Σ dy[n, o, u, v] · x[n, c, u·s + i·d − p, v·s + j·d − p]        over n, u, v
 *     db[o] = Σ dy[n, o, u, v]        over n, u, v
 *
 * with stride s, dilation d and padding p; outside of its planes x is 0. With the windows of a sample as columns, these
 * are products: Y = W · columns + b, d columns = Wᵀ · dY and dW = Σ dY · columnsᵀ. The columns of one sample and group
 * are there at a time, in / groups · kernel size · windows floats, and made again on the way back rather than kept.
 *
 * @param x `[samples, in, height, width]`
 * @param weight `[out, in / groups, height, width]` of the kernel
 * @param bias `[out]`, may be left out, or null
 * @returns `[samples, out, …]`, each side ⌊(side + 2 p − d (kernel − 1) − 1) / s⌋ + 1
 * @throws where the kernel is larger than a plane with its padding
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §9.1 and §9.5 (derivatives); Dumoulin & Visin, A guide to
 *   convolution arithmetic (2016), arXiv 1603.07285, §2 and §5.1 (sizes)
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: Conv2dOptions = {}): Tensor {
  requireOptions("conv2d", options, convolutionOptions);
  return convolve("conv2d", ["height", "width"], x, weight, bias, requireConvolution("conv2d", options));
}

/** The names of `Conv2dOptions`. */
export const convolutionOptions = ["stride", "padding", "dilation", "groups"] as const;

/** `Conv2dOptions`, checked and complete. */
export interface ConvolutionSettings {
  readonly stride: Both;
  readonly padding: Both;
  readonly dilation: Both;
  readonly groups: number;
}

/** Requires whole numbers, for an op and for the layer that will call it. */
export function requireConvolution(where: string, options: Conv2dOptions): ConvolutionSettings {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  requireWhole(where, "groups", groups, 1);
  return {
    stride: requirePair(where, "stride", stride, 1),
    padding: requirePair(where, "padding", padding, 0),
    dilation: requirePair(where, "dilation", dilation, 1),
    groups,
  };
}

/** What `conv2d` and `conv1d` share. A row is a plane that is one position high, so settings are those of two axes. */
export function convolve(
  op: string,
  axes: readonly string[],
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  { stride, padding, dilation, groups }: ConvolutionSettings,
): Tensor {
  requireBiasOrNone(op, bias);
  accelerateOnce();
  const kernels = bias ? kernelsOf(op, x, weight, bias) : kernelsOf(op, x, weight);
  const [samples, channels] = x.shape;
  const [outputs, inputs] = weight.shape;
  const rank = 2 + axes.length;
  if (x.shape.length !== rank || weight.shape.length !== rank || channels !== inputs * groups) {
    const space = axes.join(", ");
    const share = groups === 1 ? "in" : `in / ${groups}`;
    throw new DistilgradError(
      "shape",
      `${op}: expected x [samples, in, ${space}] and weight [out, ${share}, ${space}], got x ${formatShape(x.shape)} and weight ${formatShape(weight.shape)}${layoutHint(x.shape, inputs * groups, rank)}`,
    );
  }
  const groupOutputs = requireGroups(op, "out", outputs, groups);
  if (bias) requireChannelBias(op, bias, outputs, weight);

  const asPlane = (shape: Shape): Shape => [1, ...shape.slice(2)].slice(-2);
  const taps = asPlane(weight.shape);
  const [vertical, horizontal] = asPlane(x.shape).map((length, axis) => {
    const settings = {
      taps: taps[axis],
      stride: stride[axis],
      padding: padding[axis],
      dilation: dilation[axis],
    };
    const count = requireWindows(op, `weight ${formatShape(weight.shape)}`, x.shape, length, settings);
    return { ...settings, length, count };
  });
  const geometry = {
    kernels,
    samples,
    groups,
    inputs,
    outputs: groupOutputs,
    ...unrolling(vertical, horizontal),
  };
  const sides = [vertical.count, horizontal.count].slice(-axes.length);
  const yShape = [samples, outputs, ...sides];
  const y = bias ? kernels.room(sizeOf(yShape)) : kernels.alloc(sizeOf(yShape));
  if (bias) fillChannels(y, bias.data, sizeOf(yShape.slice(2)));
  addMap(y, weight.data, x.data, geometry);

  const partials = [
    wrt(x, (dx, dy) => addImage(dx, weight.data, dy, geometry)),
    wrt(weight, (dw, dy) => addWeight(dw, dy, x.data, geometry)),
  ];
  if (bias) partials.push(wrtChannelBias(bias, yShape));
  return record(op, y, yShape, partials);
}
