import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { relu } from "./relu.ts";

export interface LeakyReluOptions {
  /** By what negative values are multiplied. Default 0.01. */
  readonly slope?: number;
}

/**
 * The rectifier with a slope on its left, so that a unit which is off still learns.
 *
 *     y  = x where x > 0, else slope · x
 *     dx = dy where x > 0, else slope · dy        the derivative at 0 is slope, as in PyTorch
 *
 * With slope 0 it is `relu`.
 *
 * @see Maas, Hannun & Ng, Rectifier nonlinearities improve neural network acoustic models (2013), §2.1
 */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = {}): Tensor {
  const k = kernelsOf("leakyRelu", x);
  const slope = requireSlope("leakyRelu", options);
  // There 0 · ∞ is 0.
  if (slope === 0) return relu(x);
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = values[i] > 0 ? values[i] : slope * values[i];
  return record("leakyRelu", y, x.shape, [
    wrt(x, (dx, dy) => {
      for (let i = 0; i < dx.length; i++) dx[i] += values[i] > 0 ? dy[i] : slope * dy[i];
    }),
  ]);
}

/** The slope that the options set, which must be a finite number. */
export function requireSlope(where: string, options: LeakyReluOptions): number {
  requireOptions(where, options, ["slope"]);
  const { slope = 0.01 } = options;
  if (!Number.isFinite(slope)) {
    throw new DistilgradError("value", `${where}: slope must be a finite number, got ${kindOf(slope)}`);
  }
  return slope;
}
