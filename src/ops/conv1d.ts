import { requireOptions, requireWhole } from "../arguments.ts";
import type { Tensor } from "../tensor.ts";
import { convolutionOptions, convolve } from "./conv2d.ts";

export interface Conv1dOptions {
  /** From one window to the next, in positions. Default 1. */
  readonly stride?: number | undefined;
  /** How many zeros precede and follow each row. Default 0. */
  readonly padding?: number | undefined;
  /** From one tap of the kernel to the next, in positions. Default 1. */
  readonly dilation?: number | undefined;
  /** How many parts the channels fall into, each with a kernel of its own. Default 1. */
  readonly groups?: number | undefined;
}

/**
 * A convolution of rows: `conv2d` of planes that are one position high.
 *
 *     y[n, o, v] = b[o] + Σ w[o, c, j] · x[n, c, v·s + j·d − p]        over c, j
 *
 * and the derivatives that conv2d has.
 *
 * @param x `[samples, in, length]`
 * @param weight `[out, in / groups, length]` of the kernel
 * @param bias `[out]`, may be left out, or null
 * @returns `[samples, out, ⌊(length + 2 p − d (kernel − 1) − 1) / s⌋ + 1]`
 * @throws where the kernel is larger than a row with its padding
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: Conv1dOptions = {}): Tensor {
  requireOptions("conv1d", options, convolutionOptions);
  const { stride, padding, dilation, groups } = requireRowConvolution("conv1d", options);
  return convolve("conv1d", ["length"], x, weight, bias, {
    stride: [1, stride],
    padding: [0, padding],
    dilation: [1, dilation],
    groups,
  });
}

/** `Conv1dOptions`, checked and complete. */
export interface RowConvolutionSettings {
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly groups: number;
}

/** Requires whole numbers, for the op and for the layer that will call it. */
export function requireRowConvolution(where: string, options: Conv1dOptions): RowConvolutionSettings {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  requireWhole(where, "groups", groups, 1);
  requireWhole(where, "stride", stride, 1);
  requireWhole(where, "padding", padding, 0);
  requireWhole(where, "dilation", dilation, 1);
  return { stride, padding, dilation, groups };
}
