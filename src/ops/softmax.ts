import { record, type Tensor, wrt } from "../tensor.ts";
import { rowsOf } from "./operands.ts";

/**
 * Softmax over the last axis: every row becomes a probability distribution.
 *
 *     y  = exp(x − max x) / Σ exp(x − max x)
 *     dx = y ⊙ (dy − ⟨dy, y⟩)
 *
 * Subtracting the maximum leaves y unchanged and keeps exp from overflowing. The derivative reads only y.
 *
 * @param x `[…, classes]` logits
 * @returns `[…, classes]` probabilities; a row with NaN or +∞ becomes NaN, alone
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §4.1 and §6.2.2.3
 */
export function softmax(x: Tensor): Tensor {
  const { rows, cols } = rowsOf("softmax", x);
  const k = x.kernels;
  const y = k.alloc(x.size);
  k.softmax(y, x.data, rows, cols);
  return record("softmax", y, x.shape, [wrt(x, (dx, dy) => k.softmaxBackward(dx, y, dy, rows, cols))]);
}
