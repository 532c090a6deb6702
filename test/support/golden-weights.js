// @ts-check
/**
 * Trainings whose weights are the same on every JavaScript engine, kernel set and machine, as hashes. This file imports
 * the package by its name, so that the tests run it on the source, and a process of its own on what is built.
 */
import {
  Adam,
  AdamW,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  cosine,
  Dropout,
  Flatten,
  fit,
  GELU,
  KnowledgeDistillationTrainer,
  LearningRate,
  Linear,
  Lion,
  MaxPool2d,
  oneCycle,
  RandomStream,
  ReLU,
  Reshape,
  Residual,
  Sequential,
  SiLU,
  SupervisedTrainer,
  sha256OfFloats,
  TransformerEncoderLayer,
} from "distilgrad";
import { Batches, ImageAugmentation, shapes, takeRows } from "distilgrad/data";
import { digits } from "distilgrad/data/digits";

/**
 * The weights after 200 steps of distillation with everything on that draws or rounds: initialisation, shuffling,
 * dropout, Adam, a cosine schedule. One number for every JavaScript engine, kernel set and machine. It changes only
 * when the numerics contract or the drawn numbers do, and then on purpose.
 */
export const goldenOfDense = "82cef48a293b2bf1cc31a9db2af0d4ff0e24d24c61c7837046b2de8a61c03ef4";

export function distilledWeights() {
  const seed = 2026;
  const init = new RandomStream(seed, "init");
  const layers = (/** @type {number} */ width) =>
    new Sequential({
      hidden: new Linear(64, width, { random: init }),
      relu: new ReLU(),
      dropout: new Dropout(0.2, { random: new RandomStream(seed, "dropout") }),
      logits: new Linear(width, 10, { random: init }),
    });
  const [teacher, student] = [layers(64), layers(32)];
  const optimizer = new Adam(student.parameters(), { learningRate: 5e-3 });
  const trainer = new KnowledgeDistillationTrainer({ teacher, student, optimizer });
  const data = takeRows(
    digits(),
    Array.from({ length: 500 }, (_, i) => i),
  );
  const batches = new Batches(data, { size: 32, random: new RandomStream(seed, "shuffle") });
  const schedule = new LearningRate(optimizer, cosine({ steps: 200 }));
  for (const _ of fit(trainer, batches, { steps: 200, schedule }));
  return sha256OfFloats([...student.stateDict().values()].map(({ data }) => data));
}

/**
 * The same for what convolutional networks and transformers are made of: convolutions with groups, pools, norms, smooth
 * activations, attention, decoupled decay and signs, one cycle, parts of a batch, balanced classes, augmentation, drawn
 * images.
 */
export const goldenOfNetworks = "4474f38502488fb7723c21914dbd52bb74b1ce90f95dc8401243ee77b55cec1d";

export function networkWeights() {
  const random = (/** @type {string} */ purpose) => new RandomStream(5, purpose);
  const from = { random: random("init") };
  const data = takeRows(
    digits(),
    Array.from({ length: 320 }, (_, i) => i),
  );
  const student = new Sequential({
    image: new Reshape([1, 8, 8]),
    conv: new Conv2d(1, 6, 3, { padding: 1, ...from }),
    norm: new BatchNorm2d(6),
    gelu: new GELU(),
    pool: new MaxPool2d(2),
    residual: new Residual(new Conv2d(6, 6, 3, { padding: 1, groups: 2, ...from })),
    silu: new SiLU(),
    average: new AvgPool2d(2),
    flat: new Flatten(),
    logits: new Linear(24, 10, from),
  });
  const teacher = new Sequential({
    tokens: new Reshape([8, 8]),
    embed: new Linear(8, 12, from),
    encoder: new TransformerEncoderLayer(12, 3, { activation: "gelu", dropout: 0.1, ...from }),
    flat: new Flatten(),
    logits: new Linear(96, 10, from),
  });
  const optimizer = new AdamW(student.parameters(), { learningRate: 0.01 });
  const distilling = new KnowledgeDistillationTrainer({ teacher, student, optimizer, microBatchSize: 20 });
  const teaching = new SupervisedTrainer({
    model: teacher,
    optimizer: new Lion(teacher.parameters(), { learningRate: 1e-3 }),
  });
  const batches = () =>
    new Batches(data, {
      size: 32,
      balanced: true,
      random: random("shuffle"),
      augment: new ImageAugmentation({
        shape: [1, 8, 8],
        shift: 1,
        rotate: 20,
        scale: 0.2,
        noise: 0.1,
        seed: 3,
      }),
    });
  for (const _ of fit(teaching, batches(), { epochs: 3 }));
  const schedule = new LearningRate(optimizer, oneCycle({ steps: 30 }));
  for (const _ of fit(distilling, batches(), { epochs: 3, schedule }));
  const drawn = shapes({ rows: 60, random: random("s") }).x;
  return sha256OfFloats(
    [...student.stateDict().values(), ...teacher.stateDict().values(), drawn].map(({ data }) => data),
  );
}
