import { requireOptions, requirePositive, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape, sizeOf } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { requireGroups } from "./channels.ts";
import { type NormOptions, normalizeRows, requireAffine } from "./normalization.ts";

/**
 * Brings the values of each group of channels of a sample to mean 0 and variance 1.
 *
 *     m  = Σ x / n        r = 1 / √(Σ (x − m)² / n + ε)        x̂ = (x − m) r        over each group
 *     y  = w x̂ + b        w, b of the channel
 *     dx = r (g − Σ g / n − x̂ Σ (g x̂) / n)        g = w dy
 *     dw = Σ x̂ dy        db = Σ dy        over samples and positions
 *
 * One group is `layerNorm` over everything but the samples; as many groups as channels are instance normalisation.
 *
 * @param x `[samples, channels, …positions]`
 * @param groups a divisor of channels; neighbouring channels make a group
 * @param options.weight `[channels]`, as bias
 * @returns the shape of x
 * @see Wu & He, Group Normalization (2018), arXiv 1803.08494, §3.1
 */
export function groupNorm(x: Tensor, groups: number, options: NormOptions = {}): Tensor {
  kernelsOf("groupNorm", x);
  requireOptions("groupNorm", options, ["weight", "bias", "epsilon"]);
  const { weight, bias, epsilon = 1e-5 } = options;
  requirePositive("groupNorm", "epsilon", epsilon);
  requireWhole("groupNorm", "groups", groups, 1);
  const [, channels = 0] = x.shape;
  const period = sizeOf(x.shape.slice(1));
  if (x.shape.length < 2 || period === 0) {
    throw new DistilgradError(
      "shape",
      `groupNorm: expected x [samples, channels, …] with at least one value a sample, got ${formatShape(x.shape)}`,
    );
  }
  requireGroups("groupNorm", "of x", channels, groups);
  requireAffine(
    "groupNorm",
    x,
    options,
    [channels],
    "weight and bias [channels] for x [samples, channels, …]",
  );
  return normalizeRows("groupNorm", x, period / groups, period, { weight, bias, epsilon });
}
