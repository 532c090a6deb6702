import { record, type Tensor, wrt } from "../tensor.ts";
import { requireComparable } from "./operands.ts";

/**
 * Mean squared error over every element.
 *
 *     L  = Σ (a − b)² / n
 *     da = 2 (a − b) / n · dL        db = −da
 *
 * @param prediction any shape with at least one value
 * @param target the same shape: it is not broadcast
 * @returns a scalar
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §5.1.4
 */
export function mse(prediction: Tensor, target: Tensor): Tensor {
  requireComparable("mse", "prediction", prediction, "target", target);
  const n = prediction.size;
  const [a, b] = [prediction.data, target.data];
  let total = 0;
  for (let i = 0; i < n; i++) {
    const difference = a[i] - b[i];
    total += difference * difference;
  }
  const loss = prediction.kernels.alloc(1);
  loss[0] = total / n;
  return record(
    "mse",
    loss,
    [],
    [
      wrt(prediction, (da, dLoss) => {
        const share = (2 / n) * dLoss[0];
        for (let i = 0; i < n; i++) da[i] += (a[i] - b[i]) * share;
      }),
      wrt(target, (db, dLoss) => {
        const share = (2 / n) * dLoss[0];
        for (let i = 0; i < n; i++) db[i] -= (a[i] - b[i]) * share;
      }),
    ],
  );
}
