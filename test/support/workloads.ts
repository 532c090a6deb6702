/**
 * The workloads that every engine is measured and compared on: their sizes, and their weights and data from a hash that
 * is bit-exact in any language.
 */
import type { Dataset } from "../../src/data/dataset.ts";
import {
  FeatureDistillationTrainer,
  KnowledgeDistillationTrainer,
  SupervisedTrainer,
} from "../../src/distill/index.ts";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { Conv2d, Flatten, Linear, MaxPool2d, type Module, ReLU, Sequential } from "../../src/nn/index.ts";
import { Adam, type Optimizer, SGD } from "../../src/optim/index.ts";

/** What one of the workloads is, but for its numbers. */
export interface Workload {
  /** Seeds of weights and data are counted from 10,000 times this. */
  readonly index: number;
  /** Widths, from inputs to classes. */
  readonly student: readonly number[];
  /** Widths of the teacher; left out where there is none. */
  readonly teacher?: readonly number[];
  readonly batch: number;
  readonly optimizer: (model: Module) => Optimizer;
}

const adam = (model: Module): Optimizer => new Adam(model.parameters(), { learningRate: 1e-3 });

export const workloads = {
  W1: { index: 321, student: [64, 32, 10], teacher: [64, 128, 128, 10], batch: 32, optimizer: adam },
  W2: { index: 572, student: [784, 64, 10], teacher: [784, 256, 256, 10], batch: 64, optimizer: adam },
  W3: {
    index: 3,
    student: [784, 800, 800, 10],
    teacher: [784, 1200, 1200, 10],
    batch: 128,
    optimizer: (model) => new SGD(model.parameters(), { learningRate: 0.01, momentum: 0.9 }),
  },
  W4: { index: 4, student: [784, 1200, 1200, 10], batch: 128, optimizer: adam },
  W5: { index: 195, student: [784, 64, 10], teacher: [784, 256, 64, 10], batch: 64, optimizer: adam },
} as const satisfies Record<string, Workload>;

/** A bijection of 32-bit words in which each bit of x reaches every bit of the result. */
export function hash32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

const keyOf = (seed: number): number => hash32(Math.imul(seed, 0x9e3779b9) + 12345);

/** `count` float32 numbers, uniform in [shift − scale, shift + scale). */
export function hashedUniform(seed: number, count: number, scale: number, shift = 0): Float32Array {
  const key = keyOf(seed);
  return Float32Array.from({ length: count }, (_, i) => (hash32(i + key) / 2 ** 31 - 1) * scale + shift);
}

/** `count` class labels. */
export function hashedLabels(seed: number, count: number, classes: number): Int32Array {
  const key = keyOf(seed);
  return Int32Array.from({ length: count }, (_, i) => hash32(i + key) % classes);
}

/** A fresh student: layers `linear0`, `relu0`, `linear1`, …, each weight and bias within 1/√in. */
export function studentOf(workload: Workload, kernels: Kernels = float32): Sequential {
  return network(workload.student, workload.index * 10_000, kernels, (inputs) => [
    1 / Math.sqrt(inputs),
    1 / Math.sqrt(inputs),
  ]);
}

/** A fresh teacher: layers of the same names, each weight within √(6/in), each bias within 0.1. */
export function teacherOf(workload: Workload, kernels: Kernels = float32): Sequential {
  if (workload.teacher === undefined) throw new Error("this workload has no teacher");
  return network(workload.teacher, workload.index * 10_000 + 1000, kernels, (inputs) => [
    Math.sqrt(6 / inputs),
    0.1,
  ]);
}

/** The four batches that the steps take in turn. */
export function batchesOf(
  workload: Workload,
  kernels: Kernels = float32,
): readonly Required<LabelledBatch>[] {
  const { index, batch, student } = workload;
  return [0, 1, 2, 3].map((k) => ({
    x: tensor(hashedUniform(index * 10_000 + 5000 + 2 * k, batch * student[0], 0.5, 0.5), {
      shape: [batch, student[0]],
      kernels,
    }),
    labels: hashedLabels(index * 10_000 + 5001 + 2 * k, batch, student[student.length - 1]),
  }));
}

type LabelledBatch = Pick<Dataset, "x" | "labels">;

/** The trainer of a workload with a teacher: α 0.7, T 4, the defaults. */
export function distillationOf(workload: Workload, kernels: Kernels = float32): KnowledgeDistillationTrainer {
  const student = studentOf(workload, kernels);
  return new KnowledgeDistillationTrainer({
    student,
    teacher: teacherOf(workload, kernels),
    optimizer: workload.optimizer(student),
  });
}

/** W5's trainer: the student's only hidden layer after its ReLU imitates the teacher's second, β 0.3. */
export function featureDistillationOf(
  workload: Workload,
  kernels: Kernels = float32,
): FeatureDistillationTrainer {
  const student = studentOf(workload, kernels);
  return new FeatureDistillationTrainer({
    student,
    teacher: teacherOf(workload, kernels),
    optimizer: workload.optimizer(student),
    features: [["relu0", "relu1"]],
  });
}

/** The trainer of a workload without a teacher. */
export function supervisionOf(workload: Workload, kernels: Kernels = float32): SupervisedTrainer {
  const model = studentOf(workload, kernels);
  return new SupervisedTrainer({ model, optimizer: workload.optimizer(model) });
}

/** W6: on images, without a teacher. Its widths are those of batches: 28 · 28 values to 10 classes. */
const images: Workload = { index: 6, student: [784, 10], batch: 64, optimizer: adam };

/** W6's batches, `[64, 1, 28, 28]`. */
export const imageBatchesOf = (kernels: Kernels = float32): readonly Required<LabelledBatch>[] =>
  batchesOf(images, kernels).map(({ x, labels }) => ({
    x: tensor(x.data, { shape: [images.batch, 1, 28, 28], kernels }),
    labels,
  }));

/** W6's trainer: two convolutions and a classifier, each weight and bias within 1/√fanIn. */
export function imageSupervisionOf(kernels: Kernels = float32): SupervisedTrainer {
  const model = new Sequential({
    conv0: new Conv2d(1, 8, 3, { padding: 1, kernels }),
    relu0: new ReLU(),
    pool0: new MaxPool2d(2),
    conv1: new Conv2d(8, 16, 3, { padding: 1, kernels }),
    relu1: new ReLU(),
    pool1: new MaxPool2d(2),
    flat: new Flatten(),
    logits: new Linear(16 * 7 * 7, 10, { kernels }),
  });
  const scales = [9, 72, 784].map((fanIn) => 1 / Math.sqrt(fanIn));
  for (const [p, parameter] of [...model.parameters().values()].entries()) {
    const values = hashedUniform(images.index * 10_000 + p + 1, parameter.size, scales[Math.floor(p / 2)]);
    parameter.update((data) => data.set(values));
  }
  return new SupervisedTrainer({ model, optimizer: images.optimizer(model) });
}

function network(
  widths: readonly number[],
  firstSeed: number,
  kernels: Kernels,
  scales: (inputs: number) => readonly [weight: number, bias: number],
): Sequential {
  const layers: Record<string, Module> = {};
  for (let l = 0; l + 1 < widths.length; l++) {
    const [inputs, outputs] = [widths[l], widths[l + 1]];
    const layer = new Linear(inputs, outputs, { kernels });
    const [weightScale, biasScale] = scales(inputs);
    const seed = firstSeed + 2 * l + 1;
    layer.weight.update((data) => data.set(hashedUniform(seed, inputs * outputs, weightScale)));
    layer.bias!.update((data) => data.set(hashedUniform(seed + 1, outputs, biasScale)));
    layers[`linear${l}`] = layer;
    if (l + 2 < widths.length) layers[`relu${l}`] = new ReLU();
  }
  return new Sequential(layers);
}
