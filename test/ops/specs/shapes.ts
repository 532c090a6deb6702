/** The table of ops: values that move, unchanged. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import { sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, operand, shape, size, thinned } from "../../support/arbitraries.ts";
import { at, filled, replaced } from "../multi-index.ts";
import { broadcastIndex } from "../reference.ts";
import { notATensor, type OpSpecs, three } from "../spec.ts";

export const shapes = {
  broadcastTo: {
    linear: [[0]],
    samples: shape().chain((large) =>
      thinned(large)
        .chain((small) => operand(small))
        .map((x) => ({
          operands: [in64(x)],
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
    linear: [[0]],
    samples: fc
      .tuple(shape(), fc.boolean())
      .chain(([from, inferred]) =>
        fc.tuple(operand(from), fc.shuffledSubarray(from, { minLength: from.length }), fc.constant(inferred)),
      )
      .map(([x, to, inferred]) => ({
        operands: [in64(x)],
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
      [() => ops.reshape(ones([2]), [-1, -1]), "reshape: only one size may be −1, got [-1, -1]"],
    ],
  },
  transpose: {
    linear: [[0]],
    samples: fc
      .tuple(shape({ maxRank: 2 }), size(), size())
      .chain(([lead, r, c]) => operand([...lead, r, c]))
      .map((x) => {
        const [r, c] = x.shape.slice(-2);
        return {
          operands: [in64(x)],
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
  permute: {
    linear: [[0]],
    samples: fc
      .tuple(shape(), fc.boolean())
      .chain(([from, negative]) =>
        fc.tuple(
          operand(from),
          fc.shuffledSubarray(
            from.map((_, axis) => axis),
            { minLength: from.length },
          ),
          fc.constant(negative),
        ),
      )
      .map(([x, axes, negative]) => {
        const to = axes.map((axis) => x.shape[axis]);
        return {
          operands: [in64(x)],
          call: (t: Tensor) => ops.permute(t, negative ? axes.map((axis) => axis - axes.length) : axes),
          shape: to,
          expected: filled(to, (index) =>
            at(
              x,
              axes.reduce(
                (from, axis, i) => replaced(from, axis, index[i]),
                x.shape.map(() => 0),
              ),
            ),
          ),
        };
      }),
    errors: [
      [() => ops.permute(three, [0]), notATensor("permute")],
      [() => ops.permute(ones([2, 3]), [0]), "permute: expected each of the 2 axes of [2, 3] once, got [0]"],
      [
        () => ops.permute(ones([2, 3]), 1 as unknown as number[]),
        "permute: expected each of the 2 axes of [2, 3] once, got 1",
      ],
      [() => ops.permute(ones([2, 3]), [1, -1]), "permute: an axis is named twice in [1, -1]"],
      [() => ops.permute(ones([2, 3]), [0, 2]), "permute: axis 2 is outside [2, 3], which has 2 axes"],
      [() => ops.permute(ones([2, 3]), [0.5, 1]), "permute: axis 0.5 is outside [2, 3], which has 2 axes"],
    ],
  },
} satisfies OpSpecs;
