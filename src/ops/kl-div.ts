import { DistilgradError } from "../errors.ts";
import { exp, log } from "../math.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { lossRowsOf, requireProbabilities, requireSameShape, sumTolerance } from "./operands.ts";

/**
 * The Kullback–Leibler divergence of rows from their targets, averaged over rows: how many nats it costs to code what
 * follows q with a code made for p.
 *
 *     L      = (1/rows) Σ q (log q − log p)        0 · log 0 = 0
 *     dlog p = −q / rows · dL
 *     dq     = (log q − log p + 1) / rows · dL     0 where q is 0
 *
 * Never divided by the number of classes. From rounded inputs the sign of a tiny divergence cannot be promised; between
 * two sets of logits `softTargetLoss` can.
 *
 * @param logProbs `[rows, classes]` log p, as from `logSoftmax`
 * @param targetProbs `[rows, classes]` q, as from `softmax`
 * @returns a scalar, in nats
 * @see Cover & Thomas, Elements of Information Theory (2006), §2.3
 */
export function klDiv(logProbs: Tensor, targetProbs: Tensor): Tensor {
  requireSameShape("klDiv", "logProbs", logProbs, "targetProbs", targetProbs);
  const { rows, cols } = lossRowsOf("klDiv", "logProbs", logProbs);
  requireProbabilities("klDiv", "targetProbs", targetProbs, { rows, cols });
  const k = logProbs.kernels;
  const [logP, q] = [logProbs.data, targetProbs.data];
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * cols; i < (row + 1) * cols; i++) sum += exp(logP[i]);
    if (Math.abs(sum - 1) > sumTolerance) {
      throw new DistilgradError(
        "value",
        `klDiv: logProbs must be logarithms of probabilities, got a row ${row} whose exponentials sum to ${sum}; are these logits? Apply logSoftmax first`,
      );
    }
  }

  let total = 0;
  for (let i = 0; i < q.length; i++) {
    // 0 · log 0 = 0, but a NaN must still show.
    if (q[i] !== 0) total += q[i] * (log(q[i]) - logP[i]);
    else if (Number.isNaN(logP[i])) total = Number.NaN;
  }
  const loss = k.alloc(1);
  loss[0] = total / rows;

  return record(
    "klDiv",
    loss,
    [],
    [
      wrt(logProbs, (dLogP, dLoss) => k.addScaled(dLogP, -dLoss[0] / rows, q)),
      wrt(targetProbs, (dq, dLoss) => {
        const share = dLoss[0] / rows;
        for (let i = 0; i < dq.length; i++) if (q[i] !== 0) dq[i] += (log(q[i]) - logP[i] + 1) * share;
      }),
    ],
  );
}
