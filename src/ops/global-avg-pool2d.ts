import type { Tensor } from "../tensor.ts";
import { spanMeans } from "./span-means.ts";
import { requirePlanes, wholeSpan } from "./spans.ts";

/**
 * The mean of each plane: what a channel says about the whole image.
 *
 *     y  = Σ x / n        over the n values of a plane
 *     dx = dy / n, repeated over the plane
 *
 * Summed and divided in float64, rounded once.
 *
 * @param x `[samples, channels, height, width]`
 * @returns `[samples, channels]`
 * @see Lin, Chen & Yan, Network in network (2014), arXiv 1312.4400, §3.2
 */
export function globalAvgPool2d(x: Tensor): Tensor {
  requirePlanes("globalAvgPool2d", x);
  const [samples, channels, height, width] = x.shape;
  return spanMeans("globalAvgPool2d", x, wholeSpan(height), wholeSpan(width), [samples, channels]);
}
