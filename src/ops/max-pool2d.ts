import { requireOptions } from "../arguments.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { type PoolOptions, requirePool, windowSpans } from "./spans.ts";

export type { PoolOptions } from "./spans.ts";

/**
 * The largest value of each window.
 *
 *     y[u, v] = max x[i, j]        over the window (u, v), the padding counting as −∞
 *     dx[i, j] = Σ dy[u, v]        over the windows whose maximum is taken from (i, j)
 *
 * Of equal values the first in row-major order is taken, and has the whole derivative. NaN wins, the first of several:
 * a fault upstream is not hidden. What is kept for the way back is an Int32 position for each y.
 *
 * @param x `[samples, channels, height, width]`
 * @returns `[samples, channels, …]`, each side ⌊(side + 2 padding − size) / stride⌋ + 1
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §9.3
 */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  requireOptions("maxPool2d", options, ["size", "stride", "padding"]);
  const [vertical, horizontal] = windowSpans("maxPool2d", x, requirePool("maxPool2d", options));
  const values = x.data;
  const [height, width] = [vertical.length, horizontal.length];
  const planes = x.shape[0] * x.shape[1];
  const y = x.kernels.alloc(planes * vertical.count * horizontal.count);
  const taken = new Int32Array(y.length);
  for (let plane = 0, at = 0; plane < values.length; plane += height * width) {
    for (let u = 0; u < vertical.count; u++) {
      const top = plane + vertical.first[u] * width;
      const bottom = plane + vertical.end[u] * width;
      for (let v = 0; v < horizontal.count; v++, at++) {
        const first = horizontal.first[v];
        const end = horizontal.end[v];
        let best = top + first;
        for (let line = top; line < bottom; line += width) {
          for (let i = line + first; i < line + end; i++) {
            const max = values[best];
            // Greater or NaN, and nothing after a NaN; without a branch, as half of the predictions would fail.
            const wins = Number(!(values[i] <= max)) & Number(!Number.isNaN(max));
            best += (i - best) * wins;
          }
        }
        y[at] = values[best];
        taken[at] = best;
      }
    }
  }
  const shape = [x.shape[0], x.shape[1], vertical.count, horizontal.count];
  return record("maxPool2d", y, shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dy.length; i++) dx[taken[i]] += dy[i];
    }),
  ]);
}
