/** The table of ops: many values become one. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import { type Shape, sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { type Operand, operand, shape, thinned } from "../../support/arbitraries.ts";
import { broadcastIndex, sumOver } from "../reference.ts";
import { axesOf, empty, notATensor, type OpSpec, type OpSpecs, three, u } from "../spec.ts";

type Reduce = (x: Tensor, axes?: number | readonly number[], options?: ops.ReductionOptions) => Tensor;

/** For each result the values behind it, in row-major order. */
function behind({ shape: large, values }: Operand, kept: Shape): number[][] {
  const found = Array.from({ length: sizeOf(kept) }, (): number[] => []);
  for (const [i, value] of values.entries()) found[broadcastIndex(i, large, kept)].push(value);
  return found;
}

/** Some axes or all, counted from the front or from the back, kept or not. `finish` makes one result of its values. */
const reduction = (
  op: Reduce,
  minSize: number,
  finish: (values: readonly number[]) => number,
  draw: (shape: Shape) => fc.Arbitrary<Operand> = operand,
): OpSpec["cases"] =>
  shape({ minSize }).chain((drawn) =>
    fc
      .tuple(draw(drawn), axesOf(drawn.length), fc.boolean(), fc.boolean())
      .map(([x, axes, keepAxes, negative]) => {
        const reduced = axes ?? drawn.map((_, axis) => axis);
        const kept = drawn.map((length, axis) => (reduced.includes(axis) ? 1 : length));
        const given = negative ? axes?.map((axis) => axis - drawn.length) : axes;
        return {
          operands: [x],
          call: (t: Tensor) => op(t, given, { keepAxes }),
          shape: keepAxes ? kept : drawn.filter((_, axis) => !reduced.includes(axis)),
          expected: behind(x, kept).map(finish),
          // Rounded once, like the value.
          gradientBound: (_, gradient) => u * Math.abs(gradient),
        };
      }),
  );

const total = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0);

function spread(values: readonly number[], correction: number): number {
  const mean = total(values) / values.length;
  return total(values.map((x) => (x - mean) ** 2)) / (values.length - correction);
}

/** No two values are equal: a tie is a kink. They are 1/16 apart, so that none comes near within a difference's step. */
const distinct = (drawn: Shape): fc.Arbitrary<Operand> => {
  const all = Array.from({ length: sizeOf(drawn) }, (_, i) => (i - sizeOf(drawn) / 2) / 16);
  return fc.shuffledSubarray(all, { minLength: all.length }).map((values) => ({ shape: drawn, values }));
};

const extreme = (op: Reduce, finish: (...values: number[]) => number): OpSpec => ({
  cases: reduction(op, 1, (values) => finish(...values), distinct).map((drawn) => ({
    ...drawn,
    bound: () => 0,
    gradientBound: () => 0,
  })),
  errors: [
    [() => op(three), notATensor(op.name)],
    [() => op(empty), `${op.name}: nothing to compare in [0, 3] over axes [0, 1]`],
    [() => op(empty, 0), `${op.name}: nothing to compare in [0, 3] over axes [0]`],
    [() => op(ones([2]), 1), `${op.name}: axis 1 is outside [2], which has 1 axes`],
    [() => op(ones([2, 3]), [1, -1]), `${op.name}: an axis is named twice in [1, -1]`],
    [() => op(ones([2]), 0, true as never), `${op.name}: expected { keepAxes }, got true`],
    [
      () => op(ones([2]), 0, { keepDims: true } as never),
      `${op.name}: unknown option "keepDims"; possible are keepAxes`,
    ],
  ],
});

export const reductions = {
  sumTo: {
    cases: shape().chain((large) =>
      fc.tuple(operand(large), thinned(large)).map(([x, small]) => ({
        operands: [x],
        call: (t: Tensor) => ops.sumTo(t, small),
        shape: small,
        expected: sumOver(x, small),
      })),
    ),
    errors: [
      [() => ops.sumTo(three, [2]), notATensor("sumTo")],
      [() => ops.sumTo(ones([3]), [2, 3]), "sumTo: shape [2, 3] does not broadcast to [3]"],
    ],
  },
  sum: {
    cases: reduction(ops.sum, 0, total),
    errors: [
      [() => ops.sum(three), notATensor("sum")],
      [() => ops.sum(ones([2, 3]), 2), "sum: axis 2 is outside [2, 3], which has 2 axes"],
      [() => ops.sum(ones([2, 3]), [0, -2]), "sum: an axis is named twice in [0, -2]"],
      [
        () => ops.sum(ones([2]), 0, { keepDims: true } as object),
        'sum: unknown option "keepDims"; possible are keepAxes',
      ],
      [() => ops.sum(ones([2, 3]), 0.5), "sum: axis 0.5 is outside [2, 3], which has 2 axes"],
    ],
  },
  mean: {
    cases: reduction(ops.mean, 1, (values) => total(values) / values.length),
    errors: [
      [() => ops.mean(three), notATensor("mean")],
      [() => ops.mean(empty, 0), "mean: nothing to average in [0, 3] over axes [0]"],
      [
        () => ops.mean(ones([2]), 0, { keepDims: true } as object),
        'mean: unknown option "keepDims"; possible are keepAxes',
      ],
      [() => ops.mean(ones([2]), 1), "mean: axis 1 is outside [2], which has 1 axes"],
    ],
  },
  variance: {
    cases: fc.constantFrom(0, 0.5, 1, 2).chain((wanted) => {
      // Where there are too few values for the correction there is none.
      const correctionFor = (count: number): number => (count > wanted ? wanted : 0);
      return reduction(
        (x, axes, options) => {
          const correction = correctionFor(x.size / ops.sum(x, axes).size);
          return ops.variance(x, axes, { ...options, correction });
        },
        1,
        (values) => spread(values, correctionFor(values.length)),
      );
    }),
    errors: [
      [() => ops.variance(three), notATensor("variance")],
      [() => ops.variance(ones([2]), 1), "variance: axis 1 is outside [2], which has 1 axes"],
      [
        () => ops.variance(ones([1])),
        "variance: expected more values than the correction of 1, got 1 in [1] over axes [0]",
      ],
      [
        () => ops.variance(ones([3, 2]), [1, 0], { correction: 6 }),
        "variance: expected more values than the correction of 6, got 6 in [3, 2] over axes [0, 1]",
      ],
      [
        () => ops.variance(empty, 0, { correction: 0 }),
        "variance: expected more values than the correction of 0, got 0 in [0, 3] over axes [0]",
      ],
      ...[-1, Number.NaN, Number.POSITIVE_INFINITY].map(
        (correction) =>
          [
            () => ops.variance(ones([2]), 0, { correction }),
            `variance: correction must be a finite number of at least 0, got ${correction}`,
          ] as const,
      ),
      [
        () => ops.variance(ones([2]), 0, { correction: "1" } as never),
        'variance: correction must be a finite number of at least 0, got "1", a string',
      ],
      [
        () => ops.variance(ones([2]), 0, { unbiased: true } as never),
        'variance: unknown option "unbiased"; possible are keepAxes, correction',
      ],
      [() => ops.variance(ones([2]), 0, 1 as never), "variance: expected { keepAxes, correction }, got 1"],
    ],
  },
  max: extreme(ops.max, Math.max),
  min: extreme(ops.min, Math.min),
  prod: {
    // Up to 81 values: beyond 1.5 their product would leave float32.
    cases: reduction(
      ops.prod,
      0,
      (values) => values.reduce((product, x) => product * x, 1),
      (drawn) => operand(drawn, { min: -1.5, max: 1.5 }),
    ),
    errors: [
      [() => ops.prod(three), notATensor("prod")],
      [() => ops.prod(ones([2, 3]), 2), "prod: axis 2 is outside [2, 3], which has 2 axes"],
      [() => ops.prod(ones([2]), 0, null as never), "prod: expected { keepAxes }, got null"],
      [
        () => ops.prod(ones([2]), 0, { keepDims: true } as never),
        'prod: unknown option "keepDims"; possible are keepAxes',
      ],
    ],
  },
} satisfies OpSpecs;
