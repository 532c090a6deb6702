import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { relationalDistanceLoss } from "../../../src/distill/losses/relational-distance-loss.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { featurePairs, lossCase, mean, minus, norm, pass, type Row, rowRefusals, rowsOf } from "./cases.ts";
import { huber, relationalLaws } from "./relational-laws.ts";

const { NaN: none } = Number;

const distances = (rows: readonly Row[]): Row[] => rows.map((a) => rows.map((b) => norm(minus(a, b))));

const units = (rows: readonly Row[]): number[] => {
  const all = distances(rows).flat();
  const mu = mean(all.filter((d) => d > 0));
  return all.map((d) => (d > 0 ? d / mu : 0));
};
const naive = (s: readonly Row[], t: readonly Row[]): number => {
  const other = units(t);
  return mean(units(s).map((d, i) => huber(d - other[i])));
};

/** Rows that are apart: a distance has a kink at 0, and derivatives that grow as 1/d. */
const spread = featurePairs({ minRows: 2 }, {}).filter((pair) =>
  pair.every((x) => distances(rowsOf(x)).every((row, i) => row.every((d, j) => i === j || d > 0.3))),
);

const student = [
  [1, 2],
  [0.5, -1],
  [3, 0.25],
  [-2, 1.5],
];
const teacher = [
  [2, 0, 1],
  [-1, 1, 0.5],
  [0.25, 2, -3],
  [1, -1, 2],
];

const spec: OpSpec = {
  refusesEmpty: true,
  samples: spread.map(([s, t]) =>
    lossCase([s, t], relationalDistanceLoss, naive(rowsOf(s), rowsOf(t)), { step: 1e-4 }),
  ),
  // (1/rows²) Σ h(d_s/μ_s − d_t/μ_t), in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "four rows, of two and of three features",
      operands: [student, teacher],
      call: relationalDistanceLoss,
      value: 0.03189689142640851,
      gradients: [
        [
          [0.02984241504234546, -0.007992476862213509],
          [0.011412261009836513, -0.003062386272643613],
          [-0.022063366980879472, 0.009120631998186069],
          [-0.019191309071302502, 0.001934231136671053],
        ],
        [
          [-0.008798900897073402, -0.014208304920199637, 0.020529910850737125],
          [0.008286141412206361, -0.007961019816460014, 0.008437219399380167],
          [-0.0035044718749578678, 0.005938357880339568, -0.013648768135435212],
          [0.004017231359824908, 0.016230966856320084, -0.01531836211468208],
        ],
      ],
    },
  ],
  domain: [
    // Student: 1, 1, 2 apart, μ = 4/3; teacher: equally apart. Differences ¼, ¼, ½, each twice in nine.
    {
      at: "three rows on a line against three at equal distances",
      operands: [
        [[0], [1], [2]],
        [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
      ],
      call: relationalDistanceLoss,
      value: (2 * (1 / 32 + 1 / 32 + 1 / 8)) / 9,
    },
    // Distances 1, 9, 10 → 0.15, 1.35, 1.5 and 9, 1, 10 → 1.35, 0.15, 1.5: differences of 1.2, where Huber is linear.
    {
      at: "a difference above 1",
      operands: [
        [[0], [1], [10]],
        [[0], [9], [10]],
      ],
      call: relationalDistanceLoss,
      value: (2 * (0.7 + 0.7)) / 9,
    },
    {
      at: "two rows: one distance, which is its own mean",
      operands: [
        [
          [0, 0],
          [3, 4],
        ],
        [[1], [2]],
      ],
      call: relationalDistanceLoss,
      value: 0,
      gradients: [
        [
          [0, 0],
          [0, 0],
        ],
        [[0], [0]],
      ],
    },
    {
      at: "one row",
      operands: [[[3, 4]], [[2]]],
      call: relationalDistanceLoss,
      value: 0,
      gradients: [[[0, 0]], [[0]]],
    },
    {
      at: "NaN",
      operands: [
        [[none], [1], [2]],
        [[1], [2], [4]],
      ],
      call: relationalDistanceLoss,
      value: none,
    },
  ],
  kinks: [
    {
      at: "rows that are all equal: no unit to measure in",
      operands: [
        [[5], [5], [5]],
        [[1], [2], [3]],
      ],
      call: relationalDistanceLoss,
      // u_t = ¾, ¾, 1.5
      value: (2 * (2 * (0.75 * 0.75 * 0.5) + 1)) / 9,
      gradients: [[[0], [0], [0]], null],
    },
    {
      // Student: 0, 2, 2 with μ = 2 over two pairs; teacher: 1, 1, 2 with μ = 4/3. Differences −¾, ¼, −½.
      at: "two equal rows: their distance is no part of μ, and its derivative is 0",
      operands: [
        [[0], [0], [2]],
        [[0], [1], [2]],
      ],
      call: relationalDistanceLoss,
      value: (2 * (9 / 32 + 1 / 8 + 1 / 32)) / 9,
      // d₀₂ and d₁₂ have the slopes ±(2/9)(¼ + ½)/2 / μ = ±1/24, less their mean.
      gradients: [[[1 / 24], [-1 / 24], [0]], null],
    },
  ],
  errors: rowRefusals("relationalDistanceLoss", relationalDistanceLoss),
};

describe("relationalDistanceLoss", () => {
  for (const check of opChecks("relationalDistanceLoss", spec)) it(check.name, () => check.run());

  relationalLaws(relationalDistanceLoss, spread, 1e-13);

  it("keeps its digits where rows are close to each other and far from 0", () => {
    // From inner products, (10⁸)² − 2 · 10⁸ (10⁸ + 1) + (10⁸ + 1)² has no digit left in float64.
    const far = [[1e8], [1e8 + 1], [1e8 + 3]];
    const near = [[0], [1], [3]];
    expect(pass(relationalDistanceLoss, far, [[0], [1], [2]])).toEqual(
      pass(relationalDistanceLoss, near, [[0], [1], [2]]),
    );
  });

  it("counts rows closer than 1e-12 as equal, and has finite gradients beyond, in float32", () => {
    const at = (gap: number) =>
      pass(relationalDistanceLoss, [[0], [gap], [3 * gap]], [[0], [1], [2]], float32);
    expect(at(1e-13)).toEqual(at(0));
    for (const gap of [1.1e-12, 1, 1e37]) {
      const { value, student: ds } = at(gap);
      expect([value, ...ds].every(Number.isFinite)).toBe(true);
      expect(Math.abs(value - at(1).value)).toBeLessThan(1e-6);
    }
  });
});
