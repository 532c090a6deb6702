import { DistilgradError } from "../errors.ts";
import type { Floats } from "../kernels/kernels.ts";
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
  const y = k.alloc(x.size);
  addTransposed(y, x.data, rows, cols);
  return record(
    "transpose",
    y,
    [...x.shape.slice(0, -2), cols, rows],
    [wrt(x, (dx, dy) => addTransposed(dx, dy, cols, rows))],
  );
}

/** to += fromᵀ for every matrix [rows, cols] of `from`. */
function addTransposed(to: Floats, from: Floats, rows: number, cols: number): void {
  for (let start = 0; start < from.length; start += rows * cols) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < cols; c++) to[start + c * rows + r] += from[start + r * cols + c];
    }
  }
}
