import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { relationalAngleLoss } from "../../../src/distill/losses/relational-angle-loss.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { dot, featurePairs, lossCase, minus, norm, pass, type Row, rowRefusals, rowsOf } from "./cases.ts";
import { huber, relationalLaws } from "./relational-laws.ts";

const { NaN: none } = Number;

/** The definition: three loops, and the inner product of two directions. */
function angles(rows: readonly Row[]): number[] {
  const found: number[] = [];
  for (const corner of rows) {
    for (const a of rows) {
      for (const b of rows) {
        const [one, two] = [minus(a, corner), minus(b, corner)];
        const lengths = norm(one) * norm(two);
        found.push(lengths === 0 ? 0 : dot(one, two) / lengths);
      }
    }
  }
  return found;
}
const naive = (s: readonly Row[], t: readonly Row[]): number => {
  const [own, other] = [angles(s), angles(t)];
  return own.reduce((total, a, i) => total + huber(a - other[i]), 0) / own.length;
};

/** Rows that are apart: an angle has no derivative where a side has no length. And no difference at Huber's bend. */
const spread = featurePairs({ minRows: 1 }, {}).filter(
  (pair) =>
    pair.every((x) =>
      rowsOf(x).every((a, i, all) => all.every((b, j) => i === j || norm(minus(a, b)) > 0.4)),
    ) &&
    angles(rowsOf(pair[0])).every((a, i) => Math.abs(Math.abs(a - angles(rowsOf(pair[1]))[i]) - 1) > 0.01),
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
    lossCase([s, t], relationalAngleLoss, naive(rowsOf(s), rowsOf(t)), { step: 1e-4 }),
  ),
  // (1/rows³) Σ h(cos of student − cos of teacher), in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "four rows, of two and of three features",
      operands: [student, teacher],
      call: relationalAngleLoss,
      value: 0.010237535957815203,
      gradients: [
        [
          [0.009892024377789094, -0.003182656922461993],
          [-0.000394550923238816, -0.004843477532223025],
          [-0.00608184426745657, 0.007038271885851168],
          [-0.003415629187093709, 0.0009878625688338498],
        ],
        [
          [0.0044827028263051405, -0.005358214343923394, 0.011014832870458152],
          [0.005178355823667268, -0.0015177697344424257, -0.002995614556210038],
          [-0.0061731541706167535, 0.0018098308842293908, -0.0021459630778659995],
          [-0.003487904479355654, 0.005066153194136429, -0.005873255236382114],
        ],
      ],
    },
  ],
  domain: [
    // On a line: cosines 1, −1, 1. Equal sides: ½ thrice. Differences ½, −1.5, ½: 1/8, 1, 1/8, each twice in 27.
    {
      at: "three rows on a line against three with equal sides",
      operands: [
        [[0], [1], [2]],
        [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
      ],
      call: relationalAngleLoss,
      value: (2 * (1 / 8 + 1 + 1 / 8)) / 27,
    },
    // Cosines 0, 3/5, 4/5 at the corners of a triangle with the sides 3, 4, 5, against 1, −1, 1.
    {
      at: "a right angle against a line",
      operands: [
        [
          [0, 0],
          [3, 0],
          [0, 4],
        ],
        [[0], [2], [1]],
      ],
      call: relationalAngleLoss,
      value: (2 * (0.5 + huber(3 / 5 - 1) + huber(4 / 5 + 1))) / 27,
    },
    {
      at: "two rows, which form no angle",
      operands: [
        [
          [0, 0],
          [3, 4],
        ],
        [[1], [2]],
      ],
      call: relationalAngleLoss,
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
      call: relationalAngleLoss,
      value: 0,
      gradients: [[[0, 0]], [[0]]],
    },
    {
      at: "NaN",
      operands: [
        [[none], [1], [2]],
        [[1], [2], [4]],
      ],
      call: relationalAngleLoss,
      value: none,
    },
  ],
  kinks: [
    {
      // Of 27 triples, the sides 01 and 10 with themselves are 1 in the teacher alone: ½ each. At corner 0, sides 1 and 2
      // have the cosine 0 against 1: ½, twice; at corner 1 against −1 likewise; at corner 2 the cosine is 1 in both.
      at: "two equal rows: a side without length forms no angle, and has no derivative",
      operands: [
        [[0], [0], [2]],
        [[0], [1], [2]],
      ],
      call: relationalAngleLoss,
      value: (2 * 0.5 + 2 * 0.5 + 2 * 0.5) / 27,
      gradients: [[[0], [0], [0]], null],
    },
    {
      at: "rows that are all equal in both",
      operands: [
        [[5], [5], [5]],
        [[1], [1], [1]],
      ],
      call: relationalAngleLoss,
      value: 0,
      gradients: [
        [[0], [0], [0]],
        [[0], [0], [0]],
      ],
    },
  ],
  errors: rowRefusals("relationalAngleLoss", relationalAngleLoss),
};

describe("relationalAngleLoss", () => {
  for (const check of opChecks("relationalAngleLoss", spec)) it(check.name, () => check.run());

  relationalLaws(relationalAngleLoss, spread, 1e-12);

  it("keeps its digits where a side is short: a cosine is off by the ratio of the sides times rounding", () => {
    const side = 2 ** -20;
    const s = [
      [0, 0],
      [side, 0],
      [1, 1],
    ];
    const own = pass(relationalAngleLoss, s, [[0], [1], [3]]);
    expect(Math.abs(own.value - naive(s, [[0], [1], [3]]))).toBeLessThan(2 ** -30);
  });

  it("counts rows closer than 1e-12 as equal, and has finite gradients beyond, in float32", () => {
    const at = (gap: number) => pass(relationalAngleLoss, [[0], [gap], [3 * gap]], [[0], [2], [1]], float32);
    expect(at(1e-13)).toEqual(at(0));
    for (const gap of [1.1e-12, 1, 1e37]) {
      const { value, student: ds } = at(gap);
      expect([value, ...ds].every(Number.isFinite)).toBe(true);
      expect(Math.abs(value - at(1).value)).toBeLessThan(1e-6);
    }
  });
});
