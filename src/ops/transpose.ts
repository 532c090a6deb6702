import { DistilgradError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { permuted } from "./permute.ts";

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
  kernelsOf("transpose", x);
  const rank = x.shape.length;
  if (rank < 2) {
    throw new DistilgradError("shape", `transpose: expected at least two axes, got ${formatShape(x.shape)}`);
  }
  const axes = x.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return permuted("transpose", x, axes);
}
