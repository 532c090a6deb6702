/** Values by their multi-indices, for oracles of ops that move them, and shapes with an axis to move them along. */
import fc from "fast-check";
import type { Shape } from "../../src/shape.ts";
import { type Operand, shape } from "../support/arbitraries.ts";

/** A shape, one of its axes, and that axis as a caller may name it: from either end. */
export const axisWithin = (): fc.Arbitrary<readonly [of: number[], axis: number, given: number]> =>
  shape({ minRank: 1, maxRank: 3 }).chain((of) =>
    fc
      .tuple(fc.nat({ max: of.length - 1 }), fc.boolean())
      .map(([axis, negative]) => [of, axis, negative ? axis - of.length : axis] as const),
  );

/** The entry at a multi-index. */
export const at = ({ shape: of, values }: Operand, index: readonly number[]): number =>
  values[index.reduce((flat, i, axis) => flat * of[axis] + i, 0)];

/** The values of a shape, each from its multi-index. */
export function filled(of: Shape, value: (index: number[]) => number): number[] {
  if (of.length === 0) return [value([])];
  return Array.from({ length: of[0] }, (_, i) => filled(of.slice(1), (rest) => value([i, ...rest]))).flat();
}

/** Operands one behind the other along an axis. */
export function joined(parts: readonly Operand[], axis: number): [shape: number[], values: number[]] {
  const owners = parts.flatMap((part) => Array.from({ length: part.shape[axis] }, (_, i) => ({ part, i })));
  const to = replaced(parts[0].shape, axis, owners.length);
  return [
    to,
    filled(to, (index) => at(owners[index[axis]].part, replaced(index, axis, owners[index[axis]].i))),
  ];
}

/** A list with another entry at one place. */
export const replaced = (list: readonly number[], place: number, entry: number): number[] =>
  list.map((own, i) => (i === place ? entry : own));
