import { requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { fillChannels } from "../kernels/channels.ts";
import { unrolling } from "../kernels/columns.ts";
import { addImage, addMap, addWeight } from "../kernels/convolutions.ts";
import { accelerateOnce } from "../kernels/wasm/accelerate-once.ts";
import { formatShape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import {
  layoutHint,
  requireBiasOrNone,
  requireChannelBias,
  requireGroups,
  wrtChannelBias,
} from "./channels.ts";
import {
  type Conv2dOptions,
  type ConvolutionSettings,
  convolutionOptions,
  requireConvolution,
} from "./conv2d.ts";
import { type Both, type Pair, requirePair } from "./windows.ts";

export interface ConvTranspose2dOptions extends Conv2dOptions {
  /**
   * How many positions y has in addition at the bottom and on the right: with a stride, several sizes of y have a
   * convolution of the size of x. Below stride or dilation. Default 0.
   */
  readonly outputPadding?: Pair | undefined;
}

/**
 * The transpose of a convolution: what `conv2d` with the same weight and options does to a gradient of its x.
 *
 *     y[n, o, u·s + i·d − p, v·s + j·d − p] = b[o] + Σ w[c, o, i, j] · x[n, c, u, v]        over c and all that meet there
 *     dx = conv2d(dy, w)        without a bias; its first windows, as many as x has positions
 *     dw[c, o, i, j] = Σ x[n, c, u, v] · dy[n, o, u·s + i·d − p, v·s + j·d − p]        over n, u, v
 *     db[o] = Σ dy[n, o, …]        over samples and positions
 *
 * The three products are those of conv2d with x and y in each other's place. The columns of one sample and group are
 * there at a time, out / groups · kernel size · positions of x floats.
 *
 * @param x `[samples, in, height, width]`
 * @param weight `[in, out / groups, height, width]` of the kernel
 * @param bias `[out]`, may be left out, or null
 * @returns `[samples, out, …]`, each side (side − 1) s − 2 p + d (kernel − 1) + outputPadding + 1
 * @throws where nothing would be left
 * @see Dumoulin & Visin, A guide to convolution arithmetic (2016), arXiv 1603.07285, §4
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTranspose2dOptions = {},
): Tensor {
  const op = "convTranspose2d";
  requireBiasOrNone(op, bias);
  accelerateOnce();
  const kernels = bias ? kernelsOf(op, x, weight, bias) : kernelsOf(op, x, weight);
  requireOptions(op, options, [...convolutionOptions, "outputPadding"]);
  const { stride, padding, outputPadding, dilation, groups } = requireTransposed(op, options);
  const [samples, channels] = x.shape;
  const [inputs, groupOutputs, ...taps] = weight.shape;
  if (x.shape.length !== 4 || weight.shape.length !== 4 || channels !== inputs) {
    const share = groups === 1 ? "out" : `out / ${groups}`;
    throw new DistilgradError(
      "shape",
      `${op}: expected x [samples, in, height, width] and weight [in, ${share}, height, width], got x ${formatShape(x.shape)} and weight ${formatShape(weight.shape)}${layoutHint(x.shape, inputs, 4)}`,
    );
  }
  if (taps.includes(0)) {
    throw new DistilgradError(
      "shape",
      `${op}: expected a kernel of at least 1 × 1, got weight ${formatShape(weight.shape)}`,
    );
  }
  const groupInputs = requireGroups(op, "in", inputs, groups);
  const outputs = groupOutputs * groups;
  if (bias) requireChannelBias(op, bias, outputs, weight);

  const [vertical, horizontal] = taps.map((count, axis) => {
    const [s, p, more, d] = [stride[axis], padding[axis], outputPadding[axis], dilation[axis]];
    const windows = x.shape[2 + axis];
    const length = (windows - 1) * s - 2 * p + d * (count - 1) + more + 1;
    if (length < 1) {
      throw new DistilgradError(
        "shape",
        `${op}: padding ${p} leaves nothing of what x ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} make`,
      );
    }
    return { taps: count, stride: s, padding: p, dilation: d, length, count: windows };
  });
  // The image of the convolution is y, its map is x.
  const geometry = {
    kernels,
    samples,
    groups,
    inputs: groupOutputs,
    outputs: groupInputs,
    ...unrolling(vertical, horizontal),
  };
  const yShape = [samples, outputs, vertical.length, horizontal.length];
  const y = bias ? kernels.room(sizeOf(yShape)) : kernels.alloc(sizeOf(yShape));
  if (bias) fillChannels(y, bias.data, sizeOf(yShape.slice(2)));
  addImage(y, weight.data, x.data, geometry);

  const partials = [
    wrt(x, (dx, dy) => addMap(dx, weight.data, dy, geometry)),
    wrt(weight, (dw, dy) => addWeight(dw, x.data, dy, geometry)),
  ];
  if (bias) partials.push(wrtChannelBias(bias, yShape));
  return record(op, y, yShape, partials);
}

/** `ConvTranspose2dOptions`, checked and complete. */
export interface TransposedSettings extends ConvolutionSettings {
  readonly outputPadding: Both;
}

/** Requires whole numbers, for the op and for the layer that will call it. */
export function requireTransposed(where: string, options: ConvTranspose2dOptions): TransposedSettings {
  const settings = requireConvolution(where, options);
  const outputPadding = requirePair(where, "outputPadding", options.outputPadding ?? 0, 0);
  for (const [axis, more] of outputPadding.entries()) {
    const [stride, dilation] = [settings.stride[axis], settings.dilation[axis]];
    if (more >= stride && more >= dilation) {
      throw new DistilgradError(
        "value",
        `${where}: outputPadding must be below stride or dilation, got ${more} with stride ${stride} and dilation ${dilation}`,
      );
    }
  }
  return { ...settings, outputPadding };
}
