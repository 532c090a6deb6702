import { DistilgradError } from "../errors.ts";
import { log } from "../math.ts";
import { record, type Tensor, wrt } from "../tensor.ts";
import { lossRowsOf, requireProbabilities, requireSameShape } from "./operands.ts";

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
  for (let i = 0; i < logP.length; i++) {
    if (logP[i] > 0.02) {
      throw new DistilgradError(
        "value",
        `klDiv: logProbs are at most 0, got ${logP[i]} in row ${Math.floor(i / cols)}; are these logits? Apply logSoftmax first`,
      );
    }
  }

  let total = 0;
  for (let i = 0; i < q.length; i++) if (q[i] !== 0) total += q[i] * (log(q[i]) - logP[i]);
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
