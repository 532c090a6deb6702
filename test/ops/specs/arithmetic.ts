/** The table of ops: arithmetic, element by element. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { anyOperand, ordinary } from "../../support/arbitraries.ts";
import { binary, notATensor, type OpSpecs, three, unary } from "../spec.ts";

export const arithmetic = {
  add: binary(ops.add, (a, b) => a + b),
  sub: binary(ops.sub, (a, b) => a - b),
  mul: binary(ops.mul, (a, b) => a * b),
  div: binary(ops.div, (a, b) => a / b, { ...ordinary, gap: 0.5 }),
  neg: unary(ops.neg, (x) => -x),
  scale: {
    rowwise: true,
    cases: fc.tuple(anyOperand(), fc.integer({ min: -64, max: 64 })).map(([x, n]) => ({
      operands: [x],
      call: (t: Tensor) => ops.scale(t, n / 8),
      shape: x.shape,
      expected: x.values.map((v) => (v * n) / 8),
    })),
    errors: [
      [() => ops.scale(three, 1), notATensor("scale")],
      [
        () => ops.scale(ones([2]), ones([2]) as unknown as number),
        "scale: factor must be a number, got object; use mul for two tensors",
      ],
    ],
  },
} satisfies OpSpecs;
