import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { RandomStream } from "../random.ts";
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
export function dropout(x: Tensor, settings: DropoutSettings): Tensor {
  const k = kernelsOf("dropout", x);
  requireOptions("dropout", settings, ["probability", "random"]);
  const { probability, random } = settings;
  requireProbability("dropout", probability);
  requireInstance("dropout", "random, a RandomStream", random, RandomStream);
  if (probability === 0) return x;
  const mask = k.alloc(x.size);
  const kept = 1 / (1 - probability);
  for (let i = 0; i < mask.length; i++) mask[i] = random.uniform() < probability ? 0 : kept;
  const values = x.data;
  const y = k.alloc(x.size);
  // Not a plain product: a dropped ∞ is 0, not NaN.
  for (let i = 0; i < y.length; i++) if (mask[i] !== 0) y[i] = values[i] * mask[i];
  return record("dropout", y, x.shape, [wrt(x, (dx, dy) => k.addProduct(dx, mask, dy))]);
}

/** Requires a probability of dropping in [0, 1). */
export function requireProbability(where: string, probability: unknown): void {
  if (!(typeof probability === "number" && probability >= 0 && probability < 1)) {
    throw new DistilgradError("value", `${where}: probability must be in [0, 1), got ${kindOf(probability)}`);
  }
}
