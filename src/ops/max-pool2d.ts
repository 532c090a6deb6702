import { requireOptions } from "../arguments.ts";
import { addTaken, maxPool, positions } from "../kernels/pooling.ts";
import { sizeOf } from "../shape.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { type PoolOptions, planeWindows, requirePool } from "./spans.ts";

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
  const [vertical, horizontal] = planeWindows("maxPool2d", x, requirePool("maxPool2d", options));
  const k = x.kernels;
  const shape = [x.shape[0], x.shape[1], vertical.count, horizontal.count];
  const y = k.room(sizeOf(shape));
  const taken = positions(k, y.length);
  maxPool(k, y, taken, x.data, vertical, horizontal);
  return record("maxPool2d", y, shape, [wrt(x, (dx, dy) => addTaken(k, dx, taken, dy))]);
}
