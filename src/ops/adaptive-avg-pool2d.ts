import type { Tensor } from "../tensor.ts";
import { spanMeans } from "./span-means.ts";
import { requirePlanes, spansAlong } from "./spans.ts";
import { type Pair, requirePair } from "./windows.ts";

/**
 * The means of as many windows as are wanted, whatever the size of the planes.
 *
 *     y[u, v]  = Σ x[i, j] / n        over ⌊u·h/H⌋ ≤ i < ⌈(u + 1)·h/H⌉ and likewise for j
 *     dx[i, j] = Σ dy[u, v] / n        over the windows that hold (i, j)
 *
 * for planes h high and results H high; n is the number of values in the window. The windows cover all of the plane.
 * Where H does not divide h they overlap and may differ in size, and where H exceeds h every value is in several.
 * Summed and divided in float64, rounded once.
 *
 * @param x `[samples, channels, height, width]`
 * @param size of the result, [height, width] or one number for both
 * @returns `[samples, channels, …size]`
 */
export function adaptiveAvgPool2d(x: Tensor, size: Pair): Tensor {
  requirePlanes("adaptiveAvgPool2d", x);
  const counts = requirePair("adaptiveAvgPool2d", "size", size, 1);
  const [vertical, horizontal] = counts.map((count, axis) => {
    const length = x.shape[2 + axis];
    return spansAlong(
      length,
      count,
      (o) => Math.floor((o * length) / count),
      (o) => Math.ceil(((o + 1) * length) / count),
    );
  });
  return spanMeans("adaptiveAvgPool2d", x, vertical, horizontal, [x.shape[0], x.shape[1], ...counts]);
}
