/** The table of ops: rows of logits. */

import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import { byRow, logSumExpRow, softmaxRow } from "../reference.ts";
import { notATensor, type OpSpecs, rows, softmaxGradientBound, three, u } from "../spec.ts";

export const softmaxes = {
  softmax: {
    rowwise: true,
    cases: rows().map((x) => ({
      operands: [x],
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
    rowwise: true,
    cases: rows().map((x) => ({
      operands: [x],
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
    ],
  },
  logSumExp: {
    rowwise: true,
    cases: rows().map((x) => ({
      operands: [x],
      call: ops.logSumExp,
      shape: x.shape.slice(0, -1),
      expected: byRow(x, (row) => [logSumExpRow(row)]),
      bound: (y) => 1.0002 * u * Math.abs(y) + 1e-15,
    })),
    errors: [
      [() => ops.logSumExp(three), notATensor("logSumExp")],
      [() => ops.logSumExp(ones([])), "logSumExp: expected a last axis with at least one entry, got []"],
    ],
  },
} satisfies OpSpecs;
