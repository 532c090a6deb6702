import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { exp, expm1 } from "../math.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

export interface EluOptions {
  /** What negative values saturate at, with the sign turned. Default 1, which makes the derivative continuous. */
  readonly alpha?: number;
}

/**
 * The exponential linear unit: negative values saturate at −α.
 *
 *     y  = x where x > 0, else α (eˣ − 1)
 *     dx = dy where x > 0, else α eˣ ⊙ dy        the derivative at 0 is α, as in PyTorch
 *
 * eˣ − 1 is computed in one piece and keeps its digits close to 0.
 *
 * @see Clevert, Unterthiner & Hochreiter, Fast and accurate deep network learning by exponential linear units (2016),
 *   arXiv 1511.07289, §3
 */
export function elu(x: Tensor, options: EluOptions = {}): Tensor {
  const k = kernelsOf("elu", x);
  const alpha = requireAlpha("elu", options);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = values[i] > 0 ? values[i] : alpha * expm1(values[i]);
  return record("elu", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) dx[i] += values[i] > 0 ? dy[i] : alpha * exp(values[i]) * dy[i];
    }),
  ]);
}

/** The α that the options set, which must be a finite number. */
export function requireAlpha(where: string, options: EluOptions): number {
  requireOptions(where, options, ["alpha"]);
  const { alpha = 1 } = options;
  if (!Number.isFinite(alpha)) {
    throw new DistilgradError("value", `${where}: alpha must be a finite number, got ${kindOf(alpha)}`);
  }
  return alpha;
}
