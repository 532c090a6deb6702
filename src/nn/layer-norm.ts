import { requireOptions, requirePositive, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { layerNorm } from "../ops/layer-norm.ts";
import { reshape } from "../ops/reshape.ts";
import { formatShape, requireShape, type Shape, sameShape, sizeOf } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { type AffineOptions, affineOptions, startingAffine } from "./affine.ts";
import { Module, type Parameter } from "./module.ts";

export interface LayerNormOptions extends AffineOptions {
  /** Whether the offset is learned, where `affine` holds. Default true. */
  readonly bias?: boolean;
}

/** Normalises the values of each row, or of each block of trailing axes; the same in both modes. */
export class LayerNorm extends Module {
  readonly shape: Shape;
  readonly epsilon: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  /** @param shape the length of a row, or the trailing axes that are normalised together */
  constructor(shape: number | Shape, options: LayerNormOptions = {}) {
    super();
    requireOptions("LayerNorm", options, [...affineOptions, "bias"]);
    const axes = typeof shape === "number" ? [shape] : shape;
    requireShape("LayerNorm", axes);
    for (const size of axes) requireWhole("LayerNorm", "a size", size, 1);
    if (axes.length === 0) {
      throw new DistilgradError("shape", "LayerNorm: expected at least one axis, got []");
    }
    const { epsilon = 1e-5 } = options;
    requirePositive("LayerNorm", "epsilon", epsilon);
    const { weight, bias } = startingAffine("LayerNorm", axes, options);
    this.shape = [...axes];
    this.epsilon = epsilon;
    this.weight = weight;
    this.bias = bias;
  }

  forward(x: Tensor): Tensor {
    kernelsOf("LayerNorm", x);
    const { shape, weight, bias, epsilon } = this;
    if (!sameShape(x.shape.slice(-shape.length), shape)) {
      throw new DistilgradError(
        "shape",
        `LayerNorm: expected x […, ${shape.join(", ")}], got ${formatShape(x.shape)}`,
      );
    }
    if (weight) return layerNorm(x, { weight, bias, epsilon });
    // Without a weight the op takes the last axis for a row.
    const n = sizeOf(shape);
    return reshape(layerNorm(reshape(x, [x.size / n, n]), { epsilon }), x.shape);
  }
}
