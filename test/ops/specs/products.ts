/** The table of ops: sums of products. */
import fc from "fast-check";
import { ones, zeros } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import * as ops from "../../../src/ops/index.ts";
import { type Shape, sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { broadcastPair, in64, type Operand, operand, shape } from "../../support/arbitraries.ts";
import { broadcastIndex, byRow, product } from "../reference.ts";
import { gamma, mixed, mixedMessage, notATensor, type OpSpecs, three, u } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

/** m, k or n. */
const length = fc.integer({ min: 0, max: 5 });

/** Two batches that broadcast to a third: few, and often none on one side. */
const batches = fc.oneof(
  broadcastPair.filter(([, , batch]) => batch.length <= 2),
  shape({ maxRank: 2 }).map((batch): readonly [Shape, Shape, Shape] => [batch, [], batch]),
);

/** Matrix i of a batch. */
function matrixOf({ shape, values }: Operand, i: number): Operand {
  const own = shape.slice(-2);
  return { shape: own, values: values.slice(i * sizeOf(own), (i + 1) * sizeOf(own)) };
}

function transposed({ shape: [r, c], values }: Operand): Operand {
  return { shape: [c, r], values: values.map((_, i) => values[(i % r) * c + Math.floor(i / r)]) };
}

export const products = {
  matmul: {
    linear: [[0], [1]],
    domain: [
      {
        at: "an inner dimension of 0",
        operands: [ones([2, 0]), ones([0, 2])],
        call: (a, b) => ops.matmul(a, b),
        value: zeros([2, 2]),
        gradients: [ones([2, 0]), ones([0, 2])],
      },
    ],
    golden: pytorch("matmul", () => (a, b) => ops.matmul(a, b)),
    samples: fc
      .tuple(batches, fc.tuple(length, length, length), fc.boolean())
      .chain(([[aBatch, bBatch, batch], [m, k, n], transposeB]) =>
        fc.tuple(
          operand([...aBatch, m, k]),
          operand([...bBatch, ...(transposeB ? [n, k] : [k, n])]),
          fc.constant({ batch, n, transposeB }),
        ),
      )
      .map(([a, b, { batch, n, transposeB }]) => {
        const [m, k] = a.shape.slice(-2);
        const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
        const matrices = Array.from({ length: sizeOf(batch) }, (_, i) => {
          const left = matrixOf(a, broadcastIndex(i, batch, aBatch));
          const right = matrixOf(b, broadcastIndex(i, batch, bBatch));
          return product(left, transposeB ? transposed(right) : right);
        });
        // How many batches share a matrix: the gradient's sum is as many times longer.
        const sharing = [aBatch, bBatch].map((own) => sizeOf(batch) / sizeOf(own) || 0);
        return {
          operands: [a, b].map(in64),
          call: (x: Tensor, y: Tensor) => ops.matmul(x, y, { transposeB }),
          shape: [...batch, m, n],
          expected: matrices.flat(),
          // γ_{2k} Σ |a||b|, with |a|, |b| ≤ 3; the gradients sum over n and m.
          bound: () => gamma(2 * k) * 9 * k,
          gradientBound: (which) => {
            const terms = sharing[which] * (which === 0 ? n : m);
            return gamma(2 * terms) * 3 * terms;
          },
        };
      }),
    errors: [
      [() => ops.matmul(three, three), notATensor("matmul")],
      [() => ops.matmul(...mixed), mixedMessage("matmul")],
      [
        () => ops.matmul(ones([2, 3]), ones([2, 3])),
        "matmul: expected a […, m, k] and b […, k, n], got a [2, 3] and b [2, 3]",
      ],
      [
        () => ops.matmul(ones([3]), ones([3, 2])),
        "matmul: expected a […, m, k] and b […, k, n], got a [3] and b [3, 2]",
      ],
      [
        () => ops.matmul(ones([2, 3]), ones([3])),
        "matmul: expected a […, m, k] and b […, k, n], got a [2, 3] and b [3]",
      ],
      [
        () => ops.matmul(ones([2, 3]), ones([3, 2]), { transposeB: true }),
        "matmul: expected a […, m, k] and b […, n, k], got a [2, 3] and b [3, 2]",
      ],
      [
        () => ops.matmul(ones([5, 4, 2, 3]), ones([2, 3, 5])),
        "matmul: batch axes [5, 4] and [2] do not broadcast: axis 1 is 4 and 2",
      ],
      [
        () => ops.matmul(ones([2, 3]), ones([2, 3]), true as unknown as ops.MatmulOptions),
        "matmul: expected { transposeB }, got true",
      ],
      [
        () => ops.matmul(ones([2, 3]), ones([2, 3]), { transposedB: true } as ops.MatmulOptions),
        'matmul: unknown option "transposedB"; possible are transposeB',
      ],
    ],
  },
  linear: {
    rowAxes: 1,
    linear: [
      [0, 2],
      [1, 2],
    ],
    golden: pytorch("linear", () => (x, weight, bias) => ops.linear(x, weight, bias)),
    samples: fc
      .tuple(
        shape({ maxRank: 2 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
      )
      .chain(([lead, inputs, outputs, withBias]) =>
        fc.tuple(
          operand([...lead, inputs]),
          operand([outputs, inputs]),
          withBias ? fc.tuple(operand([outputs])) : fc.constant([]),
        ),
      )
      .map(([x, weight, bias]) => {
        const inputs = weight.shape[1];
        const outputs = weight.shape[0];
        const lead = x.shape.slice(0, -1);
        return {
          operands: [x, weight, ...bias].map(in64),
          call: ops.linear as (...operands: Tensor[]) => Tensor,
          shape: [...lead, outputs],
          expected: byRow(x, (row) =>
            Array.from({ length: outputs }, (_, o) =>
              row.reduce((sum, v, i) => sum + v * weight.values[o * inputs + i], bias[0]?.values[o] ?? 0),
            ),
          ),
          bound: () => gamma(2 * inputs + 1) * (9 * inputs + 3),
          gradientBound: (which, gradient) => {
            const terms = which === 0 ? outputs : sizeOf(lead);
            return which === 2 ? u * Math.abs(gradient) : gamma(2 * terms) * 3 * terms;
          },
        };
      }),
    errors: [
      [() => ops.linear(three, three), notATensor("linear")],
      [
        () => ops.linear(ones([2, 3]), ones([2, 4])),
        "linear: expected x [rows, in] and weight [out, in], got x [2, 3] and weight [2, 4]",
      ],
      [
        () => ops.linear(ones([2, 3]), ones([4, 3]), ones([3])),
        "linear: expected bias [out] for weight [4, 3], got [3]",
      ],
      [() => ops.linear(ones([2, 3]), ones([4, 3]), ones([4], { kernels: float64 })), mixedMessage("linear")],
    ],
  },
} satisfies OpSpecs;
