/** jensenShannonLoss: GKD's generalised divergence, its ends and its extremes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import {
  type JensenShannonOptions,
  jensenShannonLoss,
} from "../../../src/distill/losses/jensen-shannon-loss.ts";
import { reverseKlLoss } from "../../../src/distill/losses/reverse-kl-loss.ts";
import { ones } from "../../../src/factories.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { softTargetLoss } from "../../../src/ops/soft-target-loss.ts";
import {
  in64,
  kl,
  type Loss,
  logitPairs,
  logitRefusals,
  lossCase,
  mapped,
  norm,
  of,
  optionRefusals,
  overRows,
  pass,
  rowsOf,
  softmax,
  temperatureRefusals,
} from "./cases.ts";

const at =
  (beta: number, temperature: number): Loss =>
  (student, teacher) =>
    jensenShannonLoss(student, teacher, { beta, temperature });
const withOptions: Parameters<typeof optionRefusals>[2] = (s, t, options) =>
  jensenShannonLoss(s, t, options as JensenShannonOptions);

const temperatures = fc.constantFrom(0.5, 1, 2, 4, 20);
const shares = fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9, 1);
const runs = { seed: 1, numRuns: 100 };
const { NEGATIVE_INFINITY: out, NaN: none } = Number;

const student = [
  [1, 2, 3],
  [0, 0, 0],
];
const teacher = [
  [3, 1, 0.2],
  [2, -1, 0.5],
];

const spec: OpSpec = {
  refusesEmpty: true,
  samples: fc.tuple(logitPairs(), shares, temperatures).map(([pair, beta, T]) => {
    const [z, v] = pair.map(rowsOf);
    const expected = overRows(z, v, (a, b) => {
      const [p, q] = [softmax(a, T), softmax(b, T)];
      if (beta === 0) return kl(q, p);
      if (beta === 1) return kl(p, q);
      const m = p.map((value, i) => beta * q[i] + (1 - beta) * value);
      return beta * kl(q, m) + (1 - beta) * kl(p, m);
    });
    return lossCase(pair, at(beta, T), expected);
  }),
  // mean Σ β q log(q/m) + (1 − β) p log(p/m), in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "β = ½, T = 1",
      operands: [student, teacher],
      call: at(0.5, 1),
      value: 0.23406478364696895,
      gradients: [
        [
          [-0.04454138347766135, -0.001724766526412264, 0.046266150004073615],
          [-0.05245712911225689, 0.03921259332224581, 0.013244535790011076],
        ],
        [
          [0.0518310038246394, -0.02266410217640798, -0.02916690164823142],
          [0.039092407479114945, -0.016631817382919294, -0.022460590096195655],
        ],
      ],
    },
    {
      at: "β = ½, T = 4",
      operands: [student, teacher],
      call: at(0.5, 4),
      value: 0.020983720978655654,
      gradients: [
        [
          [-0.006233638607120246, 0.0005922653027590394, 0.005641373304361207],
          [-0.003938107865084581, 0.0036955124733705816, 0.00024259539171399923],
        ],
        [
          [0.006974572106063552, -0.001695002196367774, -0.005279569909695778],
          [0.004033535428292103, -0.003338390043990843, -0.0006951453843012599],
        ],
      ],
    },
    {
      at: "β = ½, T = 20",
      operands: [student, teacher],
      call: at(0.5, 20),
      value: 0.0008497353231454861,
      tolerance: 1e-15,
    },
    {
      at: "β = ¼, T = 1",
      operands: [student, teacher],
      call: at(0.25, 1),
      value: 0.1782832041338707,
      gradients: [
        [
          [-0.04156389201646717, 0.0032499102427940465, 0.03831398177367313],
          [-0.03998430631950499, 0.02768891599415556, 0.012295390325349428],
        ],
        [
          [0.038640789092474544, -0.019286937778923288, -0.019353851313551256],
          [0.028064009434736113, -0.01062311635389764, -0.017440893080838474],
        ],
      ],
    },
  ],
  domain: [
    {
      at: "a class that both rule out",
      operands: [[[1, 1, out]], [[2, 2, out]]],
      call: at(0.5, 1),
      value: 0,
      gradients: [[[0, 0, 0]], [[0, 0, 0]]],
    },
    {
      at: "models that rule out each other's class: log 2, not ∞",
      operands: [[[0, out]], [[out, 0]]],
      call: at(0.5, 1),
      value: Math.log(2),
      gradients: [[[0, 0]], [[0, 0]]],
    },
    {
      at: "the same with another share: the entropy of the shares",
      operands: [[[0, out]], [[out, 0]]],
      call: at(0.25, 1),
      value: 0.25 * Math.log(4) + 0.75 * Math.log(4 / 3),
    },
    { at: "NaN", operands: [[[none, 0]], [[0, 0]]], call: at(0.5, 1), value: none },
    { at: "one class", operands: [[[5]], [[1]]], call: at(0.5, 3), value: 0, gradients: [[[0]], [[0]]] },
  ],
  errors: [
    ...logitRefusals("jensenShannonLoss", (s, t) => jensenShannonLoss(s, t)),
    ...temperatureRefusals("jensenShannonLoss", withOptions),
    ...optionRefusals("jensenShannonLoss", "beta, temperature", withOptions),
    ...[-0.1, 1.1, Number.NaN].map(
      (beta) =>
        [
          () => jensenShannonLoss(ones([2, 3]), ones([2, 3]), { beta }),
          `jensenShannonLoss: beta must be in [0, 1], got ${beta}; it is the teacher's share of the mixture`,
        ] as const,
    ),
  ],
};

describe("jensenShannonLoss", () => {
  for (const check of opChecks("jensenShannonLoss", spec)) it(check.name, () => check.run());

  it("has β = ½ and T = 1 where none are given", () => {
    expect(pass((s, t) => jensenShannonLoss(s, t), student, teacher)).toEqual(
      pass(at(0.5, 1), student, teacher),
    );
  });

  it("is symmetric to the last bit for β = ½: exchanging the models exchanges the gradients", () => {
    fc.assert(
      fc.property(logitPairs(), temperatures, ([z, v], T) => {
        for (const kernels of [float32, float64]) {
          const [one, other] = [pass(at(0.5, T), z, v, kernels), pass(at(0.5, T), v, z, kernels)];
          expect(other).toEqual({ value: one.value, student: one.teacher, teacher: one.student });
        }
      }),
      runs,
    );
  });

  it("exchanges β and 1 − β with the models, for β that are exact", () => {
    fc.assert(
      fc.property(logitPairs(), fc.constantFrom(0, 0.25, 0.375, 1), ([z, v], beta) => {
        const [one, other] = [pass(at(beta, 2), z, v), pass(at(1 - beta, 2), v, z)];
        expect(other).toEqual({ value: one.value, student: one.teacher, teacher: one.student });
      }),
      runs,
    );
  });

  it("is never negative, at most log 2, and exactly 0 with gradients of 0 for equal logits", () => {
    const steep = fc.constantFrom(1e-4, 1, 1e4);
    fc.assert(
      fc.property(of([2, 5]), of([2, 5]), steep, fc.constantFrom(0.1, 0.5, 0.9), (v, noise, size, beta) => {
        const z = mapped(v, (value, i) => Math.fround(value + size * noise.data[i]));
        for (const kernels of [float32, float64]) {
          const { value } = pass(at(beta, 1), z, v, kernels);
          expect(value).toBeGreaterThanOrEqual(0);
          // Rounded as log 2 itself is, after a few roundings of numbers below 1.
          expect(value).toBeLessThanOrEqual(
            kernels === float32 ? Math.fround(Math.log(2)) : Math.log(2) + 2 ** -51,
          );
          const equal = pass(at(beta, 1), v, v, kernels);
          expect(Object.is(equal.value, 0)).toBe(true);
          expect([...equal.student, ...equal.teacher].every((g) => g === 0)).toBe(true);
        }
      }),
      runs,
    );
  });

  it("is the divergences themselves at its ends, without T²", () => {
    fc.assert(
      fc.property(logitPairs(), fc.constantFrom(1, 2, 4), ([z, v], temperature) => {
        const square = temperature * temperature; // a power of two, so that products are exact
        const forward = pass((s, t) => softTargetLoss(s, t, { temperature }), z, v).value;
        const reverse = pass((s, t) => reverseKlLoss(s, t, { temperature }), z, v).value;
        expect(pass(at(0, temperature), z, v).value * square).toBe(forward);
        expect(pass(at(1, temperature), z, v).value * square).toBe(reverse);
      }),
      runs,
    );
  });

  it("tends to its ends: L/β and L/(1 − β) for shares that vanish", () => {
    const tiny = 2 ** -30;
    for (const [near, end] of [
      [tiny, 0],
      [1 - tiny, 1],
    ]) {
      const [close, limit] = [pass(at(near, 1), student, teacher), pass(at(end, 1), student, teacher)];
      // The next term is of relative order 2⁻³⁰ times Σ (p − q)²/p < 100.
      expect(Math.abs(close.value / tiny / limit.value - 1)).toBeLessThan(100 * tiny);
      for (const side of ["student", "teacher"] as const) {
        for (const [i, g] of limit[side].entries()) {
          expect(Math.abs(close[side][i] / tiny - g)).toBeLessThan(100 * tiny);
        }
      }
    }
  });

  it("mixes probabilities, not logarithms: with [1, 0] and [ε, 1 − ε] it is near log 2", () => {
    const { value } = pass(at(0.5, 1), [[30, -30]], [[-30, 30]]);
    expect(Math.abs(value - Math.log(2))).toBeLessThan(1e-14);
    // The mixture of logarithms, [½, ½] after normalisation or e⁻³⁰ before, would give 0.69 only by accident: for other
    // shares it does not.
    expect(Math.abs(pass(at(0.25, 1), [[30, -30]], [[-30, 30]]).value - 0.5623351446188083)).toBeLessThan(
      1e-14,
    );
  });

  // In 70 decimal digits: z = [10⁴, 0, −10⁴], v = [0, 1, ½].
  it.each([
    { beta: 1e-9, T: 0.01, value: 2.1723265836446412e-8 },
    { beta: 1e-9, T: 100, value: 1.4152316632181123e-8 },
    { beta: 1e-3, T: 0.01, value: 0.007907255112232087 },
    { beta: 1e-3, T: 100, value: 0.004918746309968361 },
    { beta: 0.5, T: 0.01, value: Math.LN2 },
    { beta: 0.5, T: 100, value: 0.3194129250759466 },
    { beta: 0.999, T: 100, value: 0.0011026134310317276 },
  ])("keeps its digits at extremes: β = $beta, T = $T", ({ beta, T, value }) => {
    const got = pass(at(beta, T), [[1e4, 0, -1e4]], [[0, 1, 0.5]]);
    expect(Math.abs(got.value / value - 1)).toBeLessThan(1e-13);
    expect([...got.student, ...got.teacher].every(Number.isFinite)).toBe(true);
  });

  it("keeps its digits where the models nearly agree: logits 2⁻²⁰ apart", () => {
    const { value, student, teacher } = pass(at(0.25, 1), [[1, 2, 3]], [[1, 2, 3 + 2 ** -20]]);
    // In 70 decimal digits. log q − log p is a difference of numbers of the size of 1, good to 2⁻⁵² / 2⁻²⁰ = 2⁻³².
    expect(Math.abs(value / 1.898815062235976e-14 - 1)).toBeLessThan(2 ** -29);
    for (const [i, g] of [1.0709527277863846e-8, 2.9111513390803753e-8, -3.98210406686676e-8].entries()) {
      expect(Math.abs(student[i] / g - 1)).toBeLessThan(2 ** -29);
    }
    for (const [i, g] of [-1.070952559019053e-8, -2.911150880323205e-8, 3.982103439342258e-8].entries()) {
      expect(Math.abs(teacher[i] / g - 1)).toBeLessThan(2 ** -29);
    }
  });

  it("takes a share that is as small as a float can be", () => {
    for (const beta of [5e-324, 1e-20, 1 - 2 ** -53]) {
      for (const [z, v] of [
        [[[1e4, 0]], [[0, 1e4]]],
        [student, teacher],
      ]) {
        const { value, student: dz, teacher: dv } = pass(at(beta, 0.01), z, v);
        expect([value, ...dz, ...dv].every(Number.isFinite)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("takes probabilities that are denormal: their ratios exceed what float64 holds", () => {
    for (const beta of [0.25, 0.5]) {
      const got = pass(at(beta, 1), [[-720, 0]], [[0, -720]]);
      expect(Math.abs(got.value - pass(at(beta, 1), [[-99, 0]], [[0, -99]]).value)).toBeLessThan(1e-15);
      expect([...got.student, ...got.teacher].every(Number.isFinite)).toBe(true);
    }
  });

  it("has no T²: its gradient shrinks as 1/T² for large T", () => {
    const size = (T: number): number => norm(pass(at(0.5, T), student, teacher).student);
    expect(Math.abs(size(2000) / size(1000) - 1 / 4)).toBeLessThan(1e-3);
  });

  it("does not change when a constant is added to a row", () => {
    const plain = pass(at(0.3, 2), student, teacher);
    for (const constant of [-64, 1024]) {
      const moved = in64(student.map((row) => row.map((x) => x + constant)));
      expect(pass(at(0.3, 2), moved, teacher)).toEqual(plain);
    }
  });
});
