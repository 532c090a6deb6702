import { describe, expect, it } from "vitest";
import { KnowledgeDistillationTrainer } from "../../src/distill/index.ts";
import { tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { Linear } from "../../src/nn/linear.ts";
import {
  crossEntropy,
  klDiv,
  logSoftmax,
  mean,
  scale,
  softmax,
  softTargetLoss,
} from "../../src/ops/index.ts";
import { SGD } from "../../src/optim/sgd.ts";
import type { Tensor } from "../../src/tensor.ts";

const z = (): Tensor =>
  tensor(
    [
      [1, 2, 3],
      [0, 0, 0],
    ],
    { kernels: float64, requiresGrad: true },
  );
const v = tensor(
  [
    [3, 1, 0.2],
    [2, -1, 0.5],
  ],
  { kernels: float64 },
);
const labels = [0, 2];

/** The table has eight or nine decimals. */
const eight = 1e-8;
const near = (got: number, expected: number): void => {
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(eight);
};

describe("the golden numbers of distillation, in float64", () => {
  it("have the hard loss 1.75310913", () => {
    near(crossEntropy(z(), labels).item(), 1.75310913);
  });

  it.each([
    { T: 1, kl: 1.06103842, soft: 1.06103842, reverse: 1.17076961 },
    { T: 4, kl: 0.08577966, soft: 1.37247464, reverse: 1.34692124 },
    { T: 20, kl: 0.00341156, soft: 1.3646228, reverse: 1.35590601 },
  ])("have KL $kl, T²·KL $soft and the reverse $reverse at T = $T", ({ T, kl, soft, reverse }) => {
    const [student, teacher] = [z(), v].map((logits) => scale(logits, 1 / T));
    near(klDiv(logSoftmax(student), softmax(teacher)).item(), kl);
    near(softTargetLoss(z(), v, { temperature: T }).item(), soft);
    // The other direction is the same function with the roles exchanged, and another number: the order counts.
    near(softTargetLoss(v, z(), { temperature: T }).item(), reverse);
    near(klDiv(logSoftmax(teacher), softmax(student)).item(), reverse / (T * T));
  });

  it.each([
    { T: 1, divergence: 0.23406478 },
    { T: 4, divergence: 0.02098372 },
    { T: 20, divergence: 0.00084974 },
  ])("have the Jensen–Shannon divergence $divergence at T = $T", ({ T, divergence }) => {
    const [p, q] = [z(), v].map((logits) => softmax(scale(logits, 1 / T)));
    const middle = tensor(
      Float64Array.from(p.data, (value, i) => Math.log((value + q.data[i]) / 2)),
      { shape: p.shape, kernels: float64 },
    );
    near((klDiv(middle, p).item() + klDiv(middle, q).item()) / 2, divergence);
  });

  it("have the total 1.638918779 and its gradient with the defaults T = 4, α = 0.7", () => {
    const student = new Linear(3, 3, { kernels: float64 });
    const trainer = new KnowledgeDistillationTrainer({
      student,
      teacher: (x) => x,
      optimizer: new SGD(student.parameters(), { learningRate: 0 }),
    });
    const logits = z();
    const { total, hard, soft } = trainer.distillationLoss(logits, v, labels);
    near(total.item(), 1.638918779);
    near(hard.item(), 1.75310913);
    near(soft.item(), 1.37247464);
    total.backward();
    const expected = [-0.451215145, 0.108514744, 0.342700401, 0.038844621, 0.185432825, -0.224277446];
    for (const [i, g] of expected.entries()) near(logits.grad!.data[i], g);
  });

  it("tend to 1.355 as T grows, the mean square of centred differences over 2 classes", () => {
    const centred = [...z().data].map((value, i) => value - v.data[i]);
    const means = [0, 1].map((row) => (centred[3 * row] + centred[3 * row + 1] + centred[3 * row + 2]) / 3);
    const limit = centred.reduce((sum, d, i) => sum + (d - means[Math.floor(i / 3)]) ** 2, 0) / (2 * 3 * 2);
    expect(Math.abs(limit - 1.355)).toBeLessThan(5e-4);
    // The next term of the expansion is of order 1/T of a logit difference of 5.
    expect(Math.abs(softTargetLoss(z(), v, { temperature: 1e6 }).item() - limit)).toBeLessThan(5e-6 * limit);
  });

  it("tell the mean of two teachers' probabilities from the softmax of their mean logits", () => {
    const teachers = tensor(
      [
        [10, 0, 0],
        [0, 2, 0],
      ],
      { kernels: float64 },
    );
    const rounded = (probs: Tensor): number[] => [...probs.data].map((p) => Math.round(p * 1000) / 1000);
    expect(rounded(mean(softmax(teachers), 0))).toEqual([0.553, 0.394, 0.053]);
    expect(rounded(softmax(mean(teachers, 0)))).toEqual([0.976, 0.018, 0.007]);
  });
});
