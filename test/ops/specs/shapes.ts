/** The table of ops: values that move, unchanged. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import { sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { operand, shape, size, thinned } from "../../support/arbitraries.ts";
import { broadcastIndex } from "../reference.ts";
import { notATensor, type OpSpecs, three } from "../spec.ts";

export const shapes = {
  broadcastTo: {
    cases: shape().chain((large) =>
      thinned(large)
        .chain((small) => operand(small))
        .map((x) => ({
          operands: [x],
          call: (t: Tensor) => ops.broadcastTo(t, large),
          shape: large,
          expected: Array.from(
            { length: sizeOf(large) },
            (_, i) => x.values[broadcastIndex(i, large, x.shape)],
          ),
        })),
    ),
    errors: [
      [() => ops.broadcastTo(three, [2]), notATensor("broadcastTo")],
      [() => ops.broadcastTo(ones([2, 3]), [3]), "broadcastTo: shape [2, 3] does not broadcast to [3]"],
      [() => ops.broadcastTo(ones([2]), [1]), "broadcastTo: shape [2] does not broadcast to [1]"],
      [
        () => ops.broadcastTo(ones([2]), [3]),
        "broadcastTo: shapes [2] and [3] do not broadcast: axis 0 is 2 and 3",
      ],
      [
        () => ops.broadcastTo(ones([1]), [1.5]),
        "broadcastTo: sizes are whole numbers of at least 0, got [1.5]",
      ],
    ],
  },
  reshape: {
    cases: fc
      .tuple(shape(), fc.boolean())
      .chain(([from, inferred]) =>
        fc.tuple(operand(from), fc.shuffledSubarray(from, { minLength: from.length }), fc.constant(inferred)),
      )
      .map(([x, to, inferred]) => ({
        operands: [x],
        call: (t: Tensor) =>
          ops.reshape(
            t,
            inferred && to.length > 0 && sizeOf(to) > 0 ? to.map((d, i) => (i === 0 ? -1 : d)) : to,
          ),
        shape: to,
        expected: x.values,
      })),
    errors: [
      [() => ops.reshape(three, [2]), notATensor("reshape")],
      [() => ops.reshape(ones([2, 3]), [4]), "reshape: [2, 3] holds 6 values and [4] does not"],
      [() => ops.reshape(ones([2, 3]), [4, -1]), "reshape: [2, 3] holds 6 values and [4, -1] does not"],
      [
        () => ops.reshape(ones([2]), [-1, -1]),
        "reshape: sizes are whole numbers of at least 0, got [-1, -1]",
      ],
    ],
  },
  transpose: {
    cases: fc
      .tuple(shape({ maxRank: 2 }), size(), size())
      .chain(([lead, r, c]) => operand([...lead, r, c]))
      .map((x) => {
        const [r, c] = x.shape.slice(-2);
        return {
          operands: [x],
          call: ops.transpose,
          shape: [...x.shape.slice(0, -2), c, r],
          expected: x.values.map((_, i) => {
            const start = i - (i % (r * c));
            return x.values[start + (i % r) * c + Math.floor((i - start) / r)];
          }),
        };
      }),
    errors: [
      [() => ops.transpose(three), notATensor("transpose")],
      [() => ops.transpose(ones([2])), "transpose: expected at least two axes, got [2]"],
    ],
  },
} satisfies OpSpecs;
