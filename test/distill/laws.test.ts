/** The laws of the distillation loss, as the trainer computes it. Numbers in names are those of facts on numerics. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KnowledgeDistillationTrainer } from "../../src/distill/index.ts";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { Linear } from "../../src/nn/linear.ts";
import { crossEntropy, softmax, softTargetLoss } from "../../src/ops/index.ts";
import { SGD } from "../../src/optim/sgd.ts";
import type { Tensor } from "../../src/tensor.ts";

const rows = 3;
const classes = 4;

interface Case {
  readonly z: number[];
  readonly v: number[];
  readonly labels: number[];
  readonly temperature: number;
}

const logit = fc.float({ min: -20, max: 20, noNaN: true });
const logits = fc.array(logit, { minLength: rows * classes, maxLength: rows * classes });
const temperature = fc.constantFrom(0.5, 1, 2, 4, 7.3, 20);
const labels = fc.array(fc.nat(classes - 1), { minLength: rows, maxLength: rows });
const cases: fc.Arbitrary<Case> = fc.record({ z: logits, v: logits, labels, temperature });
const settings = { seed: 1, numRuns: 60 };

function trainerOf(temperature: number, alpha: number, kernels: Kernels): KnowledgeDistillationTrainer {
  const student = new Linear(1, 1, { kernels });
  const optimizer = new SGD(student.parameters(), { learningRate: 0 });
  return new KnowledgeDistillationTrainer({ student, teacher: (x) => x, optimizer, temperature, alpha });
}

const matrix = (values: ArrayLike<number>, kernels: Kernels, requiresGrad = false): Tensor =>
  tensor(Float64Array.from(values), { shape: [values.length / classes, classes], kernels, requiresGrad });

/** The three numbers and ∂total/∂z. */
function lossesOf({ z, v, labels, temperature }: Case, alpha: number, kernels: Kernels = float64) {
  const student = matrix(z, kernels, true);
  const { total, hard, soft } = trainerOf(temperature, alpha, kernels).distillationLoss(
    student,
    matrix(v, kernels),
    labels,
  );
  total.backward();
  return { total: total.item(), hard: hard.item(), soft: soft.item(), gradient: [...student.grad!.data] };
}

const softmaxOf = (values: ArrayLike<number>, T: number): number[] => [
  ...softmax(
    matrix(
      Array.from(values, (value) => value / T),
      float64,
    ),
  ).data,
];

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i])));

/** Some hundred float64 roundings relative to losses of at most T²·(40/T + log 4) < 900. */
const tiny = 100 * 2 ** -53 * 900;

describe("the distillation loss", () => {
  it("18: is never negative, above all where student and teacher nearly agree, in float32", () => {
    const noise = fc.array(fc.float({ min: Math.fround(-1e-3), max: Math.fround(1e-3), noNaN: true }), {
      minLength: rows * classes,
      maxLength: rows * classes,
    });
    fc.assert(
      fc.property(cases, noise, (one, noise) => {
        expect(lossesOf(one, 0, float32).soft).toBeGreaterThanOrEqual(0);
        const near = { ...one, v: one.z.map((value, i) => value + noise[i]) };
        expect(lossesOf(near, 0, float32).soft).toBeGreaterThanOrEqual(0);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("19: is +0 with a gradient of zeros for equal logits, to the last bit", () => {
    fc.assert(
      fc.property(cases, (one) => {
        for (const kernels of [float32, float64]) {
          const { soft, gradient } = lossesOf({ ...one, v: one.z }, 0, kernels);
          expect(Object.is(soft, 0)).toBe(true);
          expect(gradient.every((g) => g === 0)).toBe(true);
        }
      }),
      settings,
    );
  });

  it("20: is at least half the squared distance of the distributions (Pinsker)", () => {
    fc.assert(
      fc.property(cases, (one) => {
        const [p, q] = [softmaxOf(one.z, one.temperature), softmaxOf(one.v, one.temperature)];
        let bound = 0;
        for (let row = 0; row < rows; row++) {
          const range = [row * classes, (row + 1) * classes] as const;
          const distance = sumOf(p.slice(...range).map((value, i) => Math.abs(value - q[range[0] + i])));
          bound += distance ** 2 / 2 / rows;
        }
        expect(lossesOf(one, 0).soft / one.temperature ** 2).toBeGreaterThanOrEqual(bound - tiny);
      }),
      settings,
    );
  });

  it("21: is T² times cross-entropy minus entropy", () => {
    fc.assert(
      fc.property(cases, (one) => {
        const T = one.temperature;
        const q = softmaxOf(one.v, T);
        const student = matrix(
          one.z.map((value) => value / T),
          float64,
        );
        const entropy = -sumOf(q.map((value) => (value === 0 ? 0 : value * Math.log(value)))) / rows;
        const kl = crossEntropy(student, matrix(q, float64)).item() - entropy;
        expect(Math.abs(lossesOf(one, 0).soft - T * T * kl)).toBeLessThanOrEqual(tiny);
      }),
      settings,
    );
  });

  it("22: has the gradient T (p − q) / rows, which sums to 0 in each row", () => {
    fc.assert(
      fc.property(cases, (one) => {
        const T = one.temperature;
        const [p, q] = [softmaxOf(one.z, T), softmaxOf(one.v, T)];
        const { gradient } = lossesOf(one, 0);
        const expected = p.map((value, i) => (T * (value - q[i])) / rows);
        expect(apart(gradient, expected)).toBeLessThanOrEqual(tiny);
        for (let row = 0; row < rows; row++) {
          const part = gradient.slice(row * classes, (row + 1) * classes);
          expect(Math.abs(sumOf(part))).toBeLessThanOrEqual(tiny);
        }
      }),
      settings,
    );
  });

  it("23: tends to half the mean square of centred logit differences as T grows, and its gradient to their mean", () => {
    fc.assert(
      fc.property(cases, (one) => {
        const centred = one.z.map((value, i) => value - one.v[i]);
        for (let row = 0; row < rows; row++) {
          const mean = sumOf(centred.slice(row * classes, (row + 1) * classes)) / classes;
          for (let i = row * classes; i < (row + 1) * classes; i++) centred[i] -= mean;
        }
        const T = 1e6;
        const { soft, gradient } = lossesOf({ ...one, temperature: T }, 0);
        // What is left out is of relative order |logit|/T ≤ 4e-5, and rounding is of order T·2⁻⁵³ in the gradient.
        const limit = sumOf(centred.map((d) => d * d)) / (2 * classes * rows);
        expect(Math.abs(soft - limit)).toBeLessThanOrEqual(4e-5 * 40 * (40 + limit));
        const mean = centred.map((d) => d / (classes * rows));
        expect(apart(gradient, mean)).toBeLessThanOrEqual(4e-5 * 40);
      }),
      settings,
    );
  });

  it("24: keeps the size of its gradient when T doubles: a missing T² shows as a factor of 4", () => {
    fc.assert(
      fc.property(cases, (one) => {
        const norm = (temperature: number): number =>
          Math.sqrt(sumOf(lossesOf({ ...one, temperature }, 0).gradient.map((g) => g * g)));
        const [g, doubled] = [norm(1000), norm(2000)];
        fc.pre(g > 0.01);
        // Relative to |d|·|logit|/T of the expansion.
        expect(Math.abs(doubled / g - 1)).toBeLessThanOrEqual((40 * 40) / 1000 / (g * rows * classes));
      }),
      settings,
    );
  });

  it("25: with α = 1 is the cross-entropy to the last bit, also where the teacher gives NaN", () => {
    fc.assert(
      fc.property(cases, (one) => {
        for (const kernels of [float32, float64]) {
          const got = lossesOf({ ...one, v: one.v.map(() => Number.NaN) }, 1, kernels);
          const student = matrix(one.z, kernels, true);
          const plain = crossEntropy(student, one.labels);
          plain.backward();
          expect([got.total, got.hard, got.soft]).toEqual([plain.item(), plain.item(), 0]);
          expect(got.gradient).toEqual([...student.grad!.data]);
        }
      }),
      settings,
    );
  });

  it("26: with α = 0 is the soft loss to the last bit, whatever the labels are", () => {
    fc.assert(
      fc.property(cases, (one) => {
        for (const kernels of [float32, float64]) {
          const got = lossesOf(one, 0, kernels);
          const student = matrix(one.z, kernels, true);
          const plain = softTargetLoss(student, matrix(one.v, kernels), { temperature: one.temperature });
          plain.backward();
          expect([got.total, got.hard, got.soft]).toEqual([plain.item(), 0, plain.item()]);
          expect(got.gradient).toEqual([...student.grad!.data]);
          expect(lossesOf({ ...one, labels: [-1, -1, -1] }, 0, kernels)).toEqual(got);
        }
      }),
      settings,
    );
  });

  it("27: is affine in α, the weight of the hard loss", () => {
    fc.assert(
      fc.property(cases, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (one, alpha) => {
        const [hard, soft, mixed] = [lossesOf(one, 1), lossesOf(one, 0), lossesOf(one, alpha)];
        const mix = (h: number, s: number): number => alpha * h + (1 - alpha) * s;
        expect(Math.abs(mixed.total - mix(hard.total, soft.total))).toBeLessThanOrEqual(tiny);
        expect([mixed.hard, mixed.soft]).toEqual([hard.total, soft.total]);
        const gradient = hard.gradient.map((h, i) => mix(h, soft.gradient[i]));
        expect(apart(mixed.gradient, gradient)).toBeLessThanOrEqual(tiny);
      }),
      settings,
    );
  });

  it("28: does not change when a constant is added to the teacher's logits, bit for bit where the sum is exact", () => {
    const whole = fc.array(fc.integer({ min: -500, max: 500 }), {
      minLength: rows * classes,
      maxLength: rows * classes,
    });
    fc.assert(
      fc.property(cases, whole, fc.integer({ min: -1000, max: 1000 }), (one, eighths, constant) => {
        const v = eighths.map((value) => value / 8);
        const shifted = { ...one, v: v.map((value) => value + constant) };
        for (const kernels of [float32, float64]) {
          expect(lossesOf(shifted, 0.5, kernels)).toEqual(lossesOf({ ...one, v }, 0.5, kernels));
        }
      }),
      settings,
    );
  });

  it("29: does not change when all classes are permuted together", () => {
    fc.assert(
      fc.property(cases, fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (one, order) => {
        const permuted = (values: readonly number[]): number[] =>
          values.map((_, i) => values[i - (i % classes) + order[i % classes]]);
        const got = lossesOf(
          {
            ...one,
            z: permuted(one.z),
            v: permuted(one.v),
            labels: one.labels.map((label) => order.indexOf(label)),
          },
          0.7,
        );
        const plain = lossesOf(one, 0.7);
        expect(Math.abs(got.total - plain.total)).toBeLessThanOrEqual(tiny);
        expect(apart(got.gradient, permuted(plain.gradient))).toBeLessThanOrEqual(tiny);
      }),
      settings,
    );
  });

  it("30: is a mean over rows and not over classes: a batch of equal rows loses what one row loses", () => {
    fc.assert(
      fc.property(cases, (one) => {
        const row = (values: readonly number[]): number[] => values.slice(0, classes);
        const single = { ...one, z: row(one.z), v: row(one.v), labels: one.labels.slice(0, 1) };
        const repeated = {
          ...one,
          z: [...single.z, ...single.z],
          v: [...single.v, ...single.v],
          labels: [...single.labels, ...single.labels],
        };
        // Doubling and halving are exact.
        for (const kernels of [float32, float64]) {
          const [a, b] = [lossesOf(single, 0.7, kernels), lossesOf(repeated, 0.7, kernels)];
          expect([b.total, b.hard, b.soft]).toEqual([a.total, a.hard, a.soft]);
        }
        // The definition, row by row; a division by classes would show as a factor of 4.
        const T = one.temperature;
        const [p, q] = [softmaxOf(single.z, T), softmaxOf(single.v, T)];
        fc.pre(Math.min(...p, ...q) > 1e-12);
        const kl = sumOf(q.map((value, i) => value * Math.log(value / p[i])));
        expect(Math.abs(lossesOf(single, 0).soft - T * T * kl)).toBeLessThanOrEqual(tiny);
      }),
      settings,
    );
  });

  it("31: measures the student from the teacher, not the other way round", () => {
    // A teacher that is sure, a student that is not: KL(q‖p) ≈ log 2 and KL(p‖q) = ½·10 − log 2.
    const one = { z: [0, 0, -99, -99], v: [10, 0, -99, -99], labels: [0], temperature: 1 };
    expect(lossesOf(one, 0).soft).toBeCloseTo(Math.log(2), 3);
  });

  it("33: has a finite gradient wherever it is finite itself, for T from 0.01 to 1e6", () => {
    const steep = fc.array(fc.float({ min: -10000, max: 10000, noNaN: true }), {
      minLength: rows * classes,
      maxLength: rows * classes,
    });
    const any = fc.constantFrom(0.01, 0.1, 1, 100, 1e4, 1e6);
    fc.assert(
      fc.property(steep, steep, labels, any, (z, v, labels, temperature) => {
        for (const kernels of [float32, float64]) {
          const { total, gradient } = lossesOf({ z, v, labels, temperature }, 0.5, kernels);
          expect(Number.isFinite(total)).toBe(true);
          expect(gradient.every(Number.isFinite)).toBe(true);
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("43: adds its gradient to what is there, hard and soft alike: two backwards give twice one", () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(0, 0.7, 1), (one, alpha) => {
        for (const kernels of [float32, float64]) {
          const student = matrix(one.z, kernels, true);
          for (let i = 0; i < 2; i++) {
            trainerOf(one.temperature, alpha, kernels)
              .distillationLoss(student, matrix(one.v, kernels), one.labels)
              .total.backward();
          }
          const once = lossesOf(one, alpha, kernels).gradient;
          const apart = [...student.grad!.data].map((g, i) => Math.abs(g - 2 * once[i]));
          // With both losses four terms are added and rounded where two were doubled.
          const unit = kernels === float32 ? 2 ** -24 : 2 ** -53;
          const largest = (alpha === 0.7 ? 8 : 0) * unit * one.temperature;
          expect(Math.max(...apart)).toBeLessThanOrEqual(largest);
        }
      }),
      settings,
    );
  });
});
