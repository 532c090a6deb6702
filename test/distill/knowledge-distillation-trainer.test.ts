import { describe, expect, it } from "vitest";
import { Batches } from "../../src/data/batches.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { KnowledgeDistillationTrainer, predictLogits, SupervisedTrainer } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor, zeros } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Module } from "../../src/nn/module.ts";
import { crossEntropy, softTargetLoss } from "../../src/ops/index.ts";
import { Adam, SGD } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import { hashOf, network, rowsOf } from "./models.ts";

const teacher = network(16, 100);
const batch = rowsOf(8, 1);

interface Settings {
  readonly temperature?: number;
  readonly alpha?: number;
}

const trainerOf = (student: Module, settings: Settings = {}): KnowledgeDistillationTrainer =>
  new KnowledgeDistillationTrainer({
    student,
    teacher,
    optimizer: new Adam(student.parameters(), { learningRate: 0.01 }),
    ...settings,
  });

/** The student's hash after some steps on some batches. */
function learned(steps: number, batch: Dataset, settings: Settings = {}): string {
  const student = network(4, 1);
  const trainer = trainerOf(student, settings);
  for (let i = 0; i < steps; i++) trainer.trainStep(batch);
  return hashOf(student);
}

describe("distillationLoss", () => {
  const logits = zeros([3, 3], { requiresGrad: true });
  const answers = tensor([
    [3, 1, 0],
    [0, 2, 1],
    [1, 1, 5],
  ]);

  it("has the defaults T = 4 and α = 0.7, the weight of the hard loss", () => {
    const trainer = trainerOf(network(4, 1));
    expect([trainer.temperature, trainer.alpha]).toEqual([4, 0.7]);
    const { total, hard, soft } = trainer.distillationLoss(logits, answers, [0, 1, 2]);
    expect(hard.item()).toBe(crossEntropy(logits, [0, 1, 2]).item());
    expect(soft.item()).toBe(softTargetLoss(logits, answers, { temperature: 4 }).item());
    // Each of the two products and their sum is rounded.
    const exact = 0.7 * hard.item() + 0.3 * soft.item();
    expect(Math.abs(total.item() - exact)).toBeLessThanOrEqual(2.001 * 2 ** -24 * exact);
  });

  it("averages the hard loss over the labelled rows and the soft one over all", () => {
    const trainer = trainerOf(network(4, 1));
    const z = tensor([
      [1, 2, 3],
      [0, 1, 0],
      [2, 0, 0],
    ]);
    const { hard, soft } = trainer.distillationLoss(z, answers, [2, -1, 1]);
    const labelled = tensor([
      [1, 2, 3],
      [2, 0, 0],
    ]);
    expect(hard.item()).toBe(crossEntropy(labelled, [2, 1]).item());
    expect(soft.item()).toBe(softTargetLoss(z, answers, { temperature: 4 }).item());
  });

  it("gives unlabelled rows no hard gradient", () => {
    const z = zeros([3, 3], { requiresGrad: true });
    trainerOf(network(4, 1), { alpha: 1 }).distillationLoss(z, undefined, [0, -1, 2]).total.backward();
    const gradient = [...z.grad!.data];
    expect(gradient.slice(3, 6)).toEqual([0, 0, 0]);
    expect(gradient.slice(0, 3)).toEqual([-1 / 3, 1 / 6, 1 / 6].map(Math.fround));
  });

  it("has a hard loss of 0 where no row is labelled, by −1 or by no labels at all", () => {
    const trainer = trainerOf(network(4, 1));
    const none = trainer.distillationLoss(logits, answers, [-1, -1, -1]);
    const absent = trainer.distillationLoss(logits, answers);
    expect([none.hard.item(), absent.hard.item()]).toEqual([0, 0]);
    expect(absent.total.item()).toBe(none.total.item());
    expect(none.total.item()).toBe(Math.fround(Math.fround(0.3 * none.soft.item())));
  });

  it("says so where there is nothing to learn from", () => {
    expect(() => trainerOf(network(4, 1), { alpha: 1 }).distillationLoss(logits, undefined)).toThrow(
      new DistilgradError(
        "labels",
        "distillationLoss: alpha is 1, which ignores the teacher, and there are no labels: nothing to learn from",
      ),
    );
  });

  it("wants the teacher's logits unless α is 1", () => {
    expect(() => trainerOf(network(4, 1)).distillationLoss(logits, undefined, [0, 1, 2])).toThrow(
      new DistilgradError("value", "distillationLoss: teacherLogits must be a tensor unless alpha is 1"),
    );
  });

  it("refuses another number of classes or rows: nothing is cut or broadcast", () => {
    const trainer = trainerOf(network(4, 1));
    const message = (shape: string): string =>
      `distillationLoss: student logits are [3, 3] and teacher logits ${shape}; both need the same rows and the same classes in the same order`;
    for (const shape of [[3, 4], [1, 3], [3, 1], [3]]) {
      expect(() => trainer.distillationLoss(logits, zeros(shape), [0, 1, 2])).toThrow(
        new DistilgradError("shape", message(`[${shape.join(", ")}]`)),
      );
    }
  });

  it.each([
    [[0, 1], "crossEntropy: expected one label for each of 3 rows, got 2"],
    [[0, 1, 3], "crossEntropy: label 3 at row 2 is outside [0, 3)"],
    [[0, -2, 1], "crossEntropy: label -2 at row 1 is outside [0, 3)"],
    [[0, 1.5, 1], "crossEntropy: labels are whole numbers, got 1.5 at row 1"],
    [
      [1, 0, 0, 0, 1, 0, 0, 0, 1],
      "crossEntropy: expected one label for each of 3 rows, got 9; these look one-hot: pass the index of each row's class",
    ],
  ])("refuses the labels %j", (labels, message) => {
    expect(() => trainerOf(network(4, 1)).distillationLoss(logits, answers, labels)).toThrow(
      new DistilgradError("labels", message),
    );
  });
});

describe("KnowledgeDistillationTrainer", () => {
  it("brings the student nearer to its teacher: the soft loss falls to a fraction, and the classes agree", () => {
    const student = network(8, 2);
    const trainer = trainerOf(student, { alpha: 0 });
    const { x } = rowsOf(64, 3);
    const [first] = Array.from({ length: 300 }, () => trainer.trainStep({ x }));
    const last = trainer.trainStep({ x });
    expect(trainer.steps).toBe(301);
    expect(last.soft).toBeLessThan(first.soft / 20);
    expect(last).toEqual({ total: last.soft, hard: 0, soft: last.soft });
  });

  it("helps where labels are few: the student knows more of the teacher's classes than its twin trained alone", () => {
    const { x } = rowsOf(200, 4);
    const classesOf = (model: Module): number[] => {
      const { data } = predictLogits(model, x);
      return Array.from({ length: 200 }, (_, row) => {
        const part = [...data.subarray(3 * row, 3 * row + 3)];
        return part.indexOf(Math.max(...part));
      });
    };
    const truth = classesOf(teacher);
    const share = (model: Module): number =>
      classesOf(model).filter((label, row) => label === truth[row]).length / 200;
    const few: Dataset = { x: rowsOf(12, 5).x, labels: Int32Array.from({ length: 12 }) };
    const labels = [...predictLogits(teacher, few.x).data];
    for (let row = 0; row < 12; row++) {
      const part = labels.slice(3 * row, 3 * row + 3);
      few.labels![row] = part.indexOf(Math.max(...part));
    }
    const [taught, alone] = [network(8, 6), network(8, 6)];
    const distiller = trainerOf(taught);
    const twin = new SupervisedTrainer({
      model: alone,
      optimizer: new Adam(alone.parameters(), { learningRate: 0.01 }),
    });
    for (let i = 0; i < 400; i++) {
      distiller.trainStep(few);
      twin.trainStep(few);
    }
    expect(share(taught)).toBeGreaterThan(share(alone) + 0.02);
  });

  it("with α = 1 trains as on labels alone, bit for bit, and never asks a teacher that gives NaN or throws", () => {
    for (const bad of [
      () => {
        throw new RangeError("asked");
      },
      () =>
        tensor(
          Float32Array.from({ length: 24 }, () => Number.NaN),
          { shape: [8, 3] },
        ),
    ]) {
      const [student, twin] = [network(4, 1), network(4, 1)];
      const optimizer = new Adam(student.parameters(), { learningRate: 0.01 });
      const trainer = new KnowledgeDistillationTrainer({ student, teacher: bad, optimizer, alpha: 1 });
      const alone = new SupervisedTrainer({
        model: twin,
        optimizer: new Adam(twin.parameters(), { learningRate: 0.01 }),
      });
      for (let i = 0; i < 20; i++) {
        const { total } = alone.trainStep(batch);
        expect(trainer.trainStep(batch)).toEqual({ total, hard: total, soft: 0 });
      }
      expect(hashOf(student)).toBe(hashOf(twin));
    }
  });

  it("with α = 0 does not read labels: without them it learns the same, bit for bit", () => {
    expect(learned(20, { x: batch.x }, { alpha: 0 })).toBe(learned(20, batch, { alpha: 0 }));
    expect(learned(20, batch, { alpha: 0 })).not.toBe(learned(20, batch, { alpha: 0.5 }));
  });

  it("learns the same from stored teacher logits as from the live teacher, bit for bit, however they are shuffled", () => {
    const data = rowsOf(30, 7);
    const stored = { ...data, teacherLogits: predictLogits(teacher, data.x, { batchSize: 7 }) };
    const [live, cached] = [network(4, 1), network(4, 1)];
    const [a, b] = [trainerOf(live), trainerOf(cached)];
    const batches = (of: Dataset): Batches =>
      new Batches(of, { size: 8, random: new RandomStream(1, "shuffle") });
    const [liveBatches, cachedBatches] = [batches(data), batches(stored)];
    for (let i = 0; i < 20; i++) {
      expect(b.trainStep(cachedBatches.next())).toEqual(a.trainStep(liveBatches.next()));
    }
    expect(hashOf(cached)).toBe(hashOf(live));
  });

  it("does not ask the teacher where its logits are given", () => {
    const student = network(4, 1);
    const trainer = new KnowledgeDistillationTrainer({
      student,
      teacher: () => {
        throw new RangeError("asked");
      },
      optimizer: new SGD(student.parameters(), { learningRate: 0.1 }),
    });
    trainer.trainStep({ ...batch, teacherLogits: teacher.forward(batch.x).detach() });
    expect(() => trainer.trainStep(batch)).toThrow(new RangeError("asked"));
  });

  it("takes a mixed batch: rows without a label are taught by the teacher alone", () => {
    const labels = Int32Array.from(batch.labels, (label, row) => (row % 2 ? -1 : label));
    const student = network(4, 1);
    const z = student.forward(batch.x);
    const { hard, soft } = trainerOf(student).trainStep({ x: batch.x, labels });
    expect(hard).toBe(crossEntropy(z.detach(), labels, { ignoredLabel: -1 }).item());
    expect(soft).toBe(
      softTargetLoss(z.detach(), teacher.forward(batch.x).detach(), { temperature: 4 }).item(),
    );
  });

  it("learns from a batch without any label, with the hard loss 0", () => {
    const { hard, soft, total } = trainerOf(network(4, 1)).trainStep({ x: batch.x });
    expect(hard).toBe(0);
    expect(total).toBe(Math.fround(0.3 * soft));
    expect(soft).toBeGreaterThan(0);
  });

  it("reports numbers, and losses of before the step", () => {
    const student = network(4, 1);
    const expected = trainerOf(network(4, 9)).distillationLoss(
      student.forward(batch.x),
      teacher.forward(batch.x).detach(),
      batch.labels,
    );
    const losses = trainerOf(student).trainStep(batch);
    expect(losses).toEqual({
      total: expected.total.item(),
      hard: expected.hard.item(),
      soft: expected.soft.item(),
    });
  });

  it("trains in float64 as well, along the same path", () => {
    const path = (kernels: typeof float32): number[] => {
      const student = network(4, 1, kernels);
      const trainer = new KnowledgeDistillationTrainer({
        student,
        teacher: network(16, 100, kernels),
        optimizer: new SGD(student.parameters(), { learningRate: 0.1 }),
      });
      const rows = rowsOf(8, 1, kernels);
      return Array.from({ length: 10 }, () => trainer.trainStep(rows).total);
    };
    const [narrow, wide] = [path(float32), path(float64)];
    // Forward and backward of 10 steps: some hundred roundings of losses and weights of order 1.
    for (const [i, total] of wide.entries()) expect(Math.abs(narrow[i] - total)).toBeLessThanOrEqual(1e-5);
  });

  it.each<[Settings, string]>([
    [{ temperature: 0 }, "trainer: temperature must be a finite number above 0, got 0"],
    [{ temperature: -1 }, "trainer: temperature must be a finite number above 0, got -1"],
    [{ temperature: Number.NaN }, "trainer: temperature must be a finite number above 0, got NaN"],
    [
      { temperature: Number.POSITIVE_INFINITY },
      "trainer: temperature must be a finite number above 0, got Infinity",
    ],
    [{ temperature: 1e-200 }, "trainer: temperature must be a number from 1e-8 to 1e8, got 1e-200"],
    [{ alpha: -0.1 }, "trainer: alpha must be in [0, 1], got -0.1; it weighs the hard loss"],
    [{ alpha: 1.5 }, "trainer: alpha must be in [0, 1], got 1.5; it weighs the hard loss"],
    [{ alpha: Number.NaN }, "trainer: alpha must be in [0, 1], got NaN; it weighs the hard loss"],
  ])("refuses %j", (settings, message) => {
    expect(() => trainerOf(network(4, 1), settings)).toThrow(new DistilgradError("value", message));
  });

  it("needs a temperature that a string is not", () => {
    const temperature = "4" as unknown as number;
    expect(() => trainerOf(network(4, 1), { temperature })).toThrow(
      new DistilgradError("value", 'trainer: temperature must be a finite number above 0, got "4", a string'),
    );
  });
});
