import { DistilgradError } from "../errors.ts";
import { reshape } from "../ops/reshape.ts";
import { formatShape, requireShape, type Shape, sizeOf } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** Every row in another shape: `new Reshape([1, 8, 8])` makes images `[N, 1, 8, 8]` of `[N, 64]`. Nothing is copied. */
export class Reshape extends Module {
  /** Of a row. */
  readonly shape: Shape;

  constructor(shape: Shape) {
    super();
    requireShape("Reshape", shape);
    this.shape = [...shape];
  }

  forward(x: Tensor): Tensor {
    kernelsOf("Reshape", x);
    const [rows, ...each] = x.shape;
    if (rows === undefined || sizeOf(each) !== sizeOf(this.shape)) {
      throw new DistilgradError(
        "shape",
        `Reshape: expected x [N, …] with rows of ${sizeOf(this.shape)} values for ${formatShape(this.shape)}, got ${formatShape(x.shape)}`,
      );
    }
    return reshape(x, [rows, ...this.shape]);
  }
}
