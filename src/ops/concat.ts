import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { formatShape, requireAxis, sizeOf, stridesOf } from "../shape.ts";
import { kernelsOf, record, type Tensor } from "../tensor.ts";
import { placed } from "./strided-runs.ts";

/**
 * Tensors one behind the other along an axis that they have.
 *
 *     y[…, sᵢ : sᵢ₊₁, …] = xᵢ        s the lengths along the axis added up
 *     dxᵢ = dy[…, sᵢ : sᵢ₊₁, …]
 *
 * @param tensors at least one; their shapes differ along the axis only
 * @param axis −1 is the last
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const k = requireTensors("concat", tensors);
  const first = tensors[0].shape;
  const along = requireAxis("concat", first, axis);
  const shape: number[] = [...first];
  shape[along] = 0;
  for (const [i, x] of tensors.entries()) {
    const fits = (length: number, at: number): boolean => at === along || length === first[at];
    if (x.shape.length !== first.length || !x.shape.every(fits)) {
      throw new DistilgradError(
        "shape",
        `concat: expected equal sizes but along axis ${along}, got ${formatShape(first)} and, as tensor ${i}, ${formatShape(x.shape)}`,
      );
    }
    shape[along] += x.shape[along];
  }
  const strides = stridesOf(shape);
  const y = k.alloc(sizeOf(shape));
  let corner = 0;
  const partials = tensors.map((x) => {
    const partial = placed(y, x, strides, corner);
    corner += x.shape[along] * strides[along];
    return partial;
  });
  return record("concat", y, shape, partials);
}

/** Requires a list of at least one tensor, all made by one kernel set, and returns it. */
export function requireTensors(op: string, tensors: readonly Tensor[]): Kernels {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    const got = Array.isArray(tensors) ? "an empty one" : kindOf(tensors);
    throw new DistilgradError("value", `${op}: expected a list of at least one tensor, got ${got}`);
  }
  return kernelsOf(op, ...tensors);
}
