/** Floor 1: where a NaN or an infinity came from. */
import { Computation, newestFirst } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Names the first op behind `loss` whose result is not finite although everything it read was, or null when `loss` is
 * finite. An op that read such a value is not to blame; then what it read is.
 */
export function firstNonFinite(loss: Tensor): string | null {
  if (allFinite(loss.data)) return null;
  if (!(loss.node instanceof Computation)) return "the loss itself";
  const oldestFirst = newestFirst(loss.node).reverse();
  for (const { op, output, saved } of oldestFirst) {
    if (allFinite(output.data)) continue;
    const operand = saved.slice(0, -1).findIndex(({ data }) => !allFinite(data));
    return operand === -1 ? op : `operand ${operand} of ${op}`;
  }
  return "the loss itself";
}

function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return false;
  return true;
}
