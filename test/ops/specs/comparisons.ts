/** The table of ops: of two values, one. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import * as ops from "../../../src/ops/index.ts";
import { sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { broadcastPair, type Operand, operand, operandIn, thinned } from "../../support/arbitraries.ts";
import { broadcastIndex, pairwise } from "../reference.ts";
import { mixed, mixedMessage, notATensor, type OpSpec, type OpSpecs, three } from "../spec.ts";

/** Values on a grid of 1/8, so that two operands with other offsets stay apart from each other. */
const onGrid = ({ shape, values }: Operand, offset: number): Operand => ({
  shape,
  values: values.map((value) => Math.round(value * 8) / 8 + offset),
});

const comparison = (op: (a: Tensor, b: Tensor) => Tensor, f: (a: number, b: number) => number): OpSpec => ({
  cases: broadcastPair.chain(([a, b, common]) =>
    fc.tuple(operand(a), operand(b)).map((drawn) => {
      const [left, right] = [onGrid(drawn[0], 0), onGrid(drawn[1], 1 / 16)];
      return {
        operands: [left, right],
        call: op,
        shape: common,
        expected: pairwise(f, common)(left, right),
        // Nothing is rounded but the sum of a gradient over what was repeated, once.
        bound: () => 0,
      };
    }),
  ),
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
    cases: broadcastTriple.chain(({ shapes: [a, b, c], common }) =>
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
            operands: [left, right],
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
