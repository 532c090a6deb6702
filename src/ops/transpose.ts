import { DistilgradError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * Swaps the last two axes.
 *
 *     y  = xᵀ
 *     dx = dyᵀ
 *
 * @param x `[…, rows, cols]`
 * @returns `[…, cols, rows]`
 */
export function transpose(x: Tensor): Tensor {
  const k = kernelsOf("transpose", x);
  const rank = x.shape.length;
  if (rank < 2) {
    throw new DistilgradError("shape", `transpose: expected at least two axes, got ${formatShape(x.shape)}`);
  }
  const [rows, cols] = [x.shape[rank - 2], x.shape[rank - 1]];
  const values = x.data;
  const y = k.alloc(x.size);
  forEachTransposed(x.size, rows, cols, (from, to) => {
    y[to] = values[from];
  });
  return record(
    "transpose",
    y,
    [...x.shape.slice(0, -2), cols, rows],
    [
      wrt(x, (dx, dy) =>
        forEachTransposed(x.size, rows, cols, (from, to) => {
          dx[from] += dy[to];
        }),
      ),
    ],
  );
}

/** Visits every entry of matrices [rows, cols], with where it stands after swapping its axes. */
function forEachTransposed(
  size: number,
  rows: number,
  cols: number,
  visit: (from: number, to: number) => void,
): void {
  for (let start = 0; start < size; start += rows * cols) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < cols; c++) visit(start + r * cols + c, start + c * rows + r);
    }
  }
}
