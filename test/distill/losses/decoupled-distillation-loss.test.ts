/** decoupledDistillationLoss (DKD): its two parts, what they add up to, and models that are sure. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labels as drawnLabels, type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import {
  type DecoupledDistillationOptions,
  decoupledDistillationLoss,
} from "../../../src/distill/losses/decoupled-distillation-loss.ts";
import { ones } from "../../../src/factories.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { softTargetLoss } from "../../../src/ops/soft-target-loss.ts";
import {
  apart,
  kl,
  type Loss,
  logitPairs,
  logitRefusals,
  lossCase,
  mapped,
  norm,
  optionRefusals,
  overRows,
  pass,
  type Row,
  rowsOf,
  shaped,
  softmax,
  temperatureRefusals,
  weightRefusals,
} from "./cases.ts";

const at =
  (labels: readonly number[], options: DecoupledDistillationOptions): Loss =>
  (student, teacher) =>
    decoupledDistillationLoss(student, teacher, labels, options);
const withOptions: Parameters<typeof optionRefusals>[2] = (s, t, options) =>
  decoupledDistillationLoss(s, t, [0, 1], options as DecoupledDistillationOptions);

const temperatures = fc.constantFrom(0.5, 1, 2, 4, 20);
const weights = fc.constantFrom(0, 0.5, 1, 8);
const runs = { seed: 1, numRuns: 100 };
const { NaN: none } = Number;

const cases = logitPairs({ minClasses: 3 }).chain(([z, v]) => {
  const [rows, classes] = z.shape;
  return fc.record({
    z: fc.constant(z),
    v: fc.constant(v),
    labels: drawnLabels({ rows, classes }),
    temperature: temperatures,
    targetWeight: weights,
    nonTargetWeight: weights,
  });
});

const without = (row: Row, y: number): Row => row.filter((_, c) => c !== y);
const binary = (row: Row, y: number, T: number): Row => [softmax(row, T)[y], 1 - softmax(row, T)[y]];

const student = [
  [1, 2, 3],
  [0, 0, 0],
];
const teacher = [
  [3, 1, 0.2],
  [2, -1, 0.5],
];
const label = [0, 2];

const spec: OpSpec = {
  refusesEmpty: true,
  samples: cases.map(({ z, v, labels, temperature: T, targetWeight, nonTargetWeight }) => {
    const expected = overRows(rowsOf(z), rowsOf(v), (a, b, row) => {
      const y = labels[row];
      const target = kl(binary(b, y, T), binary(a, y, T));
      const nonTarget = kl(softmax(without(b, y), T), softmax(without(a, y), T));
      return T * T * (targetWeight * target + nonTargetWeight * nonTarget);
    });
    return lossCase([z, v], at(labels, { temperature: T, targetWeight, nonTargetWeight }), expected);
  }),
  // T² mean (α KL([q_y, 1 − q_y] ‖ [p_y, 1 − p_y]) + β KL(q̂ ‖ p̂)), in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "the defaults, T = 4, α = 1, β = 8",
      operands: [student, teacher],
      call: at(label, {}),
      value: 6.7252151364504185,
      gradients: [
        [
          [-0.44241948551660376, -1.5984663239472319, 2.0408858094638354],
          [-2.8819523317002287, 2.8517660419123465, 0.03018628978788187],
        ],
        [
          [0.48772498359963096, 1.5139515462036437, -2.001676529803275],
          [2.6349937849240193, -2.6051726792167265, -0.029821105707292673],
        ],
      ],
    },
    {
      at: "T = 1, α = ½, β = 2",
      operands: [student, teacher],
      call: at(label, { temperature: 1, targetWeight: 0.5, nonTargetWeight: 2 }),
      value: 1.29761035348098,
      gradients: [
        [
          [-0.18649705740276507, -0.3708762760583961, 0.5573733334611611],
          [-0.4723294944715953, 0.4328187591732711, 0.03951073529832416],
        ],
        [
          [0.1351090580634446, 0.2918156515035643, -0.4269247095670089],
          [0.16498013503753747, -0.13406374227024703, -0.030916392767290437],
        ],
      ],
    },
  ],
  domain: [
    {
      at: "equal logits",
      operands: [student, student],
      call: at(label, {}),
      value: 0,
      gradients: [
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
      ],
    },
    { at: "NaN", operands: [[[none, 0, 0]], [[0, 0, 0]]], call: at([0], {}), value: none },
  ],
  errors: [
    ...logitRefusals("decoupledDistillationLoss", at([0, 1], {})),
    ...temperatureRefusals("decoupledDistillationLoss", withOptions),
    ...optionRefusals("decoupledDistillationLoss", "temperature, targetWeight, nonTargetWeight", withOptions),
    ...weightRefusals("decoupledDistillationLoss", "targetWeight", withOptions),
    ...weightRefusals("decoupledDistillationLoss", "nonTargetWeight", withOptions),
    [
      () => decoupledDistillationLoss(ones([2, 2]), ones([2, 2]), [0, 1]),
      "decoupledDistillationLoss: expected at least three classes, got [2, 2]; of fewer, softTargetLoss says all there is to say",
    ],
    [
      () => decoupledDistillationLoss(ones([2, 3]), ones([2, 3]), [0, 3]),
      "decoupledDistillationLoss: label 3 at row 1 is outside [0, 3)",
    ],
    [
      () => decoupledDistillationLoss(ones([2, 3]), ones([2, 3]), [0, -1]),
      "decoupledDistillationLoss: label -1 at row 1 is outside [0, 3)",
    ],
    [
      () => decoupledDistillationLoss(ones([2, 3]), ones([2, 3]), [0]),
      "decoupledDistillationLoss: expected one label for each of 2 rows, got 1",
    ],
    [
      () => decoupledDistillationLoss(ones([2, 3]), ones([2, 3]), { temperature: 4 } as unknown as number[]),
      "decoupledDistillationLoss: expected labels as an array, the index of each row's class, got an object",
    ],
  ],
};

describe("decoupledDistillationLoss", () => {
  for (const check of opChecks("decoupledDistillationLoss", spec)) it(check.name, () => check.run());

  it("is softTargetLoss of a row for α = 1 and β = 1 − q_y", () => {
    fc.assert(
      fc.property(cases, ({ z, v, labels: [y], temperature }) => {
        const [a, b] = [z, v].map((x) => shaped(rowsOf(x)[0], [1, x.shape[1]]));
        const nonTargetWeight = 1 - softmax(rowsOf(v)[0], temperature)[y];
        const own = pass(at([y], { temperature, targetWeight: 1, nonTargetWeight }), a, b);
        const whole = pass((s, t) => softTargetLoss(s, t, { temperature }), a, b);
        expect(Math.abs(own.value - whole.value)).toBeLessThanOrEqual(1e-12 * (1 + whole.value));
        expect(apart(own.student, whole.student)).toBeLessThanOrEqual(1e-12);
      }),
      runs,
    );
  });

  it("is affine in its weights: the parts alone add up", () => {
    fc.assert(
      fc.property(cases, ({ z, v, labels, temperature, targetWeight, nonTargetWeight }) => {
        const part = (a: number, b: number) =>
          pass(at(labels, { temperature, targetWeight: a, nonTargetWeight: b }), z, v);
        const [whole, target, others] = [part(targetWeight, nonTargetWeight), part(1, 0), part(0, 1)];
        const mixed = (a: number, b: number): number => targetWeight * a + nonTargetWeight * b;
        const expected = mixed(target.value, others.value);
        expect(Math.abs(whole.value - expected)).toBeLessThanOrEqual(1e-14 * (1 + expected));
        for (const side of ["student", "teacher"] as const) {
          const slopes = target[side].map((g, i) => mixed(g, others[side][i]));
          expect(apart(whole[side], slopes)).toBeLessThanOrEqual(1e-13 * (1 + norm(slopes)));
        }
      }),
      runs,
    );
  });

  it("says nothing of the labelled class in its second part, and nothing of the others' shares in its first", () => {
    const others = at(label, { targetWeight: 0, nonTargetWeight: 1 });
    const raised = (rows: number[][]): number[][] =>
      rows.map((row, r) => row.map((x, c) => x + (c === label[r] ? 7 : 0)));
    const plain = pass(others, student, teacher);
    expect(pass(others, raised(student), teacher)).toEqual(plain);
    for (const [row, y] of label.entries()) expect(plain.student[3 * row + y]).toBe(0);
    // Exchanging the others changes their shares alone.
    const target = at([0], { targetWeight: 1, nonTargetWeight: 0 });
    const [one, other] = [pass(target, [[1, 2, 5]], [[0, 1, 1]]), pass(target, [[1, 5, 2]], [[0, 1, 1]])];
    expect(Math.abs(one.value - other.value)).toBeLessThanOrEqual(1e-15);
  });

  // In 70 decimal digits: z = [40, 0, 1], v = [50, 1, ½], y = 0, T = 1. 1 − p_y is 4e-18, which 1 − p_y in floats is not.
  it("hears what a teacher that is sure of the label knows of the other classes", () => {
    const sure = { temperature: 1, targetWeight: 1, nonTargetWeight: 1 };
    const whole = pass(at([0], sure), [[40, 0, 1]], [[50, 1, 0.5]]);
    expect(Math.abs(whole.value / 0.272873700140898 - 1)).toBeLessThan(1e-14);
    expect(apart(whole.student, [0, -0.35351790983185943, 0.35351790983185943])).toBeLessThan(1e-15);
    const target = pass(at([0], { ...sure, nonTargetWeight: 0 }), [[40, 0, 1]], [[50, 1, 0.5]]);
    expect(Math.abs(target.value / 1.578744873850516e-17 - 1)).toBeLessThan(1e-13);
    const slopes = [-1.579573614265102e-17, 4.248127729789969e-18, 1.154760841286105e-17];
    for (const [i, g] of slopes.entries()) expect(Math.abs(target.student[i] / g - 1)).toBeLessThan(1e-13);
    const ofTeacher = [8.287404145860254e-21, -5.158572042031651e-21, -3.1288321038286035e-21];
    for (const [i, g] of ofTeacher.entries()) expect(Math.abs(target.teacher[i] / g - 1)).toBeLessThan(1e-13);
  });

  it("is never negative where the models nearly agree, in both precisions", () => {
    fc.assert(
      fc.property(cases, ({ z, v, labels, temperature }) => {
        const near = mapped(v, (value, i) => Math.fround(value + 1e-4 * z.data[i]));
        for (const kernels of [float32, float64]) {
          expect(pass(at(labels, { temperature }), near, v, kernels).value).toBeGreaterThanOrEqual(0);
        }
      }),
      runs,
    );
  });

  it("does not count a part of weight 0, though it be infinite", () => {
    const out = Number.NEGATIVE_INFINITY;
    const [z, v] = [[[1, 0, out]], [[1, 0, 0]]];
    expect(pass(at([0], { temperature: 1 }), z, v).value).toBe(Number.POSITIVE_INFINITY);
    const { value, student, teacher } = pass(at([0], { temperature: 1, nonTargetWeight: 0 }), z, v);
    expect([value, ...student, ...teacher].every(Number.isFinite)).toBe(true);
    expect(value).toBeGreaterThan(0);
  });

  it("takes a class that both rule out, also where it is the first of the others", () => {
    const out = Number.NEGATIVE_INFINITY;
    const [three, four] = [
      pass(at([0], {}), [[1, 0, 2]], [[0, 1, 1]]),
      pass(at([0], {}), [[1, out, 0, 2]], [[0, out, 1, 1]]),
    ];
    expect(four.value).toBe(three.value);
    for (const side of ["student", "teacher"] as const) {
      const [y, ...others] = three[side];
      expect(four[side]).toEqual([y, 0, ...others]);
    }
  });

  it("keeps its digits for logits of ±10⁴ and T = 0.01", () => {
    // The scores are −10⁶ and 2 · 10⁶, so that the first part is T² · 10⁶; the second, of [−10⁴, 10⁴] against the
    // teacher's [−10⁴, −2 · 10⁴], is T² · 2 · 10⁶.
    const { value } = pass(
      at([1], { temperature: 0.01, nonTargetWeight: 1 }),
      [[-1e4, 0, 1e4]],
      [[-1e4, 1e4, -2e4]],
    );
    expect(Math.abs(value / (1e-4 * (1e6 + 2e6)) - 1)).toBeLessThan(1e-12);
  });

  it("does not change when a constant is added to a row of either, bit for bit where the sum is exact", () => {
    const plain = pass(at(label, {}), student, teacher);
    const moved = student.map((row) => row.map((x) => x - 1024));
    expect(pass(at(label, {}), moved, teacher)).toEqual(plain);
  });

  it("has its T²: the size of the gradient stays when T doubles", () => {
    const size = (temperature: number): number =>
      norm(pass(at(label, { temperature }), student, teacher).student);
    expect(Math.abs(size(2000) / size(1000) - 1)).toBeLessThan(3e-3);
  });

  it("does not read the labels again on the way back", () => {
    const labels = [0, 2];
    const [first, second] = [1, 2].map((use) =>
      pass(
        (s, t) => {
          const y = decoupledDistillationLoss(s, t, labels);
          if (use === 2) labels.fill(1);
          return y;
        },
        student,
        teacher,
      ),
    );
    expect(second).toEqual(first);
  });
});
