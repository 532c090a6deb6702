/** The table of ops: rows of logits. */
import type { OpPoint } from "../../../src/check/fast-check/index.ts";
import { ones, zeros } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64 } from "../../support/arbitraries.ts";
import { byRow, logSumExpRow, softmaxRow } from "../reference.ts";
import { notATensor, type OpSpecs, rows, softmaxGradientBound, three, u } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

/** Rows and what they give, alone and, in the end, in one batch: none changes a bit of another. */
const rowPoints = (
  op: (x: Tensor) => Tensor,
  points: readonly (readonly [at: string, row: number[], value: number[] | number])[],
): OpPoint[] => {
  const together = points.filter(([, row]) => row.length === 2);
  return [
    ...points.map(([at, row, value]) => ({ at, operands: [row], call: op, value })),
    {
      at: "all rows of two classes in one batch",
      operands: [together.map(([, row]) => row)],
      call: op,
      value: together.map(([, , value]) => value),
    },
  ];
};

/** Golden logits with another axis in the place of the last. */
const along =
  (op: (x: Tensor) => Tensor, dim = -1) =>
  (x: Tensor): Tensor =>
    op(dim === -1 || dim === x.shape.length - 1 ? x : ops.transpose(x));

export const softmaxes = {
  softmax: {
    rowAxes: 1,
    domain: [
      ...rowPoints(ops.softmax, [
        ["a lead of 10⁴", [1e4, 0], [1, 0]],
        ["equal logits", [-7.25, -7.25], [0.5, 0.5]],
        ["equal logits near the end of float32", [-3e38, -3e38, -3e38, -3e38], [0.25, 0.25, 0.25, 0.25]],
        ["a tie for the first place", [0, 1e4, 1e4], [0, 0.5, 0.5]],
        ["−∞", [-infinity, 0], [0, 1]],
        ["nothing but −∞", [-infinity, -infinity], [none, none]],
        ["∞", [infinity, 0], [none, none]],
        ["NaN", [0, none], [none, none]],
        ["one class", [7], [1]],
      ]),
      {
        at: "certainty, whose gradient is 0",
        operands: [[1e4, 0]],
        call: ops.softmax,
        gradients: [[0, 0]],
        cotangent: [1, 5],
      },
      {
        at: "−∞, whose gradient is 0",
        operands: [[-infinity, 0]],
        call: ops.softmax,
        gradients: [[0, 0]],
        cotangent: [1, 5],
      },
      {
        at: "one class, whose gradient is 0",
        operands: [[7]],
        call: ops.softmax,
        gradients: [[0]],
        cotangent: [3],
      },
      {
        at: "no rows",
        operands: [zeros([0, 3])],
        call: ops.softmax,
        value: zeros([0, 3]),
        gradients: [zeros([0, 3])],
      },
    ],
    golden: pytorch("softmax", ({ attrs }) => along(ops.softmax, attrs.dim)),
    samples: rows().map((x) => ({
      operands: [in64(x)],
      call: ops.softmax,
      shape: x.shape,
      expected: byRow(x, softmaxRow),
      bound: (y) => 1.0002 * u * y,
      gradientBound: softmaxGradientBound(x),
    })),
    errors: [
      [() => ops.softmax(three), notATensor("softmax")],
      [() => ops.softmax(ones([])), "softmax: expected a last axis with at least one entry, got []"],
      [() => ops.softmax(ones([2, 0])), "softmax: expected a last axis with at least one entry, got [2, 0]"],
    ],
  },
  logSoftmax: {
    rowAxes: 1,
    domain: [
      ...rowPoints(ops.logSoftmax, [
        ["a lead of 10⁴", [1e4, 0], [0, -1e4]],
        ["equal logits", [-7.25, -7.25], [-Math.LN2, -Math.LN2]],
        [
          "equal logits near the end of float32",
          [-3e38, -3e38, -3e38],
          [-Math.log(3), -Math.log(3), -Math.log(3)],
        ],
        ["−∞", [-infinity, 0], [-infinity, 0]],
        ["nothing but −∞", [-infinity, -infinity], [none, none]],
        ["∞", [infinity, 0], [none, none]],
        ["NaN", [0, none], [none, none]],
        ["one class", [7], [0]],
      ]),
      {
        at: "−∞, whose gradient is finite",
        operands: [[-infinity, 0]],
        call: ops.logSoftmax,
        gradients: [[2, -2]],
        cotangent: [2, 3],
      },
      {
        at: "one class, whose gradient is 0",
        operands: [[7]],
        call: ops.logSoftmax,
        gradients: [[0]],
        cotangent: [3],
      },
      {
        at: "no rows",
        operands: [zeros([0, 3])],
        call: ops.logSoftmax,
        value: zeros([0, 3]),
        gradients: [zeros([0, 3])],
      },
    ],
    golden: pytorch("log_softmax", ({ attrs }) => along(ops.logSoftmax, attrs.dim)),
    samples: rows().map((x) => ({
      operands: [in64(x)],
      call: ops.logSoftmax,
      shape: x.shape,
      expected: byRow(x, (row) => row.map((v) => v - logSumExpRow(row))),
      bound: (y) => 1.0002 * u * Math.abs(y) + 1e-15,
      // exp(y) with y off by u |y| is off by u |y| exp(y) ≤ u/e.
      gradientBound: (_, gradient, i, dy) => {
        const cols = x.shape[x.shape.length - 1];
        const start = i - (i % cols);
        const total = dy.slice(start, start + cols).reduce((sum, v) => sum + Math.abs(v), 0);
        return 1.0002 * u * Math.abs(gradient) + (u / Math.E) * total + 1e-15;
      },
    })),
    errors: [
      [() => ops.logSoftmax(three), notATensor("logSoftmax")],
      [() => ops.logSoftmax(ones([])), "logSoftmax: expected a last axis with at least one entry, got []"],
      [
        () => ops.logSoftmax(ones([2, 0])),
        "logSoftmax: expected a last axis with at least one entry, got [2, 0]",
      ],
    ],
  },
  logSumExp: {
    rowAxes: 1,
    domain: [
      ...rowPoints(ops.logSumExp, [
        ["a lead of 10⁴", [1e4, 0], 1e4],
        ["equal logits", [0, 0], Math.LN2],
        ["equal logits near the end of float32", [3e38, 3e38, 3e38], 3e38],
        ["−∞", [-infinity, 3], 3],
        ["nothing but −∞", [-infinity, -infinity], -infinity],
        ["∞", [infinity, 0], infinity],
        ["NaN", [0, none], none],
        ["one class", [7], 7],
      ]),
      { at: "−∞, whose gradient is 0", operands: [[-infinity, 0]], call: ops.logSumExp, gradients: [[0, 1]] },
      {
        at: "no rows",
        operands: [zeros([0, 3])],
        call: ops.logSumExp,
        value: zeros([0]),
        gradients: [zeros([0, 3])],
      },
    ],
    kinks: [
      // A maximum has a kink there, and this has none.
      {
        at: "a tie, which shares its gradient",
        operands: [[5, 5]],
        call: ops.logSumExp,
        gradients: [[0.5, 0.5]],
      },
    ],
    golden: pytorch("logsumexp", ({ attrs }) => along(ops.logSumExp, attrs.dim)),
    samples: rows().map((x) => ({
      operands: [in64(x)],
      call: ops.logSumExp,
      shape: x.shape.slice(0, -1),
      expected: byRow(x, (row) => [logSumExpRow(row)]),
      bound: (y) => 1.0002 * u * Math.abs(y) + 1e-15,
    })),
    errors: [
      [() => ops.logSumExp(three), notATensor("logSumExp")],
      [() => ops.logSumExp(ones([])), "logSumExp: expected a last axis with at least one entry, got []"],
      [
        () => ops.logSumExp(ones([2, 0])),
        "logSumExp: expected a last axis with at least one entry, got [2, 0]",
      ],
    ],
  },
} satisfies OpSpecs;
