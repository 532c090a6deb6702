/** The table of ops: of two values, one. */
import fc from "fast-check";
import { wellSeparated } from "../../../src/check/fast-check/index.ts";
import { ones, tensor } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import * as ops from "../../../src/ops/index.ts";
import { type Shape, sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { broadcastPair, in64, type Operand, operand, operandIn, thinned } from "../../support/arbitraries.ts";
import { broadcastIndex, pairwise } from "../reference.ts";
import { mixed, mixedMessage, notATensor, type OpSpec, type OpSpecs, three } from "../spec.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

/** Two operands without equal values, neither within one nor between both. */
const apart = (a: Shape, b: Shape): fc.Arbitrary<readonly [Operand, Operand]> =>
  wellSeparated({ shape: [sizeOf(a) + sizeOf(b)], kernels: float64 })
    .map(({ data }) => [...data])
    .map((values) => [
      { shape: a, values: values.slice(0, sizeOf(a)) },
      { shape: b, values: values.slice(sizeOf(a)) },
    ]);

const comparison = (op: (a: Tensor, b: Tensor) => Tensor, f: (a: number, b: number) => number): OpSpec => ({
  samples: broadcastPair.chain(([a, b, common]) =>
    apart(a, b).map(([left, right]) => {
      return {
        operands: [left, right].map(in64),
        call: op,
        shape: common,
        expected: pairwise(f, common)(left, right),
        // Nothing is rounded but the sum of a gradient over what was repeated, once.
        bound: () => 0,
      };
    }),
  ),
  kinks: [
    {
      at: "a tie, which goes to the first operand",
      operands: [
        [1, -2, infinity],
        [1, -2, infinity],
      ],
      call: op,
      value: [1, -2, infinity],
      gradients: [
        [1, 1, 1],
        [0, 0, 0],
      ],
    },
    {
      at: "0 and −0, which count as equal",
      operands: [
        [0, -0],
        [-0, 0],
      ],
      call: op,
      gradients: [
        [1, 1],
        [0, 0],
      ],
    },
    {
      at: "NaN, which wins in either operand",
      operands: [
        [none, 1, none],
        [1, none, none],
      ],
      call: op,
      value: [none, none, none],
      gradients: [
        [1, 0, 1],
        [0, 1, 0],
      ],
    },
  ],
  errors: [
    [() => op(three, three), notATensor(op.name)],
    [() => op(...mixed), mixedMessage(op.name)],
    [
      () => op(ones([2, 3]), ones([2])),
      `${op.name}: shapes [2, 3] and [2] do not broadcast: axis 1 is 3 and 2`,
    ],
  ],
});

/** Three shapes that broadcast to a common one, each of them the large one at times. */
const broadcastTriple = broadcastPair.chain(([a, b, common]) =>
  fc
    .tuple(thinned(common), fc.integer({ min: 0, max: 2 }))
    .map(([c, turn]) => ({ shapes: [a, b, c, a, b].slice(turn, turn + 3), common })),
);

export const comparisons = {
  maximum: comparison(ops.maximum, Math.max),
  minimum: comparison(ops.minimum, Math.min),
  where: {
    linear: [[0, 1]],
    domain: [
      {
        at: "numbers that are not picked",
        operands: [
          [none, 2],
          [10, infinity],
        ],
        call: (p: Tensor, q: Tensor) => ops.where(tensor([0, 1], { kernels: p.kernels }), p, q),
        value: [10, 2],
        gradients: [
          [0, 1],
          [1, 0],
        ],
      },
    ],
    samples: broadcastTriple.chain(({ shapes: [a, b, c], common }) =>
      fc
        .tuple(
          operand(a),
          operand(b),
          fc.array(fc.constantFrom(0, 1, -0, -2, 0.5, Number.POSITIVE_INFINITY), {
            minLength: sizeOf(c),
            maxLength: sizeOf(c),
          }),
        )
        .map(([left, right, values]) => {
          const condition = { shape: c, values };
          return {
            operands: [left, right].map(in64),
            call: (p: Tensor, q: Tensor) => ops.where(operandIn(p.kernels, condition), p, q),
            shape: common,
            expected: Array.from({ length: sizeOf(common) }, (_, i) =>
              values[broadcastIndex(i, common, c)] !== 0
                ? left.values[broadcastIndex(i, common, a)]
                : right.values[broadcastIndex(i, common, b)],
            ),
            bound: () => 0,
          };
        }),
    ),
    errors: [
      [() => ops.where(three, ones([2]), ones([2])), notATensor("where")],
      [
        () => ops.where(ones([2]), three, ones([2])),
        "where: operand 1 must be a tensor, got 3; wrap it in tensor(…)",
      ],
      [() => ops.where(ones([2]), ...mixed), mixedMessage("where")],
      [() => ops.where(ones([2]), ones([2]), ones([2], { kernels: float64 })), mixedMessage("where")],
      [
        () => ops.where(ones([3]), ones([2, 3]), ones([2])),
        "where: shapes [2, 3] and [2] do not broadcast: axis 1 is 3 and 2",
      ],
      [
        () => ops.where(ones([4]), ones([2, 1]), ones([3])),
        "where: shapes [2, 3] and [4] do not broadcast: axis 1 is 3 and 4",
      ],
      [
        () => ops.where(ops.scale(ones([2]), Number.NaN), ones([2]), ones([2])),
        "where: condition picks by zero or not zero, got NaN at entry 0, which is neither",
      ],
    ],
  },
} satisfies OpSpecs;
