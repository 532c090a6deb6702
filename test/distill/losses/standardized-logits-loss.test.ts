/** standardizedLogitsLoss: logits at mean 0 and deviation 1. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { gradcheck } from "../../../src/check/gradcheck.ts";
import {
  type StandardizedLogitsOptions,
  standardizedLogitsLoss,
} from "../../../src/distill/losses/standardized-logits-loss.ts";
import { ones } from "../../../src/factories.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { softTargetLoss } from "../../../src/ops/soft-target-loss.ts";
import {
  apart,
  in64,
  kl,
  type Loss,
  logitPairs,
  logitRefusals,
  lossCase,
  mapped,
  mean,
  optionRefusals,
  overRows,
  pass,
  type Row,
  rowsOf,
  softmax,
  temperatureRefusals,
} from "./cases.ts";

const at =
  (options: StandardizedLogitsOptions): Loss =>
  (student, teacher) =>
    standardizedLogitsLoss(student, teacher, options);
const withOptions: Parameters<typeof optionRefusals>[2] = (s, t, options) =>
  standardizedLogitsLoss(s, t, options as StandardizedLogitsOptions);

const deviation = (row: Row): number => Math.sqrt(mean(row.map((x) => (x - mean(row)) ** 2)));
const standardized = (row: Row, epsilon: number): number[] =>
  row.map((x) => (x - mean(row)) / (deviation(row) + epsilon));

const temperatures = fc.constantFrom(0.5, 1, 2, 4, 20);
/** Rows that are not flat: for a difference in a row of deviation s, derivatives grow as 1/s. */
const uneven = logitPairs({ minClasses: 2 }).filter((pair) =>
  pair.flatMap(rowsOf).every((row) => deviation(row) > 0.3),
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

/** q of logits [1, −1] at ε = ½: v̂ = ±1/1.5, 4/3 apart. */
const surer = 1 / (1 + Math.exp(-4 / 3));

const spec: OpSpec = {
  refusesEmpty: true,
  samples: fc.tuple(uneven, temperatures, fc.constantFrom(1e-7, 0.5)).map(([pair, temperature, epsilon]) => {
    const [z, v] = pair.map(rowsOf);
    const soften = (row: Row): number[] => softmax(standardized(row, epsilon), temperature);
    const expected = temperature ** 2 * overRows(z, v, (a, b) => kl(soften(b), soften(a)));
    return lossCase(pair, at({ temperature, epsilon }), expected, { step: 1e-4 });
  }),
  // T² mean Σ q (log q − log p) of ((z − mean) / (deviation + ε)) / T, in 70 decimal digits; gradients by differences.
  golden: [
    {
      at: "the defaults, T = 2, ε = 1e-7",
      operands: [student, teacher],
      call: at({}),
      value: 0.8681898677276033,
      gradients: [
        [
          [-0.01973141446104685, 0.039462750312421545, -0.0197313358513747],
          [-0.2362591366988835, 0.07875303256756369, 0.1575061041313198],
          [0.06601711083319907, -0.06601711026650169, -5.666973927936024e-10],
        ],
        [
          [0.009351166666039317, -0.032729015084946717, 0.023377848418907398],
          [0.05194374392026871, 0.051943734639893394, -0.1038874785601621],
          [-0.11750717760183498, 0.05036022751889699, 0.06714695008293799],
        ],
      ],
    },
    {
      at: "T = 1, ε = ½",
      operands: [student, teacher],
      call: at({ temperature: 1, epsilon: 0.5 }),
      value: 0.36784740722007425,
      gradients: [
        [
          [-0.05777825293025529, 0.01871518885822637, 0.03906306407202892],
          [-0.08860717455923017, 0.020459833683173844, 0.06814734087605634],
          [0.030163525859373017, -0.028021846221203586, -0.002141679638169432],
        ],
        [
          [0.0360535072850509, -0.02895944873765221, -0.007094058547398692],
          [0.031215142154014903, 0.0132582417485947, -0.0444733839026096],
          [-0.04413245257863839, 0.024248025677170465, 0.019884426901467925],
        ],
      ],
    },
  ],
  kinks: [
    {
      at: "a row of equal logits: a uniform p, and the derivative that the formula has there, (dẑ − mean dẑ) / ε",
      operands: [[[5, 5]], [[1, -1]]],
      call: at({ temperature: 1, epsilon: 0.5 }),
      value: Math.LN2 + surer * Math.log(surer) + (1 - surer) * Math.log(1 - surer),
      gradients: [[[(0.5 - surer) / 0.5, (surer - 0.5) / 0.5]], null],
    },
  ],
  domain: [
    {
      at: "a row of equal logits in both",
      operands: [[[5, 5, 5]], [[0.1, 0.1, 0.1]]],
      call: at({}),
      value: 0,
      gradients: [[[0, 0, 0]], [[0, 0, 0]]],
    },
    { at: "one class", operands: [[[5]], [[1]]], call: at({}), value: 0, gradients: [[[0]], [[0]]] },
    { at: "NaN", operands: [[[none, 0]], [[0, 1]]], call: at({}), value: none },
  ],
  errors: [
    ...logitRefusals("standardizedLogitsLoss", at({})),
    ...temperatureRefusals("standardizedLogitsLoss", withOptions),
    ...optionRefusals("standardizedLogitsLoss", "temperature, epsilon", withOptions),
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map(
      (epsilon) =>
        [
          () => standardizedLogitsLoss(ones([2, 3]), ones([2, 3]), { epsilon }),
          `standardizedLogitsLoss: epsilon must be a finite number above 0, got ${epsilon}`,
        ] as const,
    ),
  ],
};

describe("standardizedLogitsLoss", () => {
  for (const check of opChecks("standardizedLogitsLoss", spec)) it(check.name, () => check.run());

  it("is softTargetLoss of standardised logits", () => {
    fc.assert(
      fc.property(uneven, temperatures, ([z, v], temperature) => {
        const ready = [z, v].map((x) => {
          const rows = rowsOf(x).flatMap((row) => standardized(row, 1e-7));
          return mapped(x, (_, i) => rows[i]);
        });
        const own = pass(at({ temperature }), z, v).value;
        const soft = pass((s, t) => softTargetLoss(s, t, { temperature }), ready[0], ready[1]).value;
        expect(Math.abs(own - soft)).toBeLessThanOrEqual(1e-12 * (1 + soft));
      }),
      runs,
    );
  });

  it("does not depend on the shift and, but for ε, on the size of either side", () => {
    fc.assert(
      fc.property(uneven, fc.constantFrom(0.25, 4), fc.constantFrom(-3, 100), ([z, v], factor, shift) => {
        const plain = pass(at({ epsilon: 1e-30 }), z, v);
        const moved = mapped(z, (value) => factor * value + shift);
        const own = pass(at({ epsilon: 1e-30 }), moved, v);
        // A shift by 100 costs a few units of 2⁻⁵³ · 100 in a row whose deviation is above 0.07.
        expect(Math.abs(own.value - plain.value)).toBeLessThanOrEqual(1e-11);
        expect(apart(own.teacher, plain.teacher)).toBeLessThanOrEqual(1e-11);
        expect(
          apart(
            own.student.map((g) => g * factor),
            plain.student,
          ),
        ).toBeLessThanOrEqual(1e-11);
      }),
      runs,
    );
  });

  it("is never negative, and exactly 0 with gradients of 0 for equal logits, in both precisions", () => {
    fc.assert(
      fc.property(uneven, temperatures, ([noise, v], temperature) => {
        const near = mapped(v, (value, i) => Math.fround(value + 1e-4 * noise.data[i]));
        for (const kernels of [float32, float64]) {
          expect(pass(at({ temperature }), near, v, kernels).value).toBeGreaterThanOrEqual(0);
          const equal = pass(at({ temperature }), v, v, kernels);
          expect([equal.value, ...equal.student, ...equal.teacher].every((x) => x === 0)).toBe(true);
        }
      }),
      runs,
    );
  });

  it("sees a row of equal logits as such, whatever float64 makes of its sum", () => {
    const flat = new Array<number>(7).fill(0.1);
    const { value, student } = pass(at({ temperature: 1 }), [flat], [[1, 0, 0, 0, 0, 0, 0]]);
    expect(Number.isFinite(value)).toBe(true);
    // All but the first get the same, to the last bit.
    expect(new Set(student.slice(1)).size).toBe(1);
    expect(Math.abs(student.reduce((a, b) => a + b))).toBeLessThanOrEqual(1e-8); // of entries of the size of 1/ε
  });

  it("has the derivative that differences find at a row of equal logits", () => {
    // The second derivative jumps there, by 1/ε²: the difference is exact to its step, which is short.
    const z = in64([[0.5, 0.5, 0.5]]);
    const own = pass(at({ epsilon: 1 }), z, [[1, 0, 2]]).student;
    for (const [i, g] of own.entries()) {
      const moved = (h: number): number =>
        pass(
          at({ epsilon: 1 }),
          mapped(z, (x, c) => (c === i ? x + h : x)),
          [[1, 0, 2]],
        ).value;
      expect(Math.abs((moved(1e-6) - moved(-1e-6)) / 2e-6 - g)).toBeLessThan(1e-5);
    }
  });

  it("has gradients that sum to 0 in each row, and lie across the row's own logits", () => {
    gradcheck(at({ temperature: 1 }), [in64([[1, 2, 4]]), in64([[0, 3, 1]])], { step: 1e-4 });
    const { student: dz } = pass(at({ temperature: 1, epsilon: 1e-30 }), [[1, 2, 4]], [[0, 3, 1]]);
    expect(Math.abs(dz[0] + dz[1] + dz[2])).toBeLessThan(1e-15);
    expect(Math.abs(dz[0] + 2 * dz[1] + 4 * dz[2])).toBeLessThan(1e-14);
  });
});
