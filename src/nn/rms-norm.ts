import { requireOptions, requirePositive, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { rmsNorm } from "../ops/rms-norm.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { type AffineOptions, affineOptions, startingAffine } from "./affine.ts";
import { Module, type Parameter } from "./module.ts";

/** Brings each row to a mean square of 1; the same in both modes. It learns a scale, and no offset. */
export class RMSNorm extends Module {
  readonly width: number;
  readonly epsilon: number;
  readonly weight: Parameter | null;

  constructor(width: number, options: AffineOptions = {}) {
    super();
    requireOptions("RMSNorm", options, affineOptions);
    requireWhole("RMSNorm", "width", width, 1);
    const { epsilon = 1e-6 } = options;
    requirePositive("RMSNorm", "epsilon", epsilon);
    this.width = width;
    this.epsilon = epsilon;
    this.weight = startingAffine("RMSNorm", [width], options).weight;
  }

  forward(x: Tensor): Tensor {
    kernelsOf("RMSNorm", x);
    if (x.shape.at(-1) !== this.width) {
      throw new DistilgradError(
        "shape",
        `RMSNorm: expected x […, ${this.width}], got ${formatShape(x.shape)}`,
      );
    }
    return rmsNorm(x, { weight: this.weight, epsilon: this.epsilon });
  }
}
