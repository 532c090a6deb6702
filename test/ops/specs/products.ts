/** The table of ops: sums of products. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import * as ops from "../../../src/ops/index.ts";
import { sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { operand, shape } from "../../support/arbitraries.ts";
import { byRow, product } from "../reference.ts";
import { gamma, mixed, mixedMessage, notATensor, type OpSpecs, three, u } from "../spec.ts";

export const products = {
  matmul: {
    rowwise: true,
    cases: fc
      .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }))
      .chain(([m, k, n]) => fc.tuple(operand([m, k]), operand([k, n])))
      .map(([a, b]) => {
        const [k, m, n] = [a.shape[1], a.shape[0], b.shape[1]];
        return {
          operands: [a, b],
          call: ops.matmul,
          shape: [m, n],
          expected: product(a, b),
          // γ_{2k} Σ |a||b|, with |a|, |b| ≤ 3; the gradients sum over n and m.
          bound: () => gamma(2 * k) * 9 * k,
          gradientBound: (which) => (which === 0 ? gamma(2 * n) * 3 * n : gamma(2 * m) * 3 * m),
        };
      }),
    errors: [
      [() => ops.matmul(three, three), notATensor("matmul")],
      [() => ops.matmul(...mixed), mixedMessage("matmul")],
      [
        () => ops.matmul(ones([2, 3]), ones([2, 3])),
        "matmul: expected a [m, k] and b [k, n], got a [2, 3] and b [2, 3]",
      ],
      [
        () => ops.matmul(ones([3]), ones([3, 2])),
        "matmul: expected a [m, k] and b [k, n], got a [3] and b [3, 2]",
      ],
    ],
  },
  linear: {
    rowwise: true,
    cases: fc
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
          operands: [x, weight, ...bias],
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
