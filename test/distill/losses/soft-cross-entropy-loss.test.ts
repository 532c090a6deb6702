/** softCrossEntropyLoss: from teacher logits and from soft targets that are stored. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import {
  type SoftCrossEntropyOptions,
  softCrossEntropyLoss,
} from "../../../src/distill/losses/soft-cross-entropy-loss.ts";
import { ones, tensor } from "../../../src/factories.ts";
import { crossEntropy } from "../../../src/ops/cross-entropy.ts";
import { softTargetLoss } from "../../../src/ops/soft-target-loss.ts";
import type { Tensor } from "../../../src/tensor.ts";
import {
  apart,
  type Loss,
  logitPairs,
  logitRefusals,
  lossCase,
  optionRefusals,
  overRows,
  pass,
  rowsOf,
  shaped,
  softmax,
  sum,
  temperatureRefusals,
} from "./cases.ts";

const at =
  (temperature: number, probabilities = false): Loss =>
  (student, teacher) =>
    softCrossEntropyLoss(student, teacher, { temperature, probabilities });
const withOptions: Parameters<typeof optionRefusals>[2] = (s, t, options) =>
  softCrossEntropyLoss(s, t, options as SoftCrossEntropyOptions);

const temperatures = fc.constantFrom(0.5, 1, 2, 4, 20);
const runs = { seed: 1, numRuns: 100 };
const { NEGATIVE_INFINITY: out, POSITIVE_INFINITY: infinity, NaN: none } = Number;

const student = [
  [1, 2, 3],
  [0, 0, 0],
];
const teacher = [
  [3, 1, 0.2],
  [2, -1, 0.5],
];

/** The teacher's logits as soft targets, in float32 so that both sets read the same. */
const softened = (v: Tensor, T: number): Tensor =>
  shaped(
    rowsOf(v).flatMap((row) => softmax(row, T).map(Math.fround)),
    v.shape,
  );

const spec: OpSpec = {
  refusesEmpty: true,
  samples: fc.tuple(logitPairs(), temperatures, fc.boolean()).map(([[z, v], T, probabilities]) => {
    const targets = probabilities ? softened(v, 4) : v; // from 0.05 on: a difference must not step below 0
    const q = rowsOf(targets).map((row) => (probabilities ? row : softmax(row, T)));
    const expected =
      T * T * overRows(q, rowsOf(z), (own, a) => -sum(softmax(a, T).map((p, i) => own[i] * Math.log(p))));
    return lossCase([z, targets], at(T, probabilities), expected);
  }),
  // T² mean −Σ q log p, in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "T = 1",
      operands: [student, teacher],
      call: at(1),
      value: 1.6456993500704657,
      gradients: [
        [
          [-0.37299411480553013, 0.06579281479461876, 0.3072013000109114],
          [-0.22613185062797125, 0.14711038003132293, 0.07902147059664832],
        ],
        [
          [0.08979659274466328, -0.044418773419998295, -0.04537781932466499],
          [0, 0, 0],
        ],
      ],
    },
    {
      at: "T = 4",
      operands: [student, teacher],
      call: at(4),
      value: 18.222335213287614,
      gradients: [
        [
          [-0.44241948551660376, 0.07619926429743334, 0.3662202212191704],
          [-0.2594068172649224, 0.2292205274770405, 0.03018628978788187],
        ],
        [
          [0.18083498457784464, -0.03451613933043599, -0.14631884524740865],
          [0, 0, 0],
        ],
      ],
    },
  ],
  domain: [
    {
      at: "a class that both rule out: 0 · ∞ is 0",
      operands: [[[0, 0, out]], [[0, 0, out]]],
      call: at(1),
      value: Math.log(2),
      gradients: [[[0, 0, 0]], [[0, 0, 0]]],
    },
    {
      at: "soft targets that rule out what the student rules out",
      operands: [[[0, 0, out]], [[0.5, 0.5, 0]]],
      call: at(1, true),
      value: Math.log(2),
      gradients: [[[0, 0, 0]], null],
    },
    {
      at: "a class that only the student rules out",
      operands: [[[0, out]], [[0, 0]]],
      call: at(1),
      value: infinity,
    },
    { at: "NaN", operands: [[[none, 0]], [[0, 0]]], call: at(1), value: none },
    {
      at: "one-hot targets and a logit of 10⁴ that is wrong",
      operands: [[[1e4, 0]], [[0, 1]]],
      call: at(1, true),
      value: 1e4,
      gradients: [[[1, -1]], [[0, 1e4]]],
    },
  ],
  errors: [
    ...logitRefusals("softCrossEntropyLoss", at(4)),
    ...temperatureRefusals("softCrossEntropyLoss", withOptions),
    ...optionRefusals("softCrossEntropyLoss", "temperature, probabilities", withOptions),
    [
      () => softCrossEntropyLoss(ones([2, 3]), ones([2, 4]), { probabilities: true }),
      "softCrossEntropyLoss: studentLogits and teacherProbs must have the same shape, got [2, 3] and [2, 4]",
    ],
    [
      () => softCrossEntropyLoss(ones([1, 2]), tensor([[2, 1]]), { probabilities: true }),
      "softCrossEntropyLoss: teacherProbs must sum to 1 in every row, got 3 in row 0; are these logits? Apply softmax first",
    ],
    [
      () => softCrossEntropyLoss(ones([1, 2]), tensor([[2, -1]]), { probabilities: true }),
      "softCrossEntropyLoss: teacherProbs are probabilities, got -1 in row 0; are these logits? Apply softmax first",
    ],
    [
      () => withOptions(ones([1, 2]), ones([1, 2]), { probabilities: "yes" }),
      'softCrossEntropyLoss: probabilities must be true or false, got "yes", a string',
    ],
  ],
};

describe("softCrossEntropyLoss", () => {
  for (const check of opChecks("softCrossEntropyLoss", spec)) it(check.name, () => check.run());

  it("reads logits, and leaves distributions as they are, where nothing else is said", () => {
    expect(pass((s, t) => softCrossEntropyLoss(s, t), student, teacher)).toEqual(
      pass(at(1), student, teacher),
    );
  });

  it("is softTargetLoss and T² times the teacher's entropy, with the same gradient for the student", () => {
    fc.assert(
      fc.property(logitPairs(), temperatures, ([z, v], temperature) => {
        const [cross, divergence] = [
          pass(at(temperature), z, v),
          pass((s, t) => softTargetLoss(s, t, { temperature }), z, v),
        ];
        const entropy = overRows(rowsOf(v), rowsOf(v), (row) => {
          const q = softmax(row, temperature);
          return -sum(q.map((value) => value * Math.log(value)));
        });
        const expected = divergence.value + temperature ** 2 * entropy;
        expect(Math.abs(cross.value - expected)).toBeLessThanOrEqual(1e-12 * (1 + expected));
        expect(cross.student).toEqual(divergence.student);
      }),
      runs,
    );
  });

  it("gives the same from soft targets as from the logits that they were made of", () => {
    fc.assert(
      fc.property(logitPairs(), temperatures, ([z, v], T) => {
        const q = shaped(
          rowsOf(v).flatMap((row) => softmax(row, T)),
          v.shape,
        );
        const [ofLogits, ofTargets] = [pass(at(T), z, v), pass(at(T, true), z, q)];
        expect(Math.abs(ofTargets.value - ofLogits.value)).toBeLessThanOrEqual(1e-12 * (1 + ofLogits.value));
        expect(apart(ofTargets.student, ofLogits.student)).toBeLessThanOrEqual(1e-13);
      }),
      runs,
    );
  });

  it("is crossEntropy at T = 1, and with one-hot targets that of labels", () => {
    fc.assert(
      fc.property(logitPairs(), ([z, v]) => {
        const q = softened(v, 1);
        const [own, plain] = [pass(at(1, true), z, q), pass((s, t) => crossEntropy(s, t), z, q)];
        expect(Math.abs(own.value - plain.value)).toBeLessThanOrEqual(2 ** -50 * (1 + plain.value));
        expect(apart(own.student, plain.student)).toBeLessThanOrEqual(2 ** -50);
        expect(apart(own.teacher, plain.teacher)).toBeLessThanOrEqual(2 ** -48);
      }),
      runs,
    );
    const oneHot = [
      [1, 0, 0],
      [0, 0, 1],
    ];
    const hard = pass((z) => crossEntropy(z, [0, 2]), student, oneHot);
    expect(pass(at(1, true), student, oneHot)).toMatchObject({ value: hard.value, student: hard.student });
  });

  it("is least, among all students, for the teacher's own distribution", () => {
    fc.assert(
      fc.property(logitPairs(), temperatures, ([z, v], T) => {
        expect(pass(at(T), z, v).value).toBeGreaterThanOrEqual(pass(at(T), v, v).value - 1e-12 * T * T);
        expect(Math.max(...pass(at(T), v, v).student.map(Math.abs))).toBe(0);
      }),
      runs,
    );
  });

  it("takes T on both sides: logits and T that are doubled double p and q alike", () => {
    const twice = (rows: number[][]): number[][] => rows.map((row) => row.map((x) => 2 * x));
    const [one, two] = [pass(at(2), student, teacher), pass(at(4), twice(student), twice(teacher))];
    expect(two.value).toBe(4 * one.value); // by T²
    expect(two.student).toEqual(one.student.map((g) => 2 * g));
  });
});
