import { DistilgradError } from "../errors.ts";
import { reshape } from "../ops/reshape.ts";
import { formatShape, sizeOf } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** Every row as a vector: `[N, …]` to `[N, product of the others]`. Nothing is copied. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    kernelsOf("Flatten", x);
    if (x.shape.length === 0) {
      throw new DistilgradError("shape", `Flatten: expected rows [N, …], got ${formatShape(x.shape)}`);
    }
    const [rows, ...each] = x.shape;
    return reshape(x, [rows, sizeOf(each)]);
  }
}
