import { DistilgradError } from "../errors.ts";
import type { RandomStream } from "../random.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

export interface DropoutSettings {
  /** p in [0, 1): how likely each value is to be dropped. */
  readonly probability: number;
  /** Where the draws come from, one a value, in row-major order. */
  readonly random: RandomStream;
}

/**
 * Sets each value to 0 with probability p and scales the rest, so that the mean stays what it was.
 *
 *     y  = m ⊙ x        m = 0 with probability p, else 1 / (1 − p)
 *     dx = m ⊙ dy
 *
 * With p = 0 it is the identity and draws nothing. It always drops: the layer `Dropout` knows about training mode.
 *
 * @see Srivastava et al., Dropout, JMLR 15 (2014), §4 (here inverted: scaled in training, so that evaluation is free)
 */
export function dropout(x: Tensor, { probability, random }: DropoutSettings): Tensor {
  const k = kernelsOf("dropout", x);
  requireProbability("dropout", probability);
  if (probability === 0) return x;
  const mask = k.alloc(x.size);
  const kept = 1 / (1 - probability);
  for (let i = 0; i < mask.length; i++) mask[i] = random.uniform() < probability ? 0 : kept;
  const y = k.alloc(x.size);
  k.mul(y, x.data, mask);
  return record("dropout", y, x.shape, [wrt(x, (dx, dy) => k.addProduct(dx, mask, dy))]);
}

/** Requires a probability of dropping in [0, 1). */
export function requireProbability(where: string, probability: number): void {
  if (!(probability >= 0 && probability < 1)) {
    throw new DistilgradError("value", `${where}: probability must be in [0, 1), got ${probability}`);
  }
}
