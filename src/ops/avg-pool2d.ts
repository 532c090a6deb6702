import { requireFlag, requireOptions } from "../arguments.ts";
import type { Tensor } from "../tensor.ts";
import { spanMeans } from "./span-means.ts";
import { type PoolOptions, type PoolSettings, planeWindows, requirePool, windowSpans } from "./spans.ts";

export interface AvgPool2dOptions extends PoolOptions {
  /** Whether the padding counts as zeros; otherwise a mean is over what lies in the plane. Default true. */
  readonly countPadding?: boolean | undefined;
}

/**
 * The mean of each window.
 *
 *     y[u, v]  = Σ x[i, j] / n        over the window (u, v)
 *     dx[i, j] = Σ dy[u, v] / n        over the windows that hold (i, j)
 *
 * n is the size of a window, or with `countPadding: false` as much of it as lies in the plane. Summed and divided in
 * float64, rounded once.
 *
 * @param x `[samples, channels, height, width]`
 * @returns `[samples, channels, …]`, each side ⌊(side + 2 padding − size) / stride⌋ + 1
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  requireOptions("avgPool2d", options, ["size", "stride", "padding", "countPadding"]);
  const { countPadding, ...windows } = requireAvgPool("avgPool2d", options);
  const [vertical, horizontal] = planeWindows("avgPool2d", x, windows).map(windowSpans);
  const shape = [x.shape[0], x.shape[1], vertical.count, horizontal.count];
  const count = countPadding ? windows.size[0] * windows.size[1] : undefined;
  return spanMeans("avgPool2d", x, vertical, horizontal, shape, count);
}

/** Requires settings of windows and a boolean, for the op and for the layer that will call it. */
export function requireAvgPool(
  where: string,
  options: AvgPool2dOptions,
): PoolSettings & { readonly countPadding: boolean } {
  const { countPadding = true } = options;
  requireFlag(where, "countPadding", countPadding);
  return { ...requirePool(where, options), countPadding };
}
