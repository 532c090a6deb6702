import { requireOptions, requirePositive, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { requireGroups } from "../ops/channels.ts";
import { groupNorm } from "../ops/group-norm.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { type AffineOptions, affineOptions, startingAffine } from "./affine.ts";
import { Module, type Parameter } from "./module.ts";

/** Normalises groups of channels, sample by sample: `[samples, channels, …]`; the same in both modes. */
export class GroupNorm extends Module {
  readonly groups: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  /** @param groups a divisor of channels; as many as channels are instance normalisation */
  constructor(groups: number, channels: number, options: AffineOptions = {}) {
    super();
    requireOptions("GroupNorm", options, affineOptions);
    requireWhole("GroupNorm", "groups", groups, 1);
    requireWhole("GroupNorm", "channels", channels, 1);
    requireGroups("GroupNorm", "in all", channels, groups);
    const { epsilon = 1e-5 } = options;
    requirePositive("GroupNorm", "epsilon", epsilon);
    const { weight, bias } = startingAffine("GroupNorm", [channels], options);
    this.groups = groups;
    this.channels = channels;
    this.epsilon = epsilon;
    this.weight = weight;
    this.bias = bias;
  }

  forward(x: Tensor): Tensor {
    kernelsOf("GroupNorm", x);
    if (x.shape[1] !== this.channels) {
      throw new DistilgradError(
        "shape",
        `GroupNorm: expected x [samples, ${this.channels}, …], got ${formatShape(x.shape)}`,
      );
    }
    const { groups, weight, bias, epsilon } = this;
    return groupNorm(x, groups, { weight, bias, epsilon });
  }
}
