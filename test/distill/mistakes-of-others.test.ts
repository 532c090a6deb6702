/**
 * What other libraries get wrong, as far as no other test here is about it: T² and directions are in laws.test.ts, the
 * teacher's integrity in teacher.test.ts, features and their projections in feature-distillation-trainer.test.ts, stored
 * teacher logits in knowledge-distillation-trainer.test.ts, claims from one seed in paired-gain.test.ts.
 */
import { describe, expect, it } from "vitest";
import {
  evaluate,
  FeatureDistillationTrainer,
  KnowledgeDistillationTrainer,
} from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Module } from "../../src/nn/module.ts";
import { Adam } from "../../src/optim/adam.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { droppingNetwork, hashOf, network, rowsOf } from "./models.ts";

const batch = rowsOf(8, 1);
const trainerOf = (student: Module, settings: { temperature?: number; alpha?: number } = {}) =>
  new KnowledgeDistillationTrainer({
    student,
    teacher: network(16, 100),
    optimizer: new Adam(student.parameters(), { learningRate: 0.01 }),
    ...settings,
  });
const row = (values: number[], requiresGrad = false): Tensor =>
  tensor([values], { kernels: float64, requiresGrad });

describe("what other libraries get wrong", () => {
  it("0 · log 0 is 0: a class that the teacher rules out leaves loss and gradient finite", () => {
    const z = row([1, 0, 2], true);
    const v = row([0, 0, Number.NEGATIVE_INFINITY]);
    const { soft, total } = trainerOf(network(4, 1), { temperature: 1, alpha: 0 }).distillationLoss(z, v);
    // q = [½, ½, 0]: KL = −log 2 − ½ Σ log p over the first two.
    const lse = Math.log(Math.E + 1 + Math.exp(2));
    expect(soft.item()).toBeCloseTo(-Math.log(2) - (1 - lse + (0 - lse)) / 2, 14);
    total.backward();
    expect([...z.grad!.data].every(Number.isFinite)).toBe(true);
  });

  it("a class that both rule out costs nothing", () => {
    const z = row([1, 0, Number.NEGATIVE_INFINITY], true);
    const { soft, total } = trainerOf(network(4, 1), { alpha: 0 }).distillationLoss(
      z,
      row([1, 0, Number.NEGATIVE_INFINITY]),
    );
    expect(soft.item()).toBe(0);
    total.backward();
    expect([...z.grad!.data]).toEqual([0, 0, 0]);
  });

  it("a temperature does not touch the hard loss, and T² stays with the soft one", () => {
    const [cold, warm] = [1, 8].map((temperature) =>
      trainerOf(network(4, 1), { temperature }).trainStep(batch),
    );
    expect(warm.hard).toBe(cold.hard);
    expect(warm.soft).not.toBe(cold.soft);
  });

  it("α weighs the hard loss: at 0.9 the total is nearer to it", () => {
    const { total, hard, soft } = trainerOf(network(4, 1), { alpha: 0.9 }).trainStep(batch);
    expect(Math.abs(total - (0.9 * hard + 0.1 * soft))).toBeLessThan(1e-6);
    expect(Math.abs(hard - soft)).toBeGreaterThan(0.1);
  });

  it("a teacher that gives NaN is an error where it counts, and moves nothing", () => {
    const student = network(4, 1);
    const before = hashOf(student);
    const teacherLogits = tensor(
      Float32Array.from({ length: 24 }, () => Number.NaN),
      { shape: [8, 3] },
    );
    expect(() => trainerOf(student).trainStep({ ...batch, teacherLogits })).toThrow(
      new DistilgradError(
        "nonfinite",
        "trainStep: the loss is NaN at step 0; the first value that is not finite came from row 0 of the batch's teacherLogits",
      ),
    );
    expect(hashOf(student)).toBe(before);
  });

  it("a validation between steps changes nothing: the student is neither left in evaluation mode nor moved", () => {
    const train = (validate: boolean): [string, unknown] => {
      const stream = new RandomStream(1, "dropout");
      const student = droppingNetwork(8, 1, stream);
      const trainer = trainerOf(student);
      for (let i = 0; i < 5; i++) {
        trainer.trainStep(batch);
        if (validate) evaluate(student, rowsOf(20, 2));
      }
      return [hashOf(student), stream.state()];
    };
    expect(train(true)).toEqual(train(false));
  });

  it("a student that was left in evaluation mode is trained in training mode all the same", () => {
    const stream = new RandomStream(1, "dropout");
    const student = droppingNetwork(8, 1, stream);
    student.eval();
    trainerOf(student).trainStep(batch);
    expect([student, ...student.modules().values()].every(({ training }) => training)).toBe(true);
    const afterOne = stream.state();
    expect(afterOne).not.toEqual(new RandomStream(1, "dropout").state());
    student.eval();
    const optimizer = new Adam(student.parameters());
    const teacher = network(8, 100);
    const features = [["hidden", "hidden"]] as const;
    new FeatureDistillationTrainer({ student, teacher, optimizer, features }).trainStep(batch);
    expect([student, ...student.modules().values()].every(({ training }) => training)).toBe(true);
    expect(stream.state()).not.toEqual(afterOne);
  });
});
