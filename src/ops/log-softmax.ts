import { record, type Tensor, wrt } from "../tensor.ts";
import { rowsOf } from "./operands.ts";

/**
 * The logarithm of softmax over the last axis, without ever forming a probability that could round to 0.
 *
 *     y  = (x − max x) − log Σ exp(x − max x)
 *     dx = dy − exp(y) · Σ dy
 *
 * @param x `[…, classes]` logits
 * @returns `[…, classes]` log-probabilities, finite wherever the differences of the logits are
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §6.2.2.3
 */
export function logSoftmax(x: Tensor): Tensor {
  const { rows, cols } = rowsOf("logSoftmax", x);
  const k = x.kernels;
  const y = k.alloc(x.size);
  k.logSoftmax(y, x.data, rows, cols);
  return record("logSoftmax", y, x.shape, [wrt(x, (dx, dy) => k.logSoftmaxBackward(dx, y, dy, rows, cols))]);
}
