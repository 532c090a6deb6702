/** Floor 1: where a NaN or an infinity came from. */
import { Computation, newestFirst, type Storage } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** The op behind a loss that met the first value which is not finite. */
export interface NonFinite {
  readonly op: string;
  /** The operand that brought it; null when the operands were finite and the op made it. */
  readonly operand: { readonly index: number; readonly storage: Storage } | null;
}

/**
 * Finds the first op behind `loss` whose result is not finite, or null when `loss` is finite. An op that read such a
 * value is not to blame; then what it read is.
 */
export function firstNonFinite(loss: Tensor): NonFinite | null {
  if (allFinite(loss.data)) return null;
  if (!(loss.node instanceof Computation)) return { op: "the loss itself", operand: null };
  const first = newestFirst(loss.node)
    .reverse()
    .find(({ output }) => !allFinite(output.data))!;
  const operands = first.saved.slice(0, -1);
  const index = operands.findIndex(({ data }) => !allFinite(data));
  return { op: first.op, operand: index === -1 ? null : { index, storage: operands[index] } };
}

function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return false;
  return true;
}
