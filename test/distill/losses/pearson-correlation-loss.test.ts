/** pearsonCorrelationLoss (DIST): relations between classes and within them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import {
  type PearsonCorrelationOptions,
  pearsonCorrelationLoss,
} from "../../../src/distill/losses/pearson-correlation-loss.ts";
import {
  dot,
  type Loss,
  logitPairs,
  logitRefusals,
  lossCase,
  mapped,
  mean,
  minus,
  norm,
  optionRefusals,
  overRows,
  pass,
  type Row,
  rowsOf,
  softmax,
  sum,
  temperatureRefusals,
  weightRefusals,
} from "./cases.ts";

const at =
  (options: PearsonCorrelationOptions): Loss =>
  (student, teacher) =>
    pearsonCorrelationLoss(student, teacher, options);
const withOptions: Parameters<typeof optionRefusals>[2] = (s, t, options) =>
  pearsonCorrelationLoss(s, t, options as PearsonCorrelationOptions);

const centred = (a: Row): number[] =>
  minus(
    a,
    a.map(() => mean(a)),
  );
const columnsOf = (rows: readonly Row[]): Row[] => rows[0].map((_, c) => rows.map((row) => row[c]));
const correlation = (a: Row, b: Row): number =>
  dot(centred(a), centred(b)) / (norm(centred(a)) * norm(centred(b)));

const weights = fc.constantFrom(0, 0.5, 1, 2);
const temperatures = fc.constantFrom(0.5, 1, 4);
/** Without rows and columns that are nearly flat: for a difference where the deviation is d, derivatives grow as 1/d. */
const uneven = fc.tuple(logitPairs({ minRows: 2, minClasses: 2 }), temperatures).filter(([pair, T]) =>
  pair.every((x) => {
    const probs = rowsOf(x).map((row) => softmax(row, T));
    return [...probs, ...columnsOf(probs)].every((values) => norm(centred(values)) > 0.03);
  }),
);
const runs = { seed: 1, numRuns: 100 };
const { NaN: none } = Number;

const student = [
  [1, 2, 3],
  [0, -1, 0.5],
  [2, 2, -1],
];
const teacher = [
  [3, 1, 0.2],
  [2, -1, 0.5],
  [0.5, 1.5, -0.25],
];
const sevenTimes = (row: number[]): number[][] => new Array<number[]>(7).fill(row);
const zeros3 = [
  [0, 0, 0],
  [0, 0, 0],
  [0, 0, 0],
];

const spec: OpSpec = {
  refusesEmpty: true,
  samples: fc
    .tuple(uneven, weights, weights)
    .map(([[pair, temperature], interClassWeight, intraClassWeight]) => {
      const [p, q] = pair.map((x) => rowsOf(x).map((row) => softmax(row, temperature)));
      const inter = overRows(p, q, (a, b) => 1 - correlation(a, b));
      const intra = overRows(columnsOf(p), columnsOf(q), (a, b) => 1 - correlation(a, b));
      const expected = temperature ** 2 * (interClassWeight * inter + intraClassWeight * intra);
      return lossCase(pair, at({ temperature, interClassWeight, intraClassWeight }), expected, {
        step: 2e-5,
      });
    }),
  // T² (β mean (1 − ρ of rows) + γ mean (1 − ρ of columns)), in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "the defaults, T = β = γ = 1",
      operands: [student, teacher],
      call: at({}),
      value: 1.982831194780821,
      gradients: [
        [
          [-0.04080590051275621, 0.06796464221077578, -0.027158741698019562],
          [-0.30968887990855676, 0.09478925250140643, 0.2148996274071503],
          [0.31717665298137887, -0.31666800440638687, -0.0005086485749919693],
        ],
        [
          [0.09455775324894229, 0.0018361553812553694, -0.09639390863019767],
          [0.22209561891961205, 0.037308785131276834, -0.2594044040508889],
          [-0.19448151065214664, -0.15002252418341913, 0.3445040348355658],
        ],
      ],
    },
    {
      at: "T = 4, β = 2, γ = ½",
      operands: [student, teacher],
      call: at({ temperature: 4, interClassWeight: 2, intraClassWeight: 0.5 }),
      value: 35.35718749834027,
      gradients: [
        [
          [-1.0945396597830468, 1.9525806229569724, -0.8580409631739256],
          [-7.416210097358762, 2.6051426728555556, 4.811067424503207],
          [3.09105331925617, -3.041222181599591, -0.04983113765657907],
        ],
        [
          [0.7292686258948631, 1.323214483297552, -2.052483109192415],
          [1.9349230223969334, 1.854537457968875, -3.789460480365808],
          [-4.857895179725704, 0.9757025175465963, 3.8821926621791074],
        ],
      ],
    },
  ],
  domain: [
    { at: "equal logits", operands: [student, student], call: at({}), value: 0, gradients: [zeros3, zeros3] },
    { at: "NaN", operands: [[[none, 0]], [[0, 1]]], call: at({}), value: none },
  ],
  kinks: [
    {
      // Six shares of a sixth do not add up to 1 in float64.
      at: "a row of equal logits, which has no correlation",
      operands: [[[7, 7, 7, 7, 7, 7]], [[1, 2, 3, 4, 5, 7]]],
      call: at({ intraClassWeight: 0 }),
      value: 1,
      gradients: [[[0, 0, 0, 0, 0, 0]], [[0, 0, 0, 0, 0, 0]]],
    },
    {
      // Seven times these probabilities, divided by seven, are others.
      at: "rows that are all alike: no column has a correlation",
      operands: [
        sevenTimes([0.9, 0.2, 0.4]),
        sevenTimes([0, 0, 0]).map((row, i) => row.map((_, c) => (i * c) % 4)),
      ],
      call: at({ interClassWeight: 0 }),
      value: 1,
      gradients: [sevenTimes([0, 0, 0]), sevenTimes([0, 0, 0])],
    },
    {
      at: "one row: the part within classes is its weight",
      operands: [[[1, 2, 3]], [[1, 2, 3]]],
      call: at({ intraClassWeight: 0.25 }),
      value: 0.25,
      gradients: [[[0, 0, 0]], [[0, 0, 0]]],
    },
    {
      at: "one class, which has the probability 1",
      operands: [
        [[5], [1]],
        [[2], [9]],
      ],
      call: at({}),
      value: 2,
      gradients: [
        [[0], [0]],
        [[0], [0]],
      ],
    },
  ],
  errors: [
    ...logitRefusals("pearsonCorrelationLoss", at({})),
    ...temperatureRefusals("pearsonCorrelationLoss", withOptions),
    ...optionRefusals(
      "pearsonCorrelationLoss",
      "temperature, interClassWeight, intraClassWeight",
      withOptions,
    ),
    ...weightRefusals("pearsonCorrelationLoss", "interClassWeight", withOptions),
    ...weightRefusals("pearsonCorrelationLoss", "intraClassWeight", withOptions),
  ],
};

describe("pearsonCorrelationLoss", () => {
  for (const check of opChecks("pearsonCorrelationLoss", spec)) it(check.name, () => check.run());

  it("does not ask for equal probabilities: an affine image of the teacher's row loses nothing", () => {
    const q = [0.5, 0.3, 0.15, 0.05];
    const near = q.map((x) => 0.25 + (x - 0.25) / 3);
    const logs = (row: Row): number[][] => [row.map(Math.log)];
    const { value, student: dz } = pass(at({ intraClassWeight: 0 }), logs(near), logs(q));
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThan(1e-15);
    expect(Math.max(...dz.map(Math.abs))).toBeLessThan(1e-14);
    const opposite = q.map((x) => 0.25 - (x - 0.25) / 3);
    expect(Math.abs(pass(at({ intraClassWeight: 0 }), logs(opposite), logs(q)).value - 2)).toBeLessThan(
      1e-14,
    );
  });

  it("is the same with the batch turned on its side, for what are probabilities both ways", () => {
    // Doubly stochastic, so that rows and columns are probabilities.
    const p = [
      [0.5, 0.3, 0.2],
      [0.3, 0.2, 0.5],
      [0.2, 0.5, 0.3],
    ];
    const q = [
      [0.6, 0.1, 0.3],
      [0.1, 0.7, 0.2],
      [0.3, 0.2, 0.5],
    ];
    const logs = (rows: readonly Row[]): number[][] => rows.map((row) => row.map(Math.log));
    const upright = pass(at({ intraClassWeight: 0 }), logs(p), logs(q)).value;
    const turned = pass(at({ interClassWeight: 0 }), logs(columnsOf(p)), logs(columnsOf(q))).value;
    expect(Math.abs(upright - turned)).toBeLessThan(1e-15);
    expect(upright).toBeGreaterThan(0.1);
  });

  it("is affine in its weights, symmetric in the models, and from 0 to 2 T² times their sum", () => {
    fc.assert(
      fc.property(uneven, weights, weights, ([[z, v], temperature], interClassWeight, intraClassWeight) => {
        const part = (inter: number, intra: number) =>
          pass(at({ temperature, interClassWeight: inter, intraClassWeight: intra }), z, v);
        const whole = part(interClassWeight, intraClassWeight);
        const expected = interClassWeight * part(1, 0).value + intraClassWeight * part(0, 1).value;
        expect(Math.abs(whole.value - expected)).toBeLessThanOrEqual(1e-14 * (1 + expected));
        const other = pass(at({ temperature, interClassWeight, intraClassWeight }), v, z);
        expect(other).toEqual({ value: whole.value, student: whole.teacher, teacher: whole.student });
        expect(whole.value).toBeGreaterThanOrEqual(0);
        const most = 2 * temperature ** 2 * (interClassWeight + intraClassWeight);
        expect(whole.value).toBeLessThanOrEqual(most * (1 + 1e-15));
      }),
      runs,
    );
  });

  it("does not change when a constant is added to rows of logits, and has gradients that sum to 0 in each row", () => {
    fc.assert(
      fc.property(uneven, fc.constantFrom(-8, 64), ([[z, v], temperature], constant) => {
        const plain = pass(at({ temperature }), z, v);
        const eighths = mapped(z, (x) => Math.round(8 * x) / 8);
        const moved = mapped(eighths, (x) => x + constant);
        expect(pass(at({ temperature }), moved, v)).toEqual(pass(at({ temperature }), eighths, v));
        const classes = z.shape[1];
        for (let i = 0; i < plain.student.length; i += classes) {
          expect(Math.abs(sum(plain.student.slice(i, i + classes)))).toBeLessThanOrEqual(1e-12);
        }
      }),
      runs,
    );
  });

  it("hears rare classes: a column of probabilities around 1e-40 counts as any other", () => {
    const z = [
      [0, 1, -92],
      [1, 0, -90],
      [0, 0, -95],
    ];
    const only = pass(at({ interClassWeight: 0 }), z, teacher);
    const p = columnsOf(z.map((row) => softmax(row, 1)));
    const q = columnsOf(teacher.map((row) => softmax(row, 1)));
    expect(Math.abs(only.value - overRows(p, q, (a, b) => 1 - correlation(a, b)))).toBeLessThan(1e-13);
    expect(only.student.every((g) => Number.isFinite(g))).toBe(true);
  });

  it("has T² as a factor alone: correlations do not shrink with T, and for large T its gradient grows as T", () => {
    // p − 1/C is (z − z̄) / (C T), whose correlations are those of the logits.
    const { value } = pass(at({ temperature: 1e5, intraClassWeight: 0 }), student, teacher);
    const limit = overRows(student, teacher, (a, b) => 1 - correlation(a, b));
    expect(Math.abs(value / 1e10 / limit - 1)).toBeLessThan(1e-4);
  });

  it("is not the mean of its parts: correlations down a column need the rows of all of them", () => {
    const within = at({ interClassWeight: 0 });
    const parts = student.map((row, i) => pass(within, [row], [teacher[i]]).value);
    expect(parts).toEqual([1, 1, 1]);
    expect(Math.abs(pass(within, student, teacher).value - 1)).toBeGreaterThan(0.01);
  });
});
