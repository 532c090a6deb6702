/** Floor 2: what reductions share: which axes go, and the shapes that are left. */
import { requireFlag } from "../arguments.ts";
import { requireAxes, type Shape } from "../shape.ts";

export interface Reduction {
  /** The reduced axes, ascending. */
  readonly axes: Shape;
  /** How many entries are behind each result. */
  readonly count: number;
  /** The operand's shape with length 1 along every reduced axis: it broadcasts to the operand's. */
  readonly kept: Shape;
  /** The result's shape: `kept`, or without its reduced axes. */
  readonly shape: Shape;
}

/** How `shape` shrinks over `axes`, which may be one axis, a list, or undefined for all of them. */
export function reductionOf(
  op: string,
  shape: Shape,
  axes: number | readonly number[] | undefined,
  keepAxes: boolean,
): Reduction {
  requireFlag(op, "keepAxes", keepAxes);
  const reduced = requireAxes(op, shape, axes);
  const kept = shape.map((length, axis) => (reduced.includes(axis) ? 1 : length));
  return {
    axes: reduced,
    count: reduced.reduce((n, axis) => n * shape[axis], 1),
    kept,
    shape: keepAxes ? kept : shape.filter((_, axis) => !reduced.includes(axis)),
  };
}
