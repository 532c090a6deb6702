/** Floor 2: the mean of the values at which a vertical and a horizontal span meet, for the poolings that average. */
import { type Shape, sizeOf } from "../shape.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import type { Spans } from "./spans.ts";

/**
 * Means over spans of each plane of x.
 *
 *     y[u, v]  = Σ x[i, j] / n        over i in span u, j in span v
 *     dx[i, j] = Σ dy[u, v] / n        over the spans u, v that hold i, j
 *
 * Both sums run in float64 in row-major order and are rounded once.
 *
 * @param count n, where it is not the number of values that meet
 */
export function spanMeans(
  op: string,
  x: Tensor,
  vertical: Spans,
  horizontal: Spans,
  shape: Shape,
  count?: number,
): Tensor {
  const values = x.data;
  const width = horizontal.length;
  const plane = vertical.length * width;
  const y = x.kernels.alloc(sizeOf(shape));
  for (let start = 0, at = 0; start < values.length; start += plane) {
    for (let u = 0; u < vertical.count; u++) {
      const top = start + vertical.first[u] * width;
      const bottom = start + vertical.end[u] * width;
      const rows = vertical.end[u] - vertical.first[u];
      for (let v = 0; v < horizontal.count; v++, at++) {
        const first = horizontal.first[v];
        const end = horizontal.end[v];
        let sum = 0;
        for (let line = top; line < bottom; line += width) {
          for (let i = line + first; i < line + end; i++) sum += values[i];
        }
        y[at] = sum / (count ?? rows * (end - first));
      }
    }
  }
  return record(op, y, shape, [
    wrt(x, (dx, dy) => {
      const sums = new Float64Array(plane);
      for (let start = 0, at = 0; start < dx.length; start += plane) {
        sums.fill(0);
        for (let u = 0; u < vertical.count; u++) {
          const top = vertical.first[u] * width;
          const bottom = vertical.end[u] * width;
          const rows = vertical.end[u] - vertical.first[u];
          for (let v = 0; v < horizontal.count; v++, at++) {
            const first = horizontal.first[v];
            const end = horizontal.end[v];
            const share = dy[at] / (count ?? rows * (end - first));
            for (let line = top; line < bottom; line += width) {
              for (let i = line + first; i < line + end; i++) sums[i] += share;
            }
          }
        }
        for (let i = 0; i < plane; i++) dx[start + i] += sums[i];
      }
    }),
  ]);
}
