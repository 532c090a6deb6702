/** The table of ops: losses over rows of classes. */
import fc from "fast-check";
import { labels as labelsFor } from "../../../src/check/fast-check/index.ts";
import { ones, tensor } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, type Operand, operand } from "../../support/arbitraries.ts";
import { byRow, logSumExpRow, softmaxRow } from "../reference.ts";
import { logits, lossErrors, notATensor, type OpSpecs, three, u } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

const softened =
  (temperature: number) =>
  (student: Tensor, teacher: Tensor): Tensor =>
    ops.softTargetLoss(student, teacher, { temperature });

const labelled =
  (label: number) =>
  (z: Tensor): Tensor =>
    ops.crossEntropy(z, [label]);

export const losses = {
  klDiv: {
    refusesEmpty: true,
    domain: [
      {
        at: "a probability of 0, which counts as 0 and gets the gradient 0",
        operands: [[[-infinity, 0]], [[0, 1]]],
        call: ops.klDiv,
        value: 0,
        gradients: [[[0, -1]], [[0, 1]]],
      },
      {
        at: "a class that only the target has",
        operands: [[[-infinity, 0]], [[1, 0]]],
        call: ops.klDiv,
        value: infinity,
      },
      {
        at: "a log-probability of NaN, also where the target is 0",
        operands: [[[none, -Math.LN2].map(Math.fround)], [[0, 1]]],
        call: ops.klDiv,
        value: none,
      },
    ],
    samples: logits
      .chain((x) => fc.tuple(fc.constant(x), operand(x.shape, { min: -1, max: 1 })))
      .map(([x, v]) => {
        const rowCount = x.shape[0];
        // Rounded, so that both precisions read the same numbers.
        const logProbs = {
          shape: x.shape,
          values: byRow(x, (row) => row.map((z) => Math.fround(z - logSumExpRow(row)))),
        };
        const targetProbs = { shape: v.shape, values: byRow(v, softmaxRow).map(Math.fround) };
        const terms = targetProbs.values.map((q, i) => q * (Math.log(q) - logProbs.values[i]));
        const total = terms.reduce((sum, term) => sum + term, 0);
        return {
          operands: [logProbs, targetProbs].map(in64),
          call: ops.klDiv,
          // q ≥ 0.03 has the fifth derivative 6/q⁴ ≤ 7e6 in q log q; h⁴/30 of it must stay below 1e-9.
          step: 1e-4,
          shape: [],
          expected: [total / rowCount],
          bound: (y) => 1.0002 * u * Math.abs(y) + 1e-14,
          gradientBound: (_, gradient) => 2 * u * Math.abs(gradient) + 1e-14,
        };
      }),
    errors: [
      [
        () => ops.klDiv(ones([2, 0]), ones([2, 0])),
        "klDiv: expected a last axis with at least one entry, got [2, 0]",
      ],
      ...lossErrors("klDiv", (a, b) => ops.klDiv(a, b), "logProbs", "targetProbs"),
      [
        () => ops.klDiv(ones([0, 3]), ones([0, 3])),
        "klDiv: expected logProbs [rows, classes] with at least one row, got [0, 3]",
      ],
      [
        () => ops.klDiv(tensor([[-1, -1]]), tensor([[3, 1]])),
        "klDiv: targetProbs must sum to 1 in every row, got 4 in row 0; are these logits? Apply softmax first",
      ],
      [
        () => ops.klDiv(tensor([[-1, -1]]), tensor([[2, -1]])),
        "klDiv: targetProbs are probabilities, got -1 in row 0; are these logits? Apply softmax first",
      ],
      [
        () => ops.klDiv(tensor([[0, 0]]), tensor([[0.5, 0.5]])),
        "klDiv: logProbs must be logarithms of probabilities, got a row 0 whose exponentials sum to 2; are these logits? Apply logSoftmax first",
      ],
    ],
  },
  softTargetLoss: {
    refusesEmpty: true,
    domain: [
      {
        at: "equal logits",
        operands: [[[3, -1, 0.1].map(Math.fround)], [[3, -1, 0.1].map(Math.fround)]],
        call: softened(4),
        value: 0,
        gradients: [[[0, 0, 0]], [[0, 0, 0]]],
      },
      {
        at: "a class that both rule out",
        operands: [[[-infinity, 0]], [[-infinity, 0]]],
        call: softened(4),
        value: 0,
        gradients: [[[0, 0]], [[0, 0]]],
      },
      {
        at: "a class that the student rules out",
        operands: [[[-infinity, 0]], [[0, 0]]],
        call: softened(1),
        value: infinity,
        gradients: [[[-0.5, 0.5]], null],
      },
      {
        at: "a class that the teacher rules out",
        operands: [[[0, 0]], [[-infinity, 0]]],
        call: softened(1),
        value: Math.LN2,
        gradients: [[[0.5, -0.5]], [[0, 0]]],
      },
      {
        at: "T → 0, where the softened distributions are one-hot",
        operands: [[[2, 5, 5]], [[7, 1, 1]]],
        call: softened(2 ** -20),
        value: 2 ** -20 * 3 + 2 ** -40 * Math.LN2,
        gradients: [[[-(2 ** -20), 2 ** -21, 2 ** -21]], [[0, 0, 0]]],
      },
      {
        at: "NaN in the student",
        operands: [[[none, 0]], [[0, 0]]],
        call: softened(1),
        value: none,
      },
      {
        at: "one class",
        operands: [
          [[7], [3]],
          [[1], [2]],
        ],
        call: softened(2),
        value: 0,
        gradients: [
          [[0], [0]],
          [[0], [0]],
        ],
      },
    ],
    golden: pytorch(
      "kl_div_batchmean",
      ({ attrs: { T = 1 } }) =>
        (student, teacher) =>
          ops.softTargetLoss(student, teacher, { temperature: T }),
    ),
    samples: fc
      .tuple(logits, fc.constantFrom(0.5, 1, 2, 4, 20))
      .chain(([z, temperature]) => fc.tuple(fc.constant(z), operand(z.shape), fc.constant(temperature)))
      .map(([z, v, temperature]) => {
        const soften = (x: Operand): number[] =>
          byRow(x, (row) => softmaxRow(row.map((value) => value / temperature)));
        const [p, q] = [soften(z), soften(v)];
        const kl = q.reduce((sum, value, i) => sum + value * (Math.log(value) - Math.log(p[i])), 0);
        return {
          operands: [z, v].map(in64),
          call: (a: Tensor, b: Tensor) => ops.softTargetLoss(a, b, { temperature }),
          shape: [],
          expected: [(temperature ** 2 * kl) / z.shape[0]],
          bound: (y) => 1.0002 * u * y,
          gradientBound: (_, gradient) => 2 * u * Math.abs(gradient),
        };
      }),
    errors: [
      [
        () => softened(1)(ones([2, 0]), ones([2, 0])),
        "softTargetLoss: expected a last axis with at least one entry, got [2, 0]",
      ],
      ...lossErrors(
        "softTargetLoss",
        (a, b) => ops.softTargetLoss(a, b, { temperature: 4 }),
        "studentLogits",
        "teacherLogits",
      ),
      [
        () => ops.softTargetLoss(ones([3]), ones([3]), { temperature: 4 }),
        "softTargetLoss: expected studentLogits [rows, classes] with at least one row, got [3]",
      ],
      ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map(
        (temperature) =>
          [
            () => ops.softTargetLoss(ones([2, 3]), ones([2, 3]), { temperature }),
            `softTargetLoss: temperature must be a finite number above 0, got ${temperature}`,
          ] as const,
      ),
      ...[1e-9, 1e9].map(
        (temperature) =>
          [
            () => ops.softTargetLoss(ones([2, 3]), ones([2, 3]), { temperature }),
            `softTargetLoss: temperature must be a number from 1e-8 to 1e8, got ${temperature}`,
          ] as const,
      ),
      [
        () => ops.softTargetLoss(ones([2, 3]), ones([2, 3]), undefined as unknown as ops.SoftTargetOptions),
        "softTargetLoss: temperature must be a finite number above 0, got undefined",
      ],
    ],
  },
  crossEntropy: {
    refusesEmpty: true,
    domain: [
      ...(
        [
          ["a lead of 10⁴ of the right class", [1e4, 0], 0, 0, [0, 0]],
          ["a lead of 10⁴ of the wrong class", [1e4, 0], 1, 1e4, [1, -1]],
          ["equal logits", [-7.25, -7.25], 0, Math.LN2, [-0.5, 0.5]],
          ["equal logits near the end of float32", [3e38, 3e38], 1, Math.LN2, [0.5, -0.5]],
          ["−∞ for a wrong class", [-infinity, 0], 1, 0, [0, 0]],
          ["−∞ for the right class", [-infinity, 0], 0, infinity, [-1, 1]],
          ["one class", [7], 0, 0, [0]],
          // log1p(e^−40), where log of the rounded 1 would be 0.
          ["a loss that is nearly 0", [40, 0], 0, 4.248354255291589e-18, [0, 4.248354255291589e-18]],
        ] as const
      ).map(([at, row, label, value, gradient]) => ({
        at,
        operands: [[row]],
        call: labelled(label),
        value,
        gradients: [[gradient]],
      })),
      { at: "NaN", operands: [[[none, 0]]], call: labelled(0), value: none },
      { at: "∞", operands: [[[infinity, 0]]], call: labelled(0), value: none },
      {
        at: "rows that are ignored",
        operands: [
          [
            [1, 2],
            [none, infinity],
          ],
        ],
        call: (z) => ops.crossEntropy(z, [9, 9], { ignoredLabel: 9 }),
        value: 0,
        gradients: [
          [
            [0, 0],
            [0, 0],
          ],
        ],
      },
    ],
    golden: pytorch(
      "cross_entropy",
      ({ int_inputs }) =>
        (z) =>
          ops.crossEntropy(z, int_inputs.y.data),
    ),
    samples: logits
      .chain((z) =>
        fc.tuple(
          fc.constant(z),
          labelsFor({ rows: z.shape[0], classes: z.shape[1] }),
          operand(z.shape, { min: -1, max: 1 }),
          fc.constantFrom(0, 0.125, 0.5),
          fc.constantFrom<"labels" | "ignoring" | "soft">("labels", "ignoring", "soft"),
        ),
      )
      .map(([z, labels, v, labelSmoothing, kind]) => {
        const [rowCount, classes] = z.shape;
        const soft = { shape: v.shape, values: byRow(v, softmaxRow).map(Math.fround) };
        const ignored = kind === "ignoring" ? labels[0] : undefined;
        const q = z.values.map((_, i) => {
          const hard = labels[Math.floor(i / classes)] === i % classes ? 1 : 0;
          return labelSmoothing / classes + (1 - labelSmoothing) * (kind === "soft" ? soft.values[i] : hard);
        });
        const logProbs = byRow(z, (row) => row.map((x) => x - logSumExpRow(row)));
        let total = 0;
        let count = 0;
        for (let r = 0; r < rowCount; r++) {
          if (labels[r] === ignored) continue;
          count++;
          for (let i = r * classes; i < (r + 1) * classes; i++) total -= q[i] * logProbs[i];
        }
        const options = { labelSmoothing, ...(ignored !== undefined && { ignoredLabel: ignored }) };
        return {
          operands: (kind === "soft" ? [z, soft] : [z]).map(in64),
          call: (a: Tensor, b?: Tensor) => ops.crossEntropy(a, b ?? labels, options),
          shape: [],
          expected: [count === 0 ? 0 : total / count],
          bound: (y) => 1.0002 * u * y + 1e-15,
          gradientBound: (_, gradient) => 2 * u * Math.abs(gradient) + 1e-15,
        };
      }),
    errors: [
      [
        () => ops.crossEntropy(ones([2, 0]), [0, 0]),
        "crossEntropy: expected a last axis with at least one entry, got [2, 0]",
      ],
      [() => ops.crossEntropy(three, [0]), notATensor("crossEntropy")],
      [() => ops.crossEntropy(ones([2, 3]), [0, 3]), "crossEntropy: label 3 at row 1 is outside [0, 3)"],
      [() => ops.crossEntropy(ones([2, 3]), [0, -1]), "crossEntropy: label -1 at row 1 is outside [0, 3)"],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, 1.5]),
        "crossEntropy: labels are whole numbers, got 1.5 at row 1",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, Number.NaN]),
        "crossEntropy: labels are whole numbers, got NaN at row 1",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, 1, 2]),
        "crossEntropy: expected one label for each of 2 rows, got 3",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, 1, 0, 0, 0, 1]),
        "crossEntropy: expected one label for each of 2 rows, got 6; these look one-hot: pass the index of each row's class",
      ],
      [
        () => ops.crossEntropy(ones([0, 3]), []),
        "crossEntropy: expected logits [rows, classes] with at least one row, got [0, 3]",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), tensor([0, 1])),
        "crossEntropy: expected labels as an array or target probabilities [2, 3], got a tensor [2]; pass its data",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), ones([2, 3])),
        "crossEntropy: targetProbs must sum to 1 in every row, got 3 in row 0; are these logits? Apply softmax first",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), ones([3, 2])),
        "crossEntropy: logits and targetProbs must have the same shape, got [2, 3] and [3, 2]",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, 1], { labelSmoothing: 1 }),
        "crossEntropy: labelSmoothing must be in [0, 1), got 1",
      ],
    ],
  },
} satisfies OpSpecs;
