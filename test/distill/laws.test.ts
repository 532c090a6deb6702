/**
 * The laws of the distillation loss, as the trainer computes it. The numbers are those of `proof/laws.ts`. Tolerances are
 * what roundings can add up to, see `support/row-errors.ts`.
 */
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
import {
  distanceFromLimit,
  divergenceError,
  gamma,
  gradientDistanceFromLimit,
  rowError,
  total as sumOf,
  unitOf,
  w,
} from "../support/row-errors.ts";

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
const settings = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 60 : 3000 };

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

const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i])));

const rowsOf = (values: readonly number[]): number[][] =>
  Array.from({ length: values.length / classes }, (_, r) => values.slice(r * classes, (r + 1) * classes));

type OfRows = (z: readonly number[], v: readonly number[], T: number) => number;

/** The largest of some error over the rows of a case. */
const worst = (of: OfRows, { z, v, temperature }: Case): number =>
  Math.max(...rowsOf(z).map((row, r) => of(row, rowsOf(v)[r], temperature)));

/** How far the soft loss may be off in float64: the mean of its rows' errors times T², and a few roundings of its own. */
const softError = (one: Case, soft: number): number =>
  one.temperature ** 2 * worst(divergenceError, one) + gamma(rows + 4) * soft;

/** How far the hard loss may be off: a row's is a logarithm of a probability, the mean takes a few roundings. */
const hardError = ({ z }: Case, hard: number): number =>
  Math.max(...rowsOf(z).map((row) => rowError(row))) + gamma(rows + 4) * hard;

/** How far an entry of T (p − q) / rows may be off: p and q are at most 1, and so is their difference. */
const softGradientError = (one: Case): number =>
  (one.temperature * (worst((z, v, T) => rowError(z, T) + rowError(v, T), one) + 4 * w)) / rows;

const hardGradientError = ({ z }: Case): number =>
  (Math.max(...rowsOf(z).map((row) => rowError(row))) + 4 * w) / rows;

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
      { ...settings, numRuns: 3 * settings.numRuns },
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
        const T = one.temperature;
        const [p, q] = [rowsOf(softmaxOf(one.z, T)), rowsOf(softmaxOf(one.v, T))];
        const distances = p.map((row, r) => sumOf(row.map((value, i) => Math.abs(value - q[r][i]))));
        const bound = sumOf(distances.map((distance) => distance ** 2 / 2)) / rows;
        const { soft } = lossesOf(one, 0);
        // A distance, at most 2, is off by the errors of two distributions, each of which sums to 1.
        const off =
          2.001 * (worst((z, v) => rowError(z, T) + rowError(v, T), one) + gamma(classes + rows + 4));
        expect(soft / T ** 2).toBeGreaterThanOrEqual(bound - off - softError(one, soft) / T ** 2);
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
        const cross = crossEntropy(student, matrix(q, float64)).item();
        const { soft } = lossesOf(one, 0);
        // Both sides are sums of the terms of a divergence, the right one after an entropy that cancels.
        const bound = 2 * softError(one, soft) + gamma(4 * rows * classes + 8) * T * T * (cross + entropy);
        expect(Math.abs(soft - T * T * (cross - entropy))).toBeLessThanOrEqual(bound);
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
        expect(apart(gradient, expected)).toBeLessThanOrEqual(2 * softGradientError(one));
        // Both distributions sum to 1 but for a rounding of each entry and of the sum; then T and the number of rows.
        const bound = (T / rows) * 2 * gamma(3 * classes + 8);
        for (const row of rowsOf(gradient)) expect(Math.abs(sumOf(row))).toBeLessThanOrEqual(bound);
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
        const far = { ...one, temperature: 2 ** 17 };
        const { soft, gradient } = lossesOf(far, 0);
        const limit = sumOf(centred.map((d) => d * d)) / (2 * classes * rows);
        expect(Math.abs(soft - limit)).toBeLessThanOrEqual(
          worst(distanceFromLimit, far) + gamma(rows + 4) * soft,
        );
        const mean = centred.map((d) => d / (classes * rows));
        const bound = worst(gradientDistanceFromLimit, far) / rows + gamma(classes + 4) * 40;
        expect(apart(gradient, mean)).toBeLessThanOrEqual(bound);
      }),
      settings,
    );
  });

  it("24: keeps the size of its gradient when T doubles: a missing T² shows as a factor of 4", () => {
    let tight = 0;
    fc.assert(
      fc.property(cases, (one) => {
        const at = (temperature: number): { size: number; off: number } => {
          const warm = { ...one, temperature };
          const size = Math.sqrt(sumOf(lossesOf(warm, 0).gradient.map((g) => g * g)));
          const off = (worst(gradientDistanceFromLimit, warm) / rows) * Math.sqrt(rows * classes);
          return { size, off: off + gamma(rows * classes + 4) * size };
        };
        const [near, far] = [at(20_000), at(40_000)];
        expect(Math.abs(far.size - near.size)).toBeLessThanOrEqual(near.off + far.off);
        if (near.off + far.off < 0.1 * near.size) tight++;
      }),
      settings,
    );
    expect(tight).toBeGreaterThan(settings.numRuns / 2);
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
        // Two products and their sum, on both sides from the same numbers.
        const bound = gamma(8) * mix(hard.total, soft.total);
        expect(Math.abs(mixed.total - mix(hard.total, soft.total))).toBeLessThanOrEqual(bound);
        expect([mixed.hard, mixed.soft]).toEqual([hard.total, soft.total]);
        const gradient = hard.gradient.map((h, i) => mix(h, soft.gradient[i]));
        const largest = Math.max(1, one.temperature) / rows;
        expect(apart(mixed.gradient, gradient)).toBeLessThanOrEqual(gamma(8) * largest);
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
        const bound = 2 * (softError(one, plain.soft) + hardError(one, plain.hard)) + gamma(8) * plain.total;
        expect(Math.abs(got.total - plain.total)).toBeLessThanOrEqual(bound);
        const off = 2 * (softGradientError(one) + hardGradientError(one));
        expect(apart(got.gradient, permuted(plain.gradient))).toBeLessThanOrEqual(off);
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
        const { soft } = lossesOf(single, 0);
        // Of T² Σ q log(q / p) every part is off by the error of a row, and 1e-12 in p is far above it.
        expect(Math.abs(soft - T * T * kl)).toBeLessThanOrEqual(2 * softError(single, soft));
      }),
      settings,
    );
  });

  it("31: measures the student from the teacher, not the other way round", () => {
    // A teacher that is sure, a student that is not: KL(q‖p) = log 2 − H(q), whose entropy is below 11 e⁻¹⁰ = 5e-4, and
    // KL(p‖q) = ½·10 − log 2.
    const one = { z: [0, 0, -99, -99], v: [10, 0, -99, -99], labels: [0], temperature: 1 };
    const { soft } = lossesOf(one, 0);
    expect(Math.log(2) - soft).toBeGreaterThan(0);
    expect(Math.log(2) - soft).toBeLessThan(5.1e-4);
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
      { ...settings, numRuns: 3 * settings.numRuns },
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
          const largest = (alpha === 0.7 ? 8 : 0) * unitOf(kernels) * one.temperature;
          expect(Math.max(...apart)).toBeLessThanOrEqual(largest);
        }
      }),
      settings,
    );
  });
});
