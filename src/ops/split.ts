import { kindOf, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape, requireAxis } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { slice } from "./slice.ts";

/**
 * A tensor in parts along one axis, in order: each is a `slice`.
 *
 *     yᵢ = x[…, sᵢ : sᵢ₊₁, …]        s the sizes added up
 *     dx = Σ dyᵢ, each in its place
 *
 * @param parts how many equal parts, or the size of each
 * @throws where parts cannot be equal, or sizes do not add up to the axis
 */
export function split(x: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  kernelsOf("split", x);
  const along = requireAxis("split", x.shape, axis);
  const length = x.shape[along];
  const sizes = typeof parts === "number" ? equalParts(x, parts, along) : parts;
  if (!Array.isArray(sizes)) {
    throw new DistilgradError(
      "value",
      `split: expected a number of parts or a list of their sizes, got ${kindOf(sizes)}`,
    );
  }
  let end = 0;
  for (const size of sizes) {
    requireWhole("split", "a size", size, 0);
    end += size;
  }
  if (end !== length) {
    throw new DistilgradError(
      "shape",
      `split: sizes ${formatShape(sizes)} add up to ${end}, but axis ${along} of ${formatShape(x.shape)} has ${length}`,
    );
  }
  end = 0;
  return sizes.map((size) => slice(x, along, end, (end += size)));
}

function equalParts({ shape }: Tensor, parts: number, axis: number): number[] {
  requireWhole("split", "parts", parts, 1);
  if (shape[axis] % parts !== 0) {
    throw new DistilgradError(
      "shape",
      `split: axis ${axis} of ${formatShape(shape)} does not divide into ${parts} equal parts; pass their sizes`,
    );
  }
  return new Array<number>(parts).fill(shape[axis] / parts);
}
