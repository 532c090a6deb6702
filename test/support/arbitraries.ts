import fc from "fast-check";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";

/** An operand before it has a precision: float32 values, so that both sets start from the same numbers. */
export interface Operand {
  readonly shape: Shape;
  readonly values: readonly number[];
}

export const operandIn = (kernels: Kernels, { shape, values }: Operand): Tensor => {
  const data = kernels.alloc(values.length);
  data.set(values);
  return new Tensor(data, shape, kernels);
};

export const in64 = (operand: Operand): Tensor => operandIn(float64, operand);

/** Where the values of an operand lie. */
export interface Range {
  readonly min: number;
  readonly max: number;
  /** Values stay this far from 0: a kink, or a pole. Default 0. */
  readonly gap?: number;
}

export const ordinary: Range = { min: -3, max: 3 };

/**
 * A float32 in the range with all 24 bits of its mantissa drawn, over a few powers of two, so that sums and products do
 * round; now and then 0 and ±1.
 */
export function value({ min, max, gap = 0 }: Range): fc.Arbitrary<number> {
  const away = (x: number): boolean => x >= min && x <= max && Math.abs(x) >= gap;
  const anywhere = fc
    .tuple(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.constantFrom(1, 1, 1, 1, 1, 2 ** -3, 2 ** -7, 2 ** -12),
    )
    .map(([n, size]) => Math.fround((min + ((max - min) * n) / 2 ** 32) * size))
    .filter(away);
  const special = fc.constantFrom(...[0, 1, -1].filter(away));
  return fc.oneof({ weight: 9, arbitrary: anywhere }, { weight: 1, arbitrary: special });
}

/** Rank 0 to 4, with sizes 1 often and 0 now and then. */
export const shape = (
  options: { minRank?: number; maxRank?: number; minSize?: number } = {},
): fc.Arbitrary<number[]> =>
  fc.array(size(options.minSize ?? 0), { minLength: options.minRank ?? 0, maxLength: options.maxRank ?? 4 });

export const size = (min = 0): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 2, max: 3 }) },
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: min === 0 ? 1 : 0, arbitrary: fc.constant(0) },
  );

export const operand = (ofShape: Shape, range: Range = ordinary): fc.Arbitrary<Operand> =>
  fc
    .array(value(range), { minLength: sizeOf(ofShape), maxLength: sizeOf(ofShape) })
    .map((values) => ({ shape: ofShape, values }));

/** An operand of any shape. */
export const anyOperand = (range: Range = ordinary): fc.Arbitrary<Operand> =>
  shape().chain((drawn) => operand(drawn, range));

/** Two shapes that broadcast to a common one: axes dropped in front, others set to 1. */
export const broadcastPair: fc.Arbitrary<readonly [Shape, Shape, Shape]> = shape().chain((common) =>
  fc.tuple(thinned(common), thinned(common)).map(([a, b]) => [a, b, union(common, a, b)] as const),
);

/** A shape that broadcasts to `common`. */
export const thinned = (common: Shape): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: common.length }),
      fc.array(fc.boolean(), { minLength: common.length, maxLength: common.length }),
    )
    .map(([dropped, ones]) => common.map((length, axis) => (ones[axis] ? 1 : length)).slice(dropped));

/** What two thinned shapes broadcast to: where both lost an axis to 1, it is 1. */
function union(common: Shape, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return common.slice(common.length - rank).map((length, axis) => {
    const [da, db] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    return da === 1 && db === 1 ? 1 : length;
  });
}
