/** similarityPreservingLoss: the tables of inner products within a batch. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { similarityPreservingLoss } from "../../../src/distill/losses/similarity-preserving-loss.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { reshape } from "../../../src/ops/reshape.ts";
import {
  apart,
  dot,
  featurePairs,
  in64,
  lossCase,
  mapped,
  mean,
  minus,
  pass,
  type Row,
  rowRefusals,
  rowsOf,
  unit,
} from "./cases.ts";

const runs = { seed: 1, numRuns: 100 };
const { NaN: none } = Number;
const pairs = featurePairs();

const table = (rows: readonly Row[]): Row[] => rows.map((a) => unit(rows.map((b) => dot(a, b))));

const naive = (s: readonly Row[], t: readonly Row[]): number => {
  const [own, other] = [table(s), table(t)];
  return mean(own.flatMap((row, i) => minus(row, other[i]).map((x) => x * x)));
};

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
  samples: pairs.map(([s, t]) =>
    lossCase([s, t], similarityPreservingLoss, naive(rowsOf(s), rowsOf(t)), { step: 1e-4 }),
  ),
  // (1/rows²) Σ (Ĝ_s − Ĝ_t)², in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "three rows, of two and of three features",
      operands: [student, teacher],
      call: similarityPreservingLoss,
      value: 0.1764258717113058,
      gradients: [
        [
          [0.07913064262154167, -0.06072988303239292],
          [0.0815123682146492, 0.08966204695431979],
          [0.027646125762736694, 0.03318643600811711],
        ],
        [
          [-0.08277600367060706, -0.05840791464914774, 0.09717926259526664],
          [-0.00048631160491874244, -0.05159212768639936, 0.15088542430363575],
          [-0.03812000757320146, -0.04601050055770218, -0.04852895056143832],
        ],
      ],
    },
  ],
  domain: [
    // Ĝ = I, and rows of ±1/√2: the four differences squared are (1 − 1/√2)², ½, ½, (1 − 1/√2)².
    {
      at: "orthogonal rows against opposite ones",
      operands: [
        [
          [1, 0],
          [0, 2],
        ],
        [[1], [-1]],
      ],
      call: similarityPreservingLoss,
      value: (2 * (1 - Math.SQRT1_2) ** 2 + 1) / 4,
    },
    {
      at: "one row",
      operands: [[[3, 4]], [[2]]],
      call: similarityPreservingLoss,
      value: 0,
      gradients: [[[0, 0]], [[0]]],
    },
    {
      at: "NaN",
      operands: [
        [[none], [1]],
        [[1], [1]],
      ],
      call: similarityPreservingLoss,
      value: none,
    },
  ],
  kinks: [
    {
      // Row 0: Ĝ_s is 0 and Ĝ_t is [1, 0]. Row 1: [0, 1] in both.
      at: "a row of 0, which is similar to none",
      operands: [
        [
          [0, 0],
          [0, 1],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      ],
      call: similarityPreservingLoss,
      value: 0.25,
      gradients: [
        [
          [0, 0],
          [0, 0],
        ],
        null,
      ],
    },
    {
      at: "nothing but 0 in both",
      operands: [
        [[0], [0]],
        [[0], [0]],
      ],
      call: similarityPreservingLoss,
      value: 0,
      gradients: [
        [[0], [0]],
        [[0], [0]],
      ],
    },
  ],
  errors: rowRefusals("similarityPreservingLoss", similarityPreservingLoss),
};

describe("similarityPreservingLoss", () => {
  for (const check of opChecks("similarityPreservingLoss", spec)) it(check.name, () => check.run());

  it("does not depend on a factor common to all rows, nor on a rotation of the features", () => {
    fc.assert(
      fc.property(
        pairs,
        fc.constantFrom(-2, 0.125),
        fc.double({ min: 0, max: 6, noNaN: true }),
        ([s, t], factor, angle) => {
          const plain = pass(similarityPreservingLoss, s, t);
          const scaled = pass(
            similarityPreservingLoss,
            mapped(s, (x) => factor * x),
            t,
          );
          expect(scaled.value).toBe(plain.value); // by powers of two, which are exact
          expect(
            apart(
              scaled.student.map((g) => g * factor),
              plain.student,
            ),
          ).toBe(0);
          const [width] = s.shape.slice(1);
          if (width < 2) return;
          const turned = mapped(s, (x, i) => {
            const row = i - (i % width);
            if (i % width === 0) return Math.cos(angle) * x - Math.sin(angle) * s.data[row + 1];
            return i % width === 1 ? Math.sin(angle) * s.data[row] + Math.cos(angle) * x : x;
          });
          expect(Math.abs(pass(similarityPreservingLoss, turned, t).value - plain.value)).toBeLessThanOrEqual(
            1e-13,
          );
        },
      ),
      runs,
    );
  });

  it("is symmetric, and exactly 0 with gradients of 0 for equal features", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const [one, other] = [pass(similarityPreservingLoss, s, t), pass(similarityPreservingLoss, t, s)];
        expect(other).toEqual({ value: one.value, student: one.teacher, teacher: one.student });
        const equal = pass(similarityPreservingLoss, s, s);
        expect([equal.value, ...equal.student, ...equal.teacher].every((x) => x === 0)).toBe(true);
      }),
      runs,
    );
  });

  it("flattens maps: rows of any shape", () => {
    const [s, t] = [in64(student.map((row) => row.concat(row))), in64(teacher)];
    const flat = pass(similarityPreservingLoss, s, t);
    const maps = pass((a, b) => similarityPreservingLoss(reshape(a, [3, 1, 2, 2]), b), s, t);
    expect(maps).toEqual(flat);
  });

  it("is not the mean of its parts: similarities of rows in different parts are missing", () => {
    const whole = pass(similarityPreservingLoss, student, teacher).value;
    const parts = [0, 1, 2].map(
      (row) => pass(similarityPreservingLoss, [student[row]], [teacher[row]]).value,
    );
    expect(parts).toEqual([0, 0, 0]);
    expect(whole).toBeGreaterThan(0.1);
  });

  it("is finite with finite gradients for features of any size that float32 holds", () => {
    for (const size of [1e-38, 1e-13, 1e-11, 1e-7, 1e19, 3e38]) {
      const features = [
        [size, size / 2],
        [-size, size],
      ];
      const { value, student: ds } = pass(similarityPreservingLoss, features, [[1], [2]], float32);
      expect([value, ...ds].every(Number.isFinite)).toBe(true);
      // |G| counts as 0 below 1e-24: the teacher's rows alone, 1 each of 4. Beyond, the size does not matter.
      const expected =
        size < 1e-12
          ? 0.5
          : naive(
              features.map((row) => row.map((x) => x / size)),
              [[1], [2]],
            );
      expect(Math.abs(value - expected)).toBeLessThan(1e-6);
    }
  });
});
