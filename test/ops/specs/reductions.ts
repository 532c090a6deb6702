/** The table of ops: many values become one. */
import fc from "fast-check";
import { type OpPoint, wellSeparated } from "../../../src/check/fast-check/index.ts";
import { ones, zeros } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import * as ops from "../../../src/ops/index.ts";
import { type Shape, sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, type Operand, operand, shape, thinned, valuesOf } from "../../support/arbitraries.ts";
import { broadcastIndex, sumOver } from "../reference.ts";
import { empty, notATensor, type OpSpec, type OpSpecs, three, u } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

type Reduce = (x: Tensor, axes?: number | readonly number[], options?: ops.ReductionOptions) => Tensor;

/** For each result the values behind it, in row-major order. */
function behind({ shape: large, values }: Operand, kept: Shape): number[][] {
  const found = Array.from({ length: sizeOf(kept) }, (): number[] => []);
  for (const [i, value] of values.entries()) found[broadcastIndex(i, large, kept)].push(value);
  return found;
}

/**
 * Some axes or all, counted from the front or from the back, kept or not. `finish` makes one result of its values, of which
 * there are at least `least`.
 */
const reduction = (
  op: Reduce,
  least: number,
  finish: (values: readonly number[]) => number,
  draw: (shape: Shape) => fc.Arbitrary<Operand> = operand,
): OpSpec["samples"] =>
  shape().chain((drawn) =>
    fc
      .tuple(draw(drawn), axesAmong(drawn, least), fc.boolean(), fc.boolean())
      .map(([x, axes, keepAxes, negative]) => {
        const reduced = axes ?? drawn.map((_, axis) => axis);
        const kept = drawn.map((length, axis) => (reduced.includes(axis) ? 1 : length));
        const given = negative ? axes?.map((axis) => axis - drawn.length) : axes;
        return {
          operands: [in64(x)],
          call: (t: Tensor) => op(t, given, { keepAxes }),
          shape: keepAxes ? kept : drawn.filter((_, axis) => !reduced.includes(axis)),
          expected: behind(x, kept).map(finish),
          // Rounded once, like the value.
          gradientBound: (_, gradient) => u * Math.abs(gradient),
        };
      }),
  );

/** Axes with at least so many entries; none given, if that is all of them. */
const axesAmong = (drawn: Shape, least: number): fc.Arbitrary<number[] | undefined> => {
  const possible = drawn.map((_, axis) => axis).filter((axis) => drawn[axis] >= least);
  const some = fc.subarray(possible);
  return possible.length === drawn.length ? fc.option(some, { nil: undefined }) : some;
};

const total = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0);

function spread(values: readonly number[], correction: number): number {
  const mean = total(values) / values.length;
  return total(values.map((x) => (x - mean) ** 2)) / (values.length - correction);
}

/** No two values are equal: a tie is a kink. */
const distinct = (drawn: Shape): fc.Arbitrary<Operand> =>
  wellSeparated({ shape: drawn, kernels: float64 }).map(valuesOf);

/** Nothing to do, for each of three results. */
const noRows = (op: Reduce): OpPoint => ({
  at: "no rows",
  operands: [zeros([0, 3])],
  call: (x) => op(x, 1),
  value: zeros([0]),
  gradients: [zeros([0, 3])],
});

const extreme = (op: Reduce, sign: number, finish: (...values: number[]) => number) =>
  ({
    samples: reduction(op, 1, (values) => finish(...values), distinct).map((drawn) => ({
      ...drawn,
      bound: () => 0,
      gradientBound: () => 0,
    })),
    domain: [
      noRows(op),
      { at: "no axes", operands: [[3, -2]], call: (x) => op(x, []), value: [3, -2], gradients: [[1, 1]] },
    ],
    kinks: [
      {
        at: "a tie, which goes to the first in row-major order",
        operands: [
          [
            [1, 4, 4],
            [4, 0, 2],
          ].map((row) => row.map((x) => sign * x)),
        ],
        call: (x) => op(x),
        value: sign * 4,
        gradients: [
          [
            [0, 1, 0],
            [0, 0, 0],
          ],
        ],
      },
      {
        at: "a tie in each column",
        operands: [
          [
            [1, 4, 4],
            [4, 4, 2],
          ].map((row) => row.map((x) => sign * x)),
        ],
        call: (x) => op(x, 0),
        value: [4, 4, 4].map((x) => sign * x),
        gradients: [
          [
            [0, 1, 1],
            [1, 0, 0],
          ],
        ],
      },
      {
        at: "NaN, of which the first wins",
        operands: [[sign * infinity, none, none, 5]],
        call: (x) => op(x),
        value: none,
        gradients: [[0, 1, 0, 0]],
      },
      {
        at: "0 and −0, of which the first is taken",
        operands: [
          [
            [0, -0],
            [-0, 0],
          ],
        ],
        call: (x) => op(x, 1),
        value: [0, -0],
        gradients: [
          [
            [1, 0],
            [1, 0],
          ],
        ],
      },
    ],
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
  }) satisfies OpSpec;

export const reductions = {
  sumTo: {
    linear: [[0]],
    samples: shape().chain((large) =>
      fc.tuple(operand(large), thinned(large)).map(([x, small]) => ({
        operands: [in64(x)],
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
    // A reshape of a sumTo, or that alone where no axis goes.
    recordedAs: ["reshape", "sumTo"],
    linear: [[0]],
    domain: [
      {
        at: "nothing",
        operands: [zeros([0, 3])],
        call: (x) => ops.sum(x),
        value: 0,
        gradients: [zeros([0, 3])],
      },
    ],
    golden: pytorch(
      "sum",
      ({ attrs }) =>
        (x) =>
          ops.sum(x, attrs.dim),
    ),
    samples: reduction(ops.sum, 0, total),
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
    linear: [[0]],
    domain: [noRows(ops.mean)],
    golden: pytorch(
      "mean",
      ({ attrs }) =>
        (x) =>
          ops.mean(x, attrs.dim),
    ),
    samples: reduction(ops.mean, 1, (values) => total(values) / values.length),
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
    domain: [
      noRows(ops.variance),
      {
        at: "equal values",
        operands: [[1e8, 1e8, 1e8]],
        call: (x) => ops.variance(x),
        value: 0,
        gradients: [[0, 0, 0]],
      },
      {
        at: "values that are large beside their variance",
        operands: [[2 ** 23 - 1, 2 ** 23, 2 ** 23 + 1]],
        call: (x) => ops.variance(x),
        value: 1,
        gradients: [[-1, 0, 1]],
      },
    ],
    samples: fc.constantFrom(0, 0.5, 1, 2).chain((wanted) => {
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
  max: {
    ...extreme(ops.max, 1, Math.max),
    golden: pytorch(
      "amax",
      ({ attrs }) =>
        (x) =>
          ops.max(x, attrs.dim),
    ),
  },
  min: extreme(ops.min, -1, Math.min),
  prod: {
    domain: [
      ...[
        [0, 2, 3],
        [2, 0, 3],
        [2, 3, 0],
      ].map((values) => ({
        at: `a zero in [${values.join(", ")}]`,
        operands: [values],
        call: (x: Tensor) => ops.prod(x),
        value: 0,
        gradients: [values.map((x) => (x === 0 ? 6 : 0))],
      })),
      { at: "two zeros", operands: [[0, 2, 0]], call: (x) => ops.prod(x), value: 0, gradients: [[0, 0, 0]] },
      { at: "nothing", operands: [zeros([0, 2])], call: (x) => ops.prod(x, 0), value: [1, 1] },
    ],
    // Up to 81 values: beyond 1.5 their product would leave float32.
    samples: reduction(
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
