/** cosineLoss: 1 − cos, its digits near 0, and vectors without direction. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks, shapes } from "../../../src/check/fast-check/index.ts";
import { cosineLoss } from "../../../src/distill/losses/cosine-loss.ts";
import { ones } from "../../../src/factories.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { cosineSimilarity } from "../../../src/ops/cosine-similarity.ts";
import { apart, dot, in64, lossCase, mapped, mean, norm, of, pass, type Row } from "./cases.ts";

const pairs = shapes({ minRank: 2, maxRank: 3, minSize: 1 }).chain((shape) =>
  fc.tuple(of(shape, { gap: 0.3 }), of(shape, { gap: 0.3 })),
);
const runs = { seed: 1, numRuns: 100 };
const { NaN: none } = Number;

const vectors = (data: ArrayLike<number>, width: number): Row[] =>
  Array.from({ length: data.length / width }, (_, v) => Array.from(data).slice(v * width, (v + 1) * width));

const student = [
  [1, 2],
  [0.5, -1],
  [3, 0.25],
];
const teacher = [
  [2, 1],
  [-1, -1.5],
  [0.25, 3],
];

const spec: OpSpec = {
  refusesEmpty: true,
  samples: pairs.map(([s, t]) => {
    const width = s.shape.at(-1)!;
    const others = vectors(t.data, width);
    const expected = mean(
      vectors(s.data, width).map((a, v) => 1 - dot(a, others[v]) / (norm(a) * norm(others[v]))),
    );
    return lossCase([s, t], cosineLoss, expected, { step: 1e-4 });
  }),
  // mean 1 − ⟨s, t⟩ / (|s| |t|), in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "three pairs",
      operands: [student, teacher],
      call: cosineLoss,
      value: 0.5127812734212853,
      gradients: [
        [
          [-0.08, 0.04],
          [0.23153150456652244, 0.11576575228326122],
          [0.009068569163694015, -0.10882282996432818],
        ],
        [
          [0.04, -0.08],
          [-0.13357586801914756, 0.08905057867943171],
          [-0.10882282996432818, 0.009068569163694015],
        ],
      ],
    },
  ],
  domain: [
    {
      at: "the same direction",
      operands: [[[3, 4]], [[6, 8]]],
      call: cosineLoss,
      value: 0,
      gradients: [[[0, 0]], [[0, 0]]],
    },
    {
      at: "a right angle",
      operands: [[[2, 0]], [[0, 4]]],
      call: cosineLoss,
      value: 1,
      gradients: [[[0, -0.5]], [[-0.25, 0]]],
    },
    {
      at: "opposite directions",
      operands: [[[1, 0]], [[-4, 0]]],
      call: cosineLoss,
      value: 2,
      gradients: [[[0, 0]], [[0, 0]]],
    },
    {
      at: "a mean over vectors, and not over their entries",
      operands: [
        [
          [1, 0, 0, 0],
          [1, 0, 0, 0],
        ],
        [
          [1, 0, 0, 0],
          [-1, 0, 0, 0],
        ],
      ],
      call: cosineLoss,
      value: 1,
    },
    { at: "NaN", operands: [[[none, 1]], [[1, 1]]], call: cosineLoss, value: none },
  ],
  kinks: [
    {
      at: "a student's vector of 0: the cosine 0, no gradient",
      operands: [[[0, 0]], [[3, 4]]],
      call: cosineLoss,
      value: 1,
      gradients: [[[0, 0]], [[0, 0]]],
    },
    {
      at: "a teacher's vector of 0",
      // Its direction does not have the length 1 in float64: what is left of the gradient is not 0 by itself.
      operands: [[[1, 1, 1]], [[0, 0, 0]]],
      call: cosineLoss,
      value: 1,
      gradients: [[[0, 0, 0]], [[0, 0, 0]]],
    },
    {
      at: "vectors of 0 in both",
      operands: [[[0, 0]], [[0, 0]]],
      call: cosineLoss,
      value: 1,
      gradients: [[[0, 0]], [[0, 0]]],
    },
    {
      at: "a vector that is shorter than 1e-12",
      operands: [[[1e-13, 0]], [[1, 0]]],
      call: cosineLoss,
      value: 1,
      gradients: [[[0, 0]], [[0, 0]]],
    },
  ],
  errors: [
    [
      () => cosineLoss(ones([2, 3]), ones([2, 4])),
      "cosineLoss: student and teacher must have the same shape, got [2, 3] and [2, 4]",
    ],
    [
      () => cosineLoss(ones([2, 3]), ones([2, 3], { kernels: float64 })),
      "cosineLoss: operands live in two kernel sets, float32 and float64; make both with the same",
    ],
    ...[
      { shape: [3], hint: "" },
      { shape: [0, 3], hint: "" },
      { shape: [3, 0], hint: "" },
      { shape: [2, 3, 4, 4], hint: "; flatten what is one vector" },
    ].map(
      ({ shape, hint }) =>
        [
          () => cosineLoss(ones(shape), ones(shape)),
          `cosineLoss: expected features [rows, features] or [rows, positions, features] with at least one value, got [${shape.join(", ")}]${hint}`,
        ] as const,
    ),
  ],
};

describe("cosineLoss", () => {
  for (const check of opChecks("cosineLoss", spec)) it(check.name, () => check.run());

  it("is 1 less the mean of cosineSimilarity", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const cosines = cosineSimilarity(s, t).data;
        expect(Math.abs(pass(cosineLoss, s, t).value - (1 - mean([...cosines])))).toBeLessThanOrEqual(
          2 ** -49,
        );
      }),
      runs,
    );
  });

  it("keeps its digits where the two nearly agree, where 1 − cos has none left", () => {
    // (1, h) and (1, 0): 1 − 1/√(1 + h²) = h²/2 − 3h⁴/8 + …
    const h = 2 ** -30;
    const { value, student: ds } = pass(cosineLoss, [[1, h]], [[1, 0]]);
    expect(Math.abs(value / (h * h * 0.5) - 1)).toBeLessThan(2 ** -20);
    expect(Math.abs(ds[1] / h - 1)).toBeLessThan(2 ** -20);
    expect(1 - cosineSimilarity(in64([[1, h]]), in64([[1, 0]])).item()).toBe(0);
  });

  it("does not depend on the lengths of either, to the last bit for powers of two", () => {
    fc.assert(
      fc.property(pairs, fc.constantFrom(2 ** -10, 8, 2 ** 40), ([s, t], factor) => {
        const plain = pass(cosineLoss, s, t);
        const longer = pass(
          cosineLoss,
          mapped(s, (x) => factor * x),
          t,
        );
        expect(longer.value).toBe(plain.value);
        expect(longer.teacher).toEqual(plain.teacher);
        expect(longer.student.map((g) => g * factor)).toEqual(plain.student);
      }),
      runs,
    );
  });

  it("is symmetric, and its gradients are perpendicular to their vectors", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const [one, other] = [pass(cosineLoss, s, t), pass(cosineLoss, t, s)];
        expect(other).toEqual({ value: one.value, student: one.teacher, teacher: one.student });
        const width = s.shape.at(-1)!;
        const slopes = vectors(one.student, width);
        for (const [v, a] of vectors(s.data, width).entries()) {
          expect(Math.abs(dot(a, slopes[v]))).toBeLessThanOrEqual(2 ** -48);
        }
      }),
      runs,
    );
  });

  it("has finite gradients from 1e-12 on, in float32", () => {
    const { value, student: ds } = pass(cosineLoss, [[1.0001e-12, 0]], [[0, 1]], float32);
    expect(value).toBe(1);
    expect(ds[1]).toBeLessThan(-9e11);
    expect(ds.every(Number.isFinite)).toBe(true);
    const large = pass(cosineLoss, [[3e38, 3e38]], [[3e38, -3e38]], float32);
    expect([large.value, ...large.student, ...large.teacher].every(Number.isFinite)).toBe(true);
    expect(large.value).toBe(1);
  });

  it("takes hidden states [rows, positions, features] as so many vectors", () => {
    const flat = pass(cosineLoss, student.concat(student), teacher.concat(teacher));
    const stacked = pass(cosineLoss, [student, student], [teacher, teacher]);
    expect(stacked).toEqual(flat);
    expect(apart([flat.value], [pass(cosineLoss, student, teacher).value])).toBeLessThanOrEqual(2 ** -52);
  });
});
