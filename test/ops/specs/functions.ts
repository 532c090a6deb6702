/** The table of ops: functions of one value. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import { RandomStream } from "../../../src/random.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { anyOperand, ordinary } from "../../support/arbitraries.ts";
import { notATensor, type OpSpecs, three, u, unary } from "../spec.ts";

export const functions = {
  // y is saved rounded, off by u y: so is the derivative.
  exp: unary(ops.exp, Math.exp, ordinary, (_, __, gradient) => 2.001 * u * Math.abs(gradient)),
  log: unary(ops.log, Math.log, { min: 0.5, max: 8 }),
  tanh: unary(ops.tanh, Math.tanh),
  sigmoid: unary(ops.sigmoid, (x) => 1 / (1 + Math.exp(-x))),
  relu: unary(ops.relu, (x) => Math.max(x, 0), { ...ordinary, gap: 0.05 }),
  dropout: {
    cases: fc
      .tuple(anyOperand(), fc.constantFrom(0, 0.5, 0.75), fc.integer({ min: 0, max: 99 }))
      .map(([x, probability, seed]) => {
        const draws = new RandomStream(seed, "dropout");
        return {
          operands: [x],
          call: (t: Tensor) => ops.dropout(t, { probability, random: new RandomStream(seed, "dropout") }),
          shape: x.shape,
          expected: x.values.map((v) => (draws.uniform() < probability ? 0 : v / (1 - probability))),
        };
      }),
    errors: [
      [() => ops.dropout(three, { probability: 0.5, random: new RandomStream(1) }), notATensor("dropout")],
      [
        () => ops.dropout(ones([2]), { probability: 1, random: new RandomStream(1) }),
        "dropout: probability must be in [0, 1), got 1",
      ],
      [
        () => ops.dropout(ones([2]), { probability: Number.NaN, random: new RandomStream(1) }),
        "dropout: probability must be in [0, 1), got NaN",
      ],
    ],
  },
} satisfies OpSpecs;
