import { requireInstance } from "../arguments.ts";
import { encodeUtf8 } from "../io/utf8.ts";
import { precisionOf } from "../kernels/rounding.ts";
import { sha256, sha256OfFloats } from "../sha256.ts";
import { formatShape } from "../shape.ts";
import type { NamedTensors } from "./module.ts";

/**
 * One SHA-256 of names, shapes, precisions and values: equal for models that hold the same numbers under the same names,
 * in whatever order.
 *
 *     sha256 of a line `"name" [shape] precision sha256(values)` for each tensor, sorted by name, names as in JSON
 *
 * Every NaN counts as the same one; −0 and +0 differ. What a model computes with its numbers is no part of it.
 *
 * @param state such as `model.stateDict()`
 * @returns 64 hexadecimal digits
 * @see FIPS 180-4, Secure Hash Standard (2015), §6.2
 */
export function stateHash(state: NamedTensors): string {
  requireInstance("stateHash", "a Map of tensors, as stateDict() gives it", state, Map);
  const lines = [...state.keys()].sort().map((name) => {
    const { shape, kernels, data } = state.get(name)!;
    return `${JSON.stringify(name)} ${formatShape(shape)} ${precisionOf(kernels)} ${sha256OfFloats([data])}\n`;
  });
  return sha256(encodeUtf8("stateHash", lines.join("")));
}
