// @ts-check
/**
 * `npm run bench`: what a step, a product and a prediction cost on this machine. Figures of one run compare with each
 * other, not with those of another day.
 */
import {
  Adam,
  Conv2d,
  Flatten,
  float32,
  KnowledgeDistillationTrainer,
  Linear,
  MaxPool2d,
  noGrad,
  RandomStream,
  ReLU,
  randn,
  Sequential,
  SupervisedTrainer,
  softmax,
  uniform,
} from "distilgrad";
import { Bench } from "tinybench";

const random = new RandomStream(1, "bench");

/** @param {number[]} widths */
function perceptron(widths) {
  /** @type {Record<string, Linear | ReLU>} */
  const layers = {};
  for (let i = 1; i < widths.length; i++) {
    layers[`linear${i}`] = new Linear(widths[i - 1], widths[i], { random });
    if (i < widths.length - 1) layers[`relu${i}`] = new ReLU();
  }
  return new Sequential(layers);
}

/** A full distillation step: teacher, student, loss, gradients, Adam. @param {number[]} student @param {number[]} teacher @param {number} rows */
function distillationStep(student, teacher, rows) {
  const model = perceptron(student);
  const trainer = new KnowledgeDistillationTrainer({
    teacher: perceptron(teacher),
    student: model,
    optimizer: new Adam(model.parameters()),
  });
  const batches = Array.from({ length: 4 }, () => ({
    x: uniform([rows, student[0]], { random }),
    labels: Int32Array.from({ length: rows }, () => random.below(10)),
  }));
  let step = 0;
  return () => trainer.trainStep(batches[step++ % 4]);
}

/** A step on images: two convolutions, cross-entropy, gradients, Adam. @param {number} rows */
function convolutionStep(rows) {
  const model = new Sequential({
    conv1: new Conv2d(1, 8, 3, { padding: 1, random }),
    relu1: new ReLU(),
    pool1: new MaxPool2d(2),
    conv2: new Conv2d(8, 16, 3, { padding: 1, random }),
    relu2: new ReLU(),
    pool2: new MaxPool2d(2),
    flat: new Flatten(),
    logits: new Linear(16 * 7 * 7, 10, { random }),
  });
  const trainer = new SupervisedTrainer({ model, optimizer: new Adam(model.parameters()) });
  const batches = Array.from({ length: 4 }, () => ({
    x: uniform([rows, 1, 28, 28], { random }),
    labels: Int32Array.from({ length: rows }, () => random.below(10)),
  }));
  let step = 0;
  return () => trainer.trainStep(batches[step++ % 4]);
}

/** @type {[name: string, run: () => unknown, flop: number][]} */
const work = [
  [
    "W1 step: 64-32-10 from 64-128-128-10, batch 32, Adam",
    distillationStep([64, 32, 10], [64, 128, 128, 10], 32),
    2.0e6,
  ],
  [
    "W2 step: 784-64-10 from 784-256-256-10, batch 64, Adam",
    distillationStep([784, 64, 10], [784, 256, 256, 10], 64),
    47e6,
  ],
  ["W6 step: 28×28, two 3×3 convolutions (8, 16), batch 64, Adam", convolutionStep(64), 104e6],
];

for (const size of [64, 256]) {
  const [a, b] = [randn([size, size], { random }).data, randn([size, size], { random }).data];
  const c = new Float32Array(size * size);
  for (const kind of /** @type {const} */ (["matmul", "matmulTransposedA", "matmulTransposedB"])) {
    work.push([
      `${kind} ${size}×${size}×${size}`,
      () => float32[kind](c, a, b, size, size, size),
      2 * size ** 3,
    ]);
  }
}

const small = perceptron([784, 64, 10]);
const one = uniform([1, 784], { random });
work.push(["one sample through 784-64-10", () => noGrad(() => small.forward(one)), 2 * (784 * 64 + 640)]);
const logits = randn([128, 1000], { random });
work.push(["softmax 128×1000", () => softmax(logits), Number.NaN]);

const bench = new Bench({ time: 500, warmupTime: 300 });
for (const [name, run] of work) bench.add(name, run);
await bench.run();

console.log(`Node ${process.version}, kernels ${float32.name}, one thread`);
console.table(
  bench.tasks.map(({ name, result }, i) => {
    if (result.state !== "completed") throw new Error(`${name}: ${result.state}`);
    const median = result.latency.p50;
    const flop = work[i][2];
    return {
      work: name,
      "median µs": Number((median * 1e3).toPrecision(4)),
      "GFLOP/s": Number.isNaN(flop) ? "–" : (flop / median / 1e6).toFixed(2),
    };
  }),
);
