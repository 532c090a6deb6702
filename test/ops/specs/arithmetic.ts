/** The table of ops: arithmetic, element by element. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { anyOperand, in64, ordinary } from "../../support/arbitraries.ts";
import { binary, notATensor, type OpSpecs, three, unary } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

export const arithmetic = {
  add: { ...binary(ops.add, (a, b) => a + b), linear: [[0, 1]], golden: pytorch("add", () => ops.add) },
  sub: { ...binary(ops.sub, (a, b) => a - b), linear: [[0, 1]], golden: pytorch("sub", () => ops.sub) },
  mul: { ...binary(ops.mul, (a, b) => a * b), linear: [[0], [1]], golden: pytorch("mul", () => ops.mul) },
  div: {
    ...binary(ops.div, (a, b) => a / b, { ...ordinary, gap: 0.5 }),
    linear: [[0]],
    domain: [
      {
        at: "a divisor of 0 or −0",
        operands: [
          [1, -1, 1, 0],
          [0, 0, -0, 0],
        ],
        call: ops.div,
        value: [infinity, -infinity, -infinity, none],
        gradients: [
          [infinity, infinity, -infinity, infinity],
          [-infinity, infinity, -infinity, none],
        ],
      },
      {
        at: "a divisor of 0 where nothing arrives",
        operands: [
          [1, 0],
          [0, 0],
        ],
        call: ops.div,
        gradients: [
          [0, 0],
          [0, 0],
        ],
        cotangent: [0, 0],
      },
    ],
    golden: pytorch("div", () => ops.div),
  },
  neg: { ...unary(ops.neg, (x) => -x), linear: [[0]] },
  scale: {
    rowAxes: 1,
    linear: [[0]],
    samples: fc.tuple(anyOperand(), fc.integer({ min: -64, max: 64 })).map(([x, n]) => ({
      operands: [in64(x)],
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
