import { describe, expect, it } from "vitest";
import { Batches } from "../src/data/batches.ts";
import { takeRows } from "../src/data/dataset.ts";
import { digits } from "../src/data/digits.ts";
import { ImageAugmentation } from "../src/data/image-augmentation.ts";
import { shapes } from "../src/data/shapes.ts";
import { fit } from "../src/distill/fit.ts";
import { KnowledgeDistillationTrainer } from "../src/distill/knowledge-distillation-trainer.ts";
import { SupervisedTrainer } from "../src/distill/supervised-trainer.ts";
import { ReLU } from "../src/nn/activations.ts";
import { Dropout } from "../src/nn/dropout.ts";
import * as nn from "../src/nn/index.ts";
import { Linear } from "../src/nn/linear.ts";
import { Sequential } from "../src/nn/sequential.ts";
import { Adam } from "../src/optim/adam.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { Lion } from "../src/optim/lion.ts";
import { cosine, LearningRate, oneCycle } from "../src/optim/schedules.ts";
import { RandomStream } from "../src/random.ts";
import { sha256OfFloats } from "../src/sha256.ts";

/**
 * The weights after 200 steps of distillation with everything on that draws or rounds: initialisation, shuffling,
 * dropout, Adam, a cosine schedule. One number for every JavaScript engine, kernel set and machine. It changes only
 * when the numerics contract or the drawn numbers do, and then on purpose.
 */
const golden = "82cef48a293b2bf1cc31a9db2af0d4ff0e24d24c61c7837046b2de8a61c03ef4";

function distilledWeights(): string {
  const seed = 2026;
  const init = new RandomStream(seed, "init");
  const layers = (width: number) =>
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
const goldenOfNetworks = "4474f38502488fb7723c21914dbd52bb74b1ce90f95dc8401243ee77b55cec1d";

function networkWeights(): string {
  const random = (purpose: string): RandomStream => new RandomStream(5, purpose);
  const from = { random: random("init") };
  const data = takeRows(
    digits(),
    Array.from({ length: 320 }, (_, i) => i),
  );
  const student = new nn.Sequential({
    image: new nn.Reshape([1, 8, 8]),
    conv: new nn.Conv2d(1, 6, 3, { padding: 1, ...from }),
    norm: new nn.BatchNorm2d(6),
    gelu: new nn.GELU(),
    pool: new nn.MaxPool2d(2),
    residual: new nn.Residual(new nn.Conv2d(6, 6, 3, { padding: 1, groups: 2, ...from })),
    silu: new nn.SiLU(),
    average: new nn.AvgPool2d(2),
    flat: new nn.Flatten(),
    logits: new nn.Linear(24, 10, from),
  });
  const teacher = new nn.Sequential({
    tokens: new nn.Reshape([8, 8]),
    embed: new nn.Linear(8, 12, from),
    encoder: new nn.TransformerEncoderLayer(12, 3, { activation: "gelu", dropout: 0.1, ...from }),
    flat: new nn.Flatten(),
    logits: new nn.Linear(96, 10, from),
  });
  const optimizer = new AdamW(student.parameters(), { learningRate: 0.01 });
  const distilling = new KnowledgeDistillationTrainer({ teacher, student, optimizer, microBatchSize: 20 });
  const teaching = new SupervisedTrainer({
    model: teacher,
    optimizer: new Lion(teacher.parameters(), { learningRate: 1e-3 }),
  });
  const batches = (): Batches =>
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

describe("the golden hash", () => {
  it("is the same here as everywhere", () => {
    expect(distilledWeights()).toBe(golden);
  });

  it("of convolutional networks and transformers is the same here as everywhere", () => {
    expect(networkWeights()).toBe(goldenOfNetworks);
  });
});
