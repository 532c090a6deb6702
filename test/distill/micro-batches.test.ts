/** Law 43: the parts of a batch add up to the batch, in its losses, its gradient and its step. */
import { describe, expect, it } from "vitest";
import { type Dataset, takeRows } from "../../src/data/dataset.ts";
import {
  FeatureDistillationTrainer,
  type FeaturePair,
  KnowledgeDistillationTrainer,
  type Part,
  SupervisedTrainer,
  Trainer,
  type TrainerOptions,
} from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { randn, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { Linear, Module, parametersOf } from "../../src/nn/index.ts";
import { mse } from "../../src/ops/mse.ts";
import { scale } from "../../src/ops/scale.ts";
import { SGD } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { droppingNetwork, hashOf, inputs, network, rowsOf } from "./models.ts";

const rows = 10;
/** Whole or not at all, and mixed so that a part of three, of four and of one is without labels. */
const labellings: readonly [string, (row: number) => boolean][] = [
  ["all rows labelled", () => true],
  ["the first half labelled", (row) => row < 5],
  ["two rows labelled, far apart", (row) => row === 1 || row === 9],
  ["one row labelled", (row) => row === 6],
  ["no row labelled", () => false],
];

function batchOf(isLabelled: (row: number) => boolean, kernels: Kernels = float64): Dataset {
  const batch = rowsOf(rows, 1, kernels);
  return { ...batch, labels: batch.labels.map((label, row) => (isLabelled(row) ? label : -1)) };
}

type Common = Pick<TrainerOptions, "microBatchSize" | "maxGradNorm">;
type Made = readonly [Trainer<{ readonly total: number }>, Module];

const sgd = (of: Map<string, Tensor>): SGD => new SGD(of, { learningRate: 0.1 });
const supervised =
  (labelSmoothing = 0) =>
  (options: Common, kernels: Kernels): Made => {
    const model = network(4, 1, kernels);
    const optimizer = sgd(model.parameters());
    return [new SupervisedTrainer({ model, optimizer, labelSmoothing, ...options }), model];
  };
const distilling =
  (settings: { alpha?: number; temperature?: number }) =>
  (options: Common, kernels: Kernels): Made => {
    const student = network(4, 1, kernels);
    const optimizer = sgd(student.parameters());
    const teacher = network(16, 100, kernels);
    return [
      new KnowledgeDistillationTrainer({ student, teacher, optimizer, ...settings, ...options }),
      student,
    ];
  };
const matching =
  (settings: { alpha?: number; beta?: number }) =>
  (options: Common, kernels: Kernels): Made => {
    const student = network(4, 1, kernels);
    const teacher = network(16, 100, kernels);
    const projection = new Linear(4, 16, { random: new RandomStream(9), kernels });
    const optimizer = sgd(settings.beta === 0 ? student.parameters() : parametersOf({ student, projection }));
    const features: FeaturePair[] = [["logits", "logits"]];
    if (settings.beta !== 0) features.push(["relu", "relu", projection]);
    return [
      new FeatureDistillationTrainer({ student, teacher, optimizer, features, ...settings, ...options }),
      student,
    ];
  };

const trainers: readonly [string, (options: Common, kernels: Kernels) => Made][] = [
  ["SupervisedTrainer", supervised()],
  ["SupervisedTrainer with smoothing", supervised(0.2)],
  ["KnowledgeDistillationTrainer", distilling({})],
  ["KnowledgeDistillationTrainer with α = 1", distilling({ alpha: 1 })],
  ["KnowledgeDistillationTrainer with α = 0", distilling({ alpha: 0, temperature: 2 })],
  ["FeatureDistillationTrainer", matching({})],
  ["FeatureDistillationTrainer with α = 1", matching({ alpha: 1, beta: 2 })],
  ["FeatureDistillationTrainer with β = 0", matching({ beta: 0 })],
];

const gradientsOf = (trainer: Made[0]): number[] =>
  [...trainer.optimizer.parameters.values()].flatMap((w) => [...w.grad!.data]);

/** The largest difference of two lists that are equally long. */
function apart(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])));
}

describe.each(trainers)("a %s that takes a batch in parts", (_, make) => {
  it.each(labellings)("loses and learns what the whole batch does, with %s, in float64", (_, isLabelled) => {
    const batch = batchOf(isLabelled);
    const [whole] = make({}, float64);
    const expected = Object.values(whole.trainStep(batch));
    for (const microBatchSize of [1, 4, 9]) {
      const [inParts, model] = make({ microBatchSize }, float64);
      const losses = inParts.trainStep(batch);
      // Some ten roundings a row of losses and gradients of order 1 to 10.
      expect(apart(Object.values(losses), expected)).toBeLessThanOrEqual(1e-12);
      expect(apart(gradientsOf(inParts), gradientsOf(whole))).toBeLessThanOrEqual(1e-12);
      expect(model.training).toBe(true);
      expect(inParts.steps).toBe(1);
    }
  });

  it("has the same bits as without the option where the batch is no larger", () => {
    const batch = batchOf((row) => row % 3 > 0, float32);
    for (const microBatchSize of [rows, 1000]) {
      const [inParts, model] = make({ microBatchSize }, float32);
      const [whole, twin] = make({}, float32);
      for (let step = 0; step < 3; step++) {
        expect(inParts.trainStep(batch)).toEqual(whole.trainStep(batch));
      }
      expect(hashOf(model)).toBe(hashOf(twin));
    }
  });
});

describe("a batch in parts", () => {
  it("takes one step: gradients are clipped together, and the optimizer counts one", () => {
    const batch = batchOf(() => true);
    const moved = (options: Common): number[] => {
      const [trainer, model] = distilling({})(options, float64);
      trainer.trainStep(batch);
      expect([...trainer.optimizer.state().steps.values()]).toEqual([1, 1, 1, 1]);
      return [...model.stateDict().values()].flatMap(({ data }) => [...data]);
    };
    const [whole, parts] = [moved({ maxGradNorm: 0.1 }), moved({ maxGradNorm: 0.1, microBatchSize: 3 })];
    expect(apart(parts, whole)).toBeLessThanOrEqual(1e-12);
    expect(whole).not.toEqual(moved({}));
  });

  it("takes stored teacher logits row by row, and asks a live teacher no more than a part at a time", () => {
    const batch = batchOf((row) => row % 2 === 0);
    const teacher = network(16, 100, float64);
    const asked: number[] = [];
    const watched = (x: Tensor): Tensor => {
      asked.push(x.shape[0]);
      return teacher.forward(x);
    };
    const step = (data: Dataset): object => {
      const student = network(4, 1, float64);
      const optimizer = sgd(student.parameters());
      const options = { student, teacher: watched, optimizer, microBatchSize: 4 };
      return new KnowledgeDistillationTrainer(options).trainStep(data);
    };
    const live = step(batch);
    expect(asked).toEqual([3, 3, 4]);
    expect(step({ ...batch, teacherLogits: teacher.forward(batch.x).detach() })).toEqual(live);
    expect(asked).toHaveLength(3);
  });

  it("takes labels that are a plain array, too", () => {
    const batch = batchOf(() => true);
    const plain = { ...batch, labels: [...batch.labels!] as unknown as Int32Array };
    const [a, b] = [
      supervised()({ microBatchSize: 3 }, float64),
      supervised()({ microBatchSize: 3 }, float64),
    ];
    expect(a[0].trainStep(plain)).toEqual(b[0].trainStep(batch));
  });

  it("names the row of the batch, not of the part, that brought a NaN, and moves nothing", () => {
    for (const [bad, name] of [
      [7, "x"],
      [9, "teacherLogits"],
    ] as const) {
      const student = network(4, 1);
      const before = hashOf(student);
      const trainer = new KnowledgeDistillationTrainer({
        student,
        teacher: network(16, 100),
        optimizer: sgd(student.parameters()),
        microBatchSize: 3,
      });
      const { x } = rowsOf(rows, 1);
      const batch = { x, teacherLogits: randn([rows, 3], { random: new RandomStream(1) }) };
      batch[name].update((data) => {
        data[(bad * data.length) / rows] = Number.NaN;
      });
      expect(() => trainer.trainStep(batch)).toThrow(
        new DistilgradError(
          "nonfinite",
          `trainStep: the loss is NaN at step 0; the first value that is not finite came from row ${bad} of the batch's ${name}`,
        ),
      );
      expect([hashOf(student), trainer.steps]).toEqual([before, 0]);
      // What an earlier part left behind is forgotten by the next step.
      const twin = network(4, 1);
      const fresh = new KnowledgeDistillationTrainer({
        student: twin,
        teacher: network(16, 100),
        optimizer: sgd(twin.parameters()),
        microBatchSize: 3,
      });
      const good = rowsOf(rows, 2);
      expect(trainer.trainStep(good)).toEqual(fresh.trainStep(good));
      expect(hashOf(student)).toBe(hashOf(twin));
    }
  });

  it("names the row where a live teacher's answer is NaN, with features and without", () => {
    class Broken extends Module {
      readonly hidden = new Linear(inputs, 4, { random: new RandomStream(1) });
      forward(x: Tensor): Tensor {
        this.hidden.forward(x);
        const answers = Float32Array.from({ length: 3 * x.shape[0] }, (_, i) => (i === 5 ? Number.NaN : 0));
        return tensor(answers, { shape: [x.shape[0], 3] });
      }
    }
    const student = network(4, 1);
    const common = {
      student,
      teacher: new Broken(),
      optimizer: sgd(student.parameters()),
      microBatchSize: 3,
    };
    for (const trainer of [
      new KnowledgeDistillationTrainer(common),
      new FeatureDistillationTrainer({ ...common, features: [["hidden", "hidden"]] }),
    ]) {
      expect(() => trainer.trainStep({ x: rowsOf(rows, 1).x })).toThrow(
        "the first value that is not finite came from row 1 of the batch's teacherLogits",
      );
    }
  });

  it("draws one layer's dropout as for the whole batch: a part goes on where the last one ended", () => {
    const run = (options: Common): [number, unknown] => {
      const stream = new RandomStream(1, "dropout");
      const model = droppingNetwork(6, 1, stream);
      const trainer = new SupervisedTrainer({ model, optimizer: sgd(model.parameters()), ...options });
      return [trainer.trainStep(rowsOf(rows, 1)).total, stream.state()];
    };
    const [[whole, after], [parts, state]] = [run({}), run({ microBatchSize: 4 })];
    expect(state).toEqual(after);
    // Four losses, each a sum of rounded numbers of order 1.
    expect(Math.abs(whole - parts)).toBeLessThanOrEqual(20 * 2 ** -24);
  });

  it("is trained on by a trainer of one's own, which says what the losses of some rows are", () => {
    class Autoencoder extends Trainer {
      protected override losses({ x, share }: Part): { readonly total: Tensor } {
        return { total: scale(mse(this.model.forward(x), x), share.rows) };
      }
    }
    const step = (options: Common): number => {
      const model = new Linear(inputs, inputs, { random: new RandomStream(1), kernels: float64 });
      return new Autoencoder(model, { optimizer: sgd(model.parameters()), ...options }).trainStep({
        x: rowsOf(rows, 1, float64).x,
      }).total;
    };
    expect(Math.abs(step({ microBatchSize: 3 }) - step({}))).toBeLessThanOrEqual(1e-14);
  });

  it.each([0, -1, 1.5, Number.NaN, "8"])("refuses the size %s when the trainer is made", (microBatchSize) => {
    const got = typeof microBatchSize === "string" ? '"8", a string' : String(microBatchSize);
    expect(() => supervised()({ microBatchSize: microBatchSize as number }, float32)).toThrow(
      new DistilgradError(
        "value",
        `trainer: microBatchSize must be a whole number of at least 1, got ${got}`,
      ),
    );
  });

  it("refuses a batch without rows as before", () => {
    const [trainer] = supervised()({ microBatchSize: 3 }, float32);
    expect(() => trainer.trainStep(takeRows(rowsOf(rows, 1), []))).toThrow(
      "crossEntropy: expected logits [rows, classes] with at least one row, got [0, 3]",
    );
  });
});
