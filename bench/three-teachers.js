// @ts-check
/**
 * What three teachers bring instead of one: `npm run build && node bench/three-teachers.js`, about a minute. On digits,
 * over five seeds, students that differ only in whose answers they learn from: the same initialisation, order of the data
 * and number of steps. The teachers differ in initialisation, order and dropout; the one is the first of the three.
 */
import {
  Adam,
  accuracy,
  cosine,
  Dropout,
  Ensemble,
  fit,
  KnowledgeDistillationTrainer,
  LearningRate,
  Linear,
  meanAndDeviation,
  pairedGain,
  predictLogits,
  RandomStream,
  ReLU,
  Sequential,
  SupervisedTrainer,
} from "distilgrad";
import { Batches, split, takeRows } from "distilgrad/data";
import { digits } from "distilgrad/data/digits";
import { table } from "./table.js";

/** @typedef {import("distilgrad").Module} Module */
/** @typedef {import("distilgrad").Dataset} Dataset */
/** @typedef {import("distilgrad").Trainer<{ readonly total: number }>} Trainer */

const seeds = [1, 2, 3, 4, 5];
const temperature = 4;
const batch = 64;
/** How a student learns: from 50 labels and answers to these rows, or from answers to all rows and no label. */
const lessons = /** @type {const} */ ([
  { name: "50 labels", alpha: 0.7, steps: 800 },
  { name: "no labels", alpha: 0, steps: 3000 },
]);

/** @param {number[]} widths @param {number} dropout @param {(purpose: string) => RandomStream} stream */
function network(widths, dropout, stream) {
  const [init, drop] = [stream("init"), stream("dropout")];
  /** @type {Record<string, Module>} */
  const parts = {};
  for (let i = 1; i < widths.length; i++) {
    parts[`linear${i}`] = new Linear(widths[i - 1], widths[i], { random: init });
    if (i + 1 === widths.length) break;
    parts[`relu${i}`] = new ReLU();
    if (dropout > 0) parts[`dropout${i}`] = new Dropout(dropout, { random: drop });
  }
  return new Sequential(parts);
}

/** @param {Trainer} trainer @param {Dataset} data @param {RandomStream} random @param {number} steps */
function learn(trainer, data, random, steps) {
  const schedule = new LearningRate(trainer.optimizer, cosine({ steps }));
  for (const _ of fit(trainer, new Batches(data, { size: batch, random }), { steps, schedule }));
}

/** Test accuracies in percent, by column. @param {number} seed */
function runSeed(seed) {
  const stream = (/** @type {string} */ purpose) => new RandomStream(seed, purpose);
  const { train, test } = split(digits(), { test: 0.2, random: stream("split") });
  const few = stream("few").permutation(train.x.shape[0]).subarray(0, 50);
  const tested = (/** @type {import("distilgrad").Teacher} */ model) =>
    100 * accuracy(predictLogits(model, test.x), /** @type {Int32Array} */ (test.labels));

  const teachers = [1, 2, 3].map((k) => {
    const own = (/** @type {string} */ purpose) => stream(`teacher ${k} ${purpose}`);
    const model = network([64, 256, 256, 10], 0.2, own);
    const trainer = new SupervisedTrainer({
      model,
      optimizer: new Adam(model.parameters(), { learningRate: 2e-3 }),
    });
    learn(trainer, train, own("order"), 40 * Math.ceil(train.x.shape[0] / batch));
    return model;
  });
  const ensemble = new Ensemble(teachers);
  /** @type {Map<string, number>} */
  const results = new Map([
    ["one teacher", tested(teachers[0])],
    ["three teachers", tested(ensemble)],
  ]);
  for (const { name, alpha, steps } of lessons) {
    for (const [who, teacher] of /** @type {const} */ ([
      ["one", teachers[0]],
      ["three", ensemble.at(temperature)],
    ])) {
      const answered = { ...train, teacherLogits: predictLogits(teacher, train.x) };
      const { labels: _, ...unlabelled } = answered;
      const data = alpha === 0 ? unlabelled : takeRows(answered, few);
      const student = network([64, 32, 10], 0, (purpose) => stream(`student ${purpose}`));
      const optimizer = new Adam(student.parameters(), { learningRate: 5e-3 });
      const trainer = new KnowledgeDistillationTrainer({ teacher, student, optimizer, temperature, alpha });
      learn(trainer, data, stream("student order"), steps);
      results.set(`${name}, ${who}`, tested(student));
    }
  }
  return results;
}

const results = seeds.map((seed) => {
  const found = runSeed(seed);
  console.log(`seed ${seed}: ${[...found].map(([name, value]) => `${name} ${value.toFixed(1)}`).join(", ")}`);
  return found;
});
const column = (/** @type {string} */ name) =>
  results.map((found) => /** @type {number} */ (found.get(name)));
const spread = (/** @type {number[]} */ values) => {
  const { mean, deviation } = meanAndDeviation(values);
  return `${mean.toFixed(1)} ± ${deviation.toFixed(1)} %`;
};
const signed = (/** @type {number} */ value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;

const gains = [
  { name: "the teachers themselves", one: column("one teacher"), three: column("three teachers") },
  ...lessons.map(({ name }) => ({
    name: `students, ${name}`,
    one: column(`${name}, one`),
    three: column(`${name}, three`),
  })),
].map((row) => ({ ...row, ...pairedGain(row.three, row.one) }));
const ends = (/** @type {readonly [number, number] | null} */ interval) =>
  interval?.map(signed).join(" to ") ?? "";

console.log();
console.log(
  table([
    ["", "one", "three", "difference", "95 % interval"],
    null,
    ...gains.map(({ name, one, three, mean, interval }) => [
      name,
      spread(one),
      spread(three),
      signed(mean),
      ends(interval),
    ]),
  ]),
);
console.log();
for (const { name, mean, interval } of gains.slice(1)) {
  const [low, high] = interval ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const what =
    low > 0
      ? `three teachers are worth ${mean.toFixed(1)} points more than one`
      : high < 0
        ? `three teachers are worth ${(-mean).toFixed(1)} points less than one`
        : `${seeds.length} seeds show no difference between three teachers and one`;
  console.log(`${name}: ${what}.`);
}
