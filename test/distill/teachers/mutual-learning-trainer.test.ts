import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradcheckTrainer } from "../../../src/check/index.ts";
import { Batches } from "../../../src/data/batches.ts";
import {
  Ensemble,
  evaluate,
  fit,
  KnowledgeDistillationTrainer,
  type MutualLearningOptions,
  MutualLearningTrainer,
  SupervisedTrainer,
} from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { tensor, zeros } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { BatchNorm1d, Linear, Module, Parameter, parametersOf, Sequential } from "../../../src/nn/index.ts";
import { Adam, cosine, LearningRate, SGD } from "../../../src/optim/index.ts";
import { RandomStream } from "../../../src/random.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { divergenceError, gamma, rowError, spread } from "../../support/row-errors.ts";
import { kl, type Row, softmax, sum } from "../losses/cases.ts";
import { droppingNetwork, hashOf, network, rowsOf } from "../models.ts";

const settings = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 60 : 2000 };
const allOf = (peers: readonly Module[]): Map<string, Tensor> =>
  parametersOf(Object.fromEntries(peers.map((peer, i) => [`peer${i}`, peer])));
const sgd = (peers: readonly Module[]): SGD => new SGD(allOf(peers), { learningRate: 0.1 });
const make = (peers: readonly Module[], more: Partial<MutualLearningOptions> = {}): MutualLearningTrainer =>
  new MutualLearningTrainer({ ...more, peers, optimizer: more.optimizer ?? sgd(peers) });

/** Its weights are its logits: a step of learning rate 1 shows the gradient. */
class Answering extends Module {
  readonly logits: Parameter;
  constructor(rows: readonly Row[]) {
    super();
    this.logits = new Parameter(
      tensor(
        rows.map((row) => [...row]),
        { kernels: float64 },
      ),
    );
  }
  forward(): Tensor {
    return this.logits;
  }
}

const rows = 3;
const classes = 4;
const row = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: classes, maxLength: classes });
const matrix = fc.array(row, { minLength: rows, maxLength: rows });
const cases = fc.record({
  logits: fc
    .integer({ min: 2, max: 4 })
    .chain((count) => fc.array(matrix, { minLength: count, maxLength: count })),
  labels: fc.array(fc.integer({ min: -1, max: classes - 1 }), { minLength: rows, maxLength: rows }),
  temperature: fc.constantFrom(0.5, 1, 4),
});

/**
 * How far the hard and the mutual loss of a peer may be apart, each computed in float64 on both sides: logarithms and
 * divergences are off by what softmaxes are, and means of them are rounded a few times.
 */
function errorsOf(
  own: readonly Row[],
  others: readonly (readonly Row[])[],
  T: number,
): readonly [number, number] {
  const rounded = gamma(rows + others.length + 8);
  const hard = own.map((z) => 2 * rowError(z) + rounded * (spread(z) + Math.log(classes)));
  const mutual = others.flatMap((other) =>
    own.map((z, r) => {
      const size = (spread(z) + spread(other[r])) / T + 2 * Math.log(classes);
      return T * T * (2 * divergenceError(z, other[r], T) + rounded * size);
    }),
  );
  return [Math.max(...hard), Math.max(...mutual)];
}

describe("mutual learning", () => {
  it("has L_i = CE(z_i, y) + 1/(K − 1) Σ T² KL(p_j ‖ p_i), and its gradient with the others held", () => {
    fc.assert(
      fc.property(cases, ({ logits, labels, temperature: T }) => {
        const peers = logits.map((rows) => new Answering(rows));
        const before = peers.map((peer) => [...peer.logits.data]);
        const optimizer = new SGD(allOf(peers), { learningRate: 1 });
        const trainer = new MutualLearningTrainer({ peers, optimizer, temperature: T });
        const x = zeros([rows, 1], { kernels: float64 });
        const losses = trainer.trainStep({ x, labels: Int32Array.from(labels) });
        const labelled = labels.filter((label) => label !== -1).length;
        let [total, error] = [0, 0];
        for (const [i, own] of logits.entries()) {
          const others = logits.filter((_, j) => j !== i);
          const hard = sum(
            own.map((z, r) => (labels[r] === -1 ? 0 : -Math.log(softmax(z, 1)[labels[r]]) / labelled)),
          );
          const mutual = sum(
            others.map((other) =>
              sum(own.map((z, r) => (T * T * kl(softmax(other[r], T), softmax(z, T))) / rows)),
            ),
          );
          const mean = mutual / others.length;
          total += hard + mean;
          const [hardError, meanError] = errorsOf(own, others, T);
          error += hardError + meanError;
          expect(Math.abs(losses[`hard${i}`] - hard)).toBeLessThanOrEqual(hardError);
          expect(Math.abs(losses[`mutual${i}`] - mean)).toBeLessThanOrEqual(meanError);
          expect(losses[`total${i}`]).toBe(losses[`hard${i}`] + losses[`mutual${i}`]);
          for (const [r, z] of own.entries()) {
            for (const c of z.keys()) {
              const p = softmax(z, T)[c];
              const apart = sum(others.map((other) => p - softmax(other[r], T)[c])) / others.length;
              const labelError =
                labels[r] === -1 ? 0 : (softmax(z, 1)[c] - (labels[r] === c ? 1 : 0)) / labelled;
              const gradient = labelError + (T * apart) / rows;
              const at = r * classes + c;
              // Softmaxes are off on both sides, and the step rounds what it moves.
              const worst = Math.max(
                ...[z, ...others.map((other) => other[r])].map((v) => rowError(v, Math.min(T, 1))),
              );
              const off = 2 * (2 + 2 * T) * worst + gamma(20) * (Math.abs(before[i][at]) + 1 + T);
              expect(Math.abs(before[i][at] - peers[i].logits.data[at] - gradient)).toBeLessThanOrEqual(off);
            }
          }
        }
        expect(Math.abs(losses.total - total)).toBeLessThanOrEqual(error + gamma(8) * total);
      }),
      settings,
    );
  });

  it("is not learning from the mean of the others: with three peers the two differ", () => {
    const logits = [[[0, 0, 0]], [[8, 0, 0]], [[0, 8, 0]]];
    const losses = make(logits.map((rows) => new Answering(rows))).trainStep({
      x: zeros([1, 1], { kernels: float64 }),
    });
    const others = logits.slice(1).map(([z]) => softmax(z, 1));
    const uniform = [1 / 3, 1 / 3, 1 / 3];
    const ofMean = kl(
      others[0].map((p, c) => (p + others[1][c]) / 2),
      uniform,
    );
    expect(losses.mutual0).toBeCloseTo(kl(others[0], uniform), 12);
    expect(losses.mutual0 - ofMean).toBeGreaterThan(0.6);
  });

  it("moves each peer as a trainer of its own would, taught by the other's answers from before the step", () => {
    const batch = rowsOf(8, 1, float64);
    const peers = [network(4, 1, float64), network(7, 2, float64)];
    const trainer = make(peers, { optimizer: new Adam(allOf(peers)) });
    const twins = [network(4, 1, float64), network(7, 2, float64)];
    // α = ½ halves both terms, which Adam does not see once its ε is halved as well: to the last bit, as for all twos.
    const own = twins.map(
      (student, i) =>
        new KnowledgeDistillationTrainer({
          student,
          teacher: twins[1 - i],
          optimizer: new Adam(student.parameters(), { epsilon: 0.5e-8 }),
          temperature: 1,
          alpha: 0.5,
        }),
    );
    for (let step = 0; step < 3; step++) {
      const answers = twins.map((twin) => twin.forward(batch.x).detach());
      const before = twins.map((_, i) => own[i].trainStep({ ...batch, teacherLogits: answers[1 - i] }));
      const losses = trainer.trainStep(batch);
      for (const [i, { hard, soft }] of before.entries()) {
        expect([losses[`hard${i}`], losses[`mutual${i}`]]).toEqual([hard, soft]);
      }
    }
    expect(peers.map(hashOf)).toEqual(twins.map(hashOf));
  });

  it("with one optimizer is as with one for each: a peer's step does not depend on the others' weights in it", () => {
    const batch = rowsOf(8, 1);
    const [together, apart] = [0, 1].map(() => [network(4, 1), network(7, 2)]);
    make(together, { optimizer: new Adam(allOf(together)) }).trainStep(batch);
    for (const [i, peer] of apart.entries()) {
      // The other one answers with the weights it had, in a model of its own that no optimizer moves.
      const other = [network(4, 1), network(7, 2)][1 - i];
      for (const parameter of other.parameters().values()) parameter.requiresGrad = false;
      const peers = i === 0 ? [peer, other] : [other, peer];
      make(peers, { optimizer: new Adam(peer.parameters()) }).trainStep(batch);
    }
    expect(apart.map(hashOf)).toEqual(together.map(hashOf));
  });

  it("lets no gradient of a peer's loss reach another: it moves as next to one that has learned all and is frozen", () => {
    const peers = [network(4, 1), network(7, 2)];
    make(peers).trainStep(rowsOf(8, 1));
    const [alone, frozen] = [network(4, 1), network(7, 2)];
    for (const parameter of frozen.parameters().values()) parameter.requiresGrad = false;
    make([alone, frozen], { optimizer: sgd([alone]) }).trainStep(rowsOf(8, 1));
    expect(hashOf(alone)).toBe(hashOf(peers[0]));
  });

  it("descends no gradient of its total, as answers are held: gradcheckTrainer disagrees", () => {
    const trainer = make([network(4, 1), network(7, 2)]);
    expect(() => gradcheckTrainer(trainer, rowsOf(4, 1))).toThrow(
      /^gradcheck: MutualLearningTrainer, parameter/,
    );
  });

  it("has no mutual loss between equal peers, which learn as each would alone", () => {
    const batch = rowsOf(8, 1);
    const peers = [network(4, 1), network(4, 1), network(4, 1)];
    const alone = network(4, 1);
    const losses = make(peers).trainStep(batch);
    const optimizer = new SGD(alone.parameters(), { learningRate: 0.1 });
    const expected = new SupervisedTrainer({ model: alone, optimizer }).trainStep(batch);
    expect([losses.mutual0, losses.mutual1, losses.mutual2]).toEqual([0, 0, 0]);
    expect(losses.hard1).toBe(expected.total);
    expect(peers.map(hashOf)).toEqual([alone, alone, alone].map(hashOf));
  });

  it("counts rows without a label in the mutual term only, and learns from no labels at all", () => {
    const batch = rowsOf(6, 1);
    const some = { ...batch, labels: Int32Array.of(1, -1, -1, 2, -1, -1) };
    const peers = (): Module[] => [network(4, 1), network(7, 2)];
    const [full, partly, none, left] = [
      batch,
      some,
      { ...batch, labels: new Int32Array(6).fill(-1) },
      { x: batch.x },
    ].map((each) => make(peers()).trainStep(each));
    expect([partly.mutual0, partly.mutual1]).toEqual([full.mutual0, full.mutual1]);
    expect(partly.hard0).not.toBe(full.hard0);
    expect([none.hard0, none.hard1, none.total0]).toEqual([0, 0, none.mutual0]);
    expect(none.mutual0).toBeGreaterThan(0);
    expect(left).toEqual(none);
  });

  it("takes a batch in parts that add up to it", () => {
    const batch = rowsOf(9, 1, float64);
    const labels = batch.labels.map((label, i) => (i % 3 === 0 ? -1 : label));
    const [whole, parts] = [undefined, 2].map((size) => {
      const peers = [network(4, 1, float64), network(7, 2, float64), network(5, 3, float64)];
      const losses = make(peers, size === undefined ? {} : { microBatchSize: size }).trainStep({
        ...batch,
        labels,
      });
      const weights = peers.flatMap((peer) =>
        [...peer.parameters().values()].flatMap(({ data }) => [...data]),
      );
      return [...Object.values(losses), ...weights];
    });
    expect(parts.length).toBeGreaterThan(100);
    // In float64; values of the order of 1 and a few hundred roundings.
    for (const [i, value] of parts.entries()) expect(value).toBeCloseTo(whole[i], 13);
  });

  it("answers in training mode, once a step and each before any is moved", () => {
    const stream = new RandomStream(1, "dropout");
    const other = network(4, 2);
    const peers = [droppingNetwork(4, 1, stream), other];
    for (const peer of peers) peer.eval();
    let calls = 0;
    class Counting extends Module {
      readonly body = other;
      forward(x: Tensor): Tensor {
        calls++;
        expect(this.training).toBe(true);
        return this.body.forward(x);
      }
    }
    const before = stream.state();
    make([peers[0], new Counting()]).trainStep(rowsOf(8, 1));
    expect(calls).toBe(1);
    expect(stream.state()).not.toEqual(before);
  });

  it("has a model that answers with the mean of the peers", () => {
    const peers = [network(4, 1), network(7, 2)];
    const batch = rowsOf(8, 1);
    expect(evaluate(make(peers).model, batch)).toEqual(evaluate(new Ensemble(peers), batch));
  });

  it("says how strongly each term of each peer pulls, and has a weight of 1 for each", () => {
    const trainer = make([network(4, 1), network(7, 2)]);
    const names = ["total", "total0", "hard0", "mutual0", "total1", "hard1", "mutual1"];
    expect(trainer.lossWeights()).toEqual(Object.fromEntries(names.map((name) => [name, 1])));
    const norms = trainer.gradientNorms(rowsOf(8, 1));
    expect(Object.keys(norms)).toEqual(names);
    // The peers' gradients are of other weights, so their squares add up.
    expect(norms.total ** 2).toBeCloseTo(norms.total0 ** 2 + norms.total1 ** 2, 5);
  });

  it("trains with fit and a schedule, and continues from a state as if it had never stopped", () => {
    const data = rowsOf(24, 1);
    const run = (interrupted: boolean): string[] => {
      const setUp = () => {
        const peers = [droppingNetwork(4, 1, new RandomStream(1, "dropout")), network(7, 2)];
        const trainer = make(peers, { optimizer: new Adam(allOf(peers)), temperature: 2 });
        const batches = new Batches(data, { size: 8, random: new RandomStream(1) });
        return {
          peers,
          trainer,
          batches,
          schedule: new LearningRate(trainer.optimizer, cosine({ steps: 8 })),
        };
      };
      let now = setUp();
      const go = (): void => {
        for (const { losses } of fit(now.trainer, now.batches, { steps: 4, schedule: now.schedule })) {
          expect(losses.mutual1).toBeGreaterThan(0);
        }
      };
      go();
      if (interrupted) {
        const saved = [now.trainer.state(), now.batches.state(), now.schedule.state()] as const;
        now = setUp();
        now.trainer.restore(saved[0]);
        now.batches.restore(saved[1]);
        now.schedule.restore(saved[2]);
      }
      go();
      return now.peers.map(hashOf);
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe("a mutual step that is refused", () => {
  it("changes none of the peers, whichever it was that answered NaN", () => {
    for (const bad of [0, 1, 2]) {
      const peers = [1, 2, 3].map((seed) => {
        const random = new RandomStream(seed);
        return new Sequential({ norm: new BatchNorm1d(5), logits: new Linear(5, 3, { random }) });
      });
      const trainer = make(peers, { optimizer: new Adam(allOf(peers)) });
      trainer.trainStep(rowsOf(8, 1));
      const weight = peers[bad].parameters().get("logits.weight")!;
      const sound = weight.data.slice();
      weight.update((data) => data.fill(Number.NaN));
      const before = [...peers.map(hashOf), trainer.state(), trainer.steps];
      expect(() => trainer.trainStep(rowsOf(8, 2))).toThrow(/^trainStep: the loss is NaN at step 1;/);
      expect([...peers.map(hashOf), trainer.state(), trainer.steps]).toEqual(before);
      weight.update((data) => data.set(sound));
      expect(trainer.trainStep(rowsOf(8, 2)).total).toBeGreaterThan(0);
    }
  });

  it("names both shapes where peers know other classes, and moves nothing", () => {
    const peers = [network(4, 1), new Linear(5, 4)];
    const before = peers.map(hashOf);
    expect(() => make(peers).trainStep({ x: rowsOf(8, 1).x })).toThrow(
      new DistilgradError(
        "shape",
        "trainStep: the logits of peer 0 are [8, 3] and those of peer 1 [8, 4]; all need the same rows and the same classes in the same order",
      ),
    );
    expect(peers.map(hashOf)).toEqual(before);
  });

  it("names a label that no class has by its row", () => {
    const batch = rowsOf(8, 1);
    batch.labels[5] = 3;
    expect(() => make([network(4, 1), network(4, 2)], { microBatchSize: 4 }).trainStep(batch)).toThrow(
      new DistilgradError("labels", "trainStep: label 3 at row 5 is outside [0, 3)"),
    );
  });
});

describe("mutual learning refuses", () => {
  const [a, b] = [network(4, 1), network(4, 2)];
  const around = new Sequential({ body: a });

  it.each<[string, () => unknown, string, string]>([
    [
      "no list",
      () => make(a as unknown as Module[], { optimizer: sgd([a]) }),
      "model",
      "expected a list of at least two peers, got a Sequential",
    ],
    ["one peer", () => make([a]), "model", "expected a list of at least two peers, got 1"],
    [
      "a peer that cannot learn",
      () => make([a, (() => b) as unknown as Module], { optimizer: sgd([a]) }),
      "model",
      "peer 1 must be a Module that learns, got a function",
    ],
    [
      "peers that share a tensor",
      () => make([b, a, around], { optimizer: sgd([a, b]) }),
      "model",
      'peer 2\'s "body.hidden.weight" is peer 1\'s "hidden.weight"; peers must not share tensors',
    ],
    [
      "the same peer twice",
      () => make([a, a], { optimizer: sgd([a]) }),
      "model",
      'peer 1\'s "hidden.weight" is peer 0\'s "hidden.weight"; peers must not share tensors',
    ],
    [
      "a peer that the optimizer does not have",
      () => make([a, b], { optimizer: sgd([a]) }),
      "model",
      'the model\'s "members.1.hidden.weight", "members.1.hidden.bias", "members.1.logits.weight", "members.1.logits.bias" are not in the optimizer; add what is to be trained with parametersOf, freeze the rest with requiresGrad = false',
    ],
    [
      "a misspelt option",
      () => make([a, b], { alpha: 1 } as object),
      "value",
      'unknown option "alpha"; possible are peers, optimizer, maxGradNorm, microBatchSize, temperature',
    ],
    [
      "a temperature of 0",
      () => make([a, b], { temperature: 0 }),
      "value",
      "temperature must be a finite number above 0, got 0",
    ],
  ])("%s", (_, call, code, message) => {
    expect(call).toThrow(new DistilgradError(code as "value", `trainer: ${message}`));
  });
});
