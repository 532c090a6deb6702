/** probabilisticKnowledgeTransferLoss (PKT): neighbours as probabilities. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { probabilisticKnowledgeTransferLoss } from "../../../src/distill/losses/probabilistic-knowledge-transfer-loss.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import {
  apart,
  dot,
  featurePairs,
  kl,
  lossCase,
  mapped,
  norm,
  overRows,
  pass,
  type Row,
  rowRefusals,
  rowsOf,
  sum,
} from "./cases.ts";

const loss = probabilisticKnowledgeTransferLoss;
const runs = { seed: 1, numRuns: 100 };
const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

const cosine = (a: Row, b: Row): number => dot(a, b) / (norm(a) * norm(b));
const neighbours = (rows: readonly Row[]): Row[] =>
  rows.map((a, i) => {
    const others = rows.filter((_, j) => j !== i).map((b) => (1 + cosine(a, b)) / 2);
    return others.map((k) => k / sum(others));
  });
const naive = (s: readonly Row[], t: readonly Row[]): number => overRows(neighbours(t), neighbours(s), kl);

/** No two rows nearly opposite: log K has a pole there. */
const pairs = featurePairs({ minRows: 2 }, { gap: 0.3 }).filter((pair) =>
  pair.every((x) => rowsOf(x).every((a, _, all) => all.every((b) => cosine(a, b) > -0.95))),
);

const student = [
  [1, 2],
  [0.5, -1],
  [3, 0.25],
];
const teacher = [
  [2, 0, 1],
  [-1, 1, 0.5],
  [0.25, 2, -3],
];

const spec: OpSpec = {
  refusesEmpty: true,
  samples: pairs.map(([s, t]) => lossCase([s, t], loss, naive(rowsOf(s), rowsOf(t)), { step: 1e-4 })),
  // mean over i of KL over j ≠ i of ½ (1 + cos) / Σ, in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "three rows, of two and of three features",
      operands: [student, teacher],
      call: loss,
      value: 0.07006791450653334,
      gradients: [
        [
          [-0.06767693005795745, 0.03383846502897873],
          [-0.19140469996505768, -0.09570234998252884],
          [-0.0019327875810049235, 0.023193450972059083],
        ],
        [
          [-0.059183686692984155, 0.025918502791725032, 0.11836737338596831],
          [0.09783955030342067, 0.04788225735443245, 0.09991458589797644],
          [-0.0481547805852255, -0.009699036384191756, -0.010478922638229962],
        ],
      ],
    },
  ],
  domain: [
    // Of the student, all cosines are 0: each neighbour has ½. Of the teacher, rows 0 and 1 are alike and row 2 is across:
    // K = 1, ½, ½, so ⅔ and ⅓ for rows 0 and 1, and ½ each for row 2.
    {
      at: "rows at right angles against two that are alike",
      operands: [
        [
          [1, 0, 0],
          [0, 2, 0],
          [0, 0, 3],
        ],
        [
          [1, 0],
          [4, 0],
          [0, 1],
        ],
      ],
      call: loss,
      value: (2 / 3) * ((2 / 3) * Math.log(4 / 3) + (1 / 3) * Math.log(2 / 3)),
    },
    {
      at: "two rows, each the only neighbour of the other",
      operands: [
        [
          [1, 0],
          [0, 1],
        ],
        [[1], [2]],
      ],
      call: loss,
      value: 0,
      gradients: [
        [
          [0, 0],
          [0, 0],
        ],
        [[0], [0]],
      ],
    },
    { at: "one row", operands: [[[3, 4]], [[2]]], call: loss, value: 0, gradients: [[[0, 0]], [[0]]] },
    // Row 1 is no neighbour of row 0 for the student, and one of two for the teacher.
    {
      at: "rows that are opposite for the student alone",
      operands: [
        [
          [1, 0],
          [-1, 0],
          [0, 1],
        ],
        [[1], [1], [1]],
      ],
      call: loss,
      value: infinity,
    },
    {
      at: "rows that are opposite for both",
      operands: [
        [
          [1, 0],
          [-1, 0],
          [0, 1],
        ],
        [
          [0, 2],
          [0, -1],
          [3, 0],
        ],
      ],
      call: loss,
      value: 0,
      gradients: [
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      ],
    },
    {
      at: "NaN",
      operands: [
        [[none], [1], [1]],
        [[1], [1], [1]],
      ],
      call: loss,
      value: none,
    },
  ],
  kinks: [
    {
      // K is ½ with both others, which are alike: ½ each for row 0, ⅓ and ⅔ for the others; the teacher has ½ everywhere.
      at: "a row of 0: a cosine of 0 with all, and no gradient",
      operands: [
        [
          [0, 0],
          [1, 0],
          [1, 0],
        ],
        [[1], [1], [1]],
      ],
      call: loss,
      value: (2 / 3) * (0.5 * Math.log(3 / 2) + 0.5 * Math.log(3 / 4)),
      gradients: [
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        [[0], [0], [0]],
      ],
    },
    {
      // Rows 1 and 2 have one neighbour left, each other.
      at: "a row that is opposite to all others: equal shares, and nothing flows from it",
      operands: [
        [[-1], [1], [1]],
        [[-1], [1], [1]],
      ],
      call: loss,
      value: 0,
      gradients: [
        [[0], [0], [0]],
        [[0], [0], [0]],
      ],
    },
  ],
  errors: rowRefusals("probabilisticKnowledgeTransferLoss", loss),
};

describe("probabilisticKnowledgeTransferLoss", () => {
  for (const check of opChecks("probabilisticKnowledgeTransferLoss", spec)) it(check.name, () => check.run());

  it("does not depend on the lengths of rows, each by itself, to the last bit for powers of two", () => {
    fc.assert(
      fc.property(pairs, fc.constantFrom(0.25, 8), ([s, t], factor) => {
        const width = s.shape[1];
        const plain = pass(loss, s, t);
        const longer = pass(
          loss,
          mapped(s, (x, i) => (i < width ? factor * x : x)),
          t,
        ); // row 0 alone
        expect(longer.value).toBe(plain.value);
        expect(
          apart(
            longer.student.map((g, i) => (i < width ? g * factor : g)),
            plain.student,
          ),
        ).toBe(0);
        expect(longer.teacher).toEqual(plain.teacher);
      }),
      runs,
    );
  });

  it("is never negative where the models nearly agree, and exactly 0 with gradients of 0 where they do", () => {
    fc.assert(
      fc.property(featurePairs({ minRows: 3 }), ([s]) => {
        const near = mapped(s, (x, i) => Math.fround(x * (1 + 1e-5 * (i % 3))));
        for (const kernels of [float32, float64]) {
          expect(pass(loss, near, s, kernels).value).toBeGreaterThanOrEqual(0);
          const equal = pass(loss, s, s, kernels);
          expect([equal.value, ...equal.student, ...equal.teacher].every((x) => x === 0)).toBe(true);
        }
      }),
      runs,
    );
  });

  it("is a divergence of the student from the teacher, not the other way round", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const [forward, reverse] = [naive(rowsOf(s), rowsOf(t)), naive(rowsOf(t), rowsOf(s))];
        fc.pre(Math.abs(forward - reverse) > 1e-6);
        expect(Math.abs(pass(loss, s, t).value - forward)).toBeLessThan(1e-12);
      }),
      runs,
    );
  });

  it("has gradients perpendicular to their rows", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const { student: ds } = pass(loss, s, t);
        const width = s.shape[1];
        for (const [row, a] of rowsOf(s).entries()) {
          expect(Math.abs(dot(a, ds.slice(row * width, (row + 1) * width)))).toBeLessThanOrEqual(1e-13);
        }
      }),
      runs,
    );
  });

  it("keeps its digits where rows are almost opposite: K is h²/4 at an angle of π − h", () => {
    const h = 2 ** -24;
    const s = [
      [1, 0],
      [-1, h],
      [0, 1],
    ];
    const { value, student: ds } = pass(loss, s, [[1], [1], [1]]);
    // Rows 0 and 1 share h²/4 for each other, and ½ and ½(1 + h) for row 2, but for terms of the size of h².
    const [k02, k12] = [1 / 2, (1 + h) / 2];
    const k01 = (h * h) / 4;
    const row = (a: number, b: number): number => -0.5 * Math.log((a * b) / (a + b) ** 2) - Math.log(2);
    const expected = (row(k01, k02) + row(k01, k12) + row(k02, k12)) / 3;
    expect(Math.abs(value / expected - 1)).toBeLessThan(1e-13);
    expect(ds.every(Number.isFinite)).toBe(true);
  });

  it("has finite gradients from lengths of 1e-12 on, in float32", () => {
    const { value, student: ds } = pass(
      loss,
      [
        [1.1e-12, 0],
        [3e38, 3e38],
        [0, 1],
      ],
      [[1], [1], [1]],
      float32,
    );
    expect([value, ...ds].every(Number.isFinite)).toBe(true);
    expect(value).toBeGreaterThan(0);
  });
});
