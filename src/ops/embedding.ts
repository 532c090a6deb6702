import { DistilgradError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { gathered, requireIndices } from "./gather.ts";

/**
 * A row of a table for every index.
 *
 *     Y  = W[indices]                        the product of one-hot rows with W, without the product
 *     dW[i] = Σ dY[p] over every p with indices[p] = i
 *
 * No gradient flows into the indices. Those of a row are summed in float64, in ascending order of position, and rounded
 * once.
 *
 * @param indices `[…]` whole numbers in [0, rows), as a tensor; float32 holds those up to 2²⁴
 * @param weight `[rows, width]`
 * @returns `[…, width]`
 */
export function embedding(indices: Tensor, weight: Tensor): Tensor {
  kernelsOf("embedding", indices, weight);
  const [rows, width] = weight.shape;
  if (weight.shape.length !== 2) {
    throw new DistilgradError(
      "shape",
      `embedding: expected weight [rows, width], got ${formatShape(weight.shape)}`,
    );
  }
  const places = requireIndices("embedding", indices.data, rows);
  return gathered("embedding", weight, places, 0, [...indices.shape, width]);
}
