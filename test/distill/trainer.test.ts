import { describe, expect, it } from "vitest";
import { Batches, type BatchesState } from "../../src/data/batches.ts";
import {
  fit,
  KnowledgeDistillationTrainer,
  SupervisedTrainer,
  type TrainerState,
} from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor, zeros } from "../../src/factories.ts";
import { noGrad } from "../../src/graph.ts";
import { Linear, Module, type NamedTensors, ReLU, Sequential } from "../../src/nn/index.ts";
import { crossEntropy, log } from "../../src/ops/index.ts";
import { Adam, cosine, LearningRate, SGD, warmup } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { droppingNetwork, hashOf, inputs, network, rowsOf } from "./models.ts";

const batch = rowsOf(8, 1);
const sgd = (model: Module): SGD => new SGD(model.parameters(), { learningRate: 0.1 });
const supervised = (model: Module, maxGradNorm?: number): SupervisedTrainer =>
  new SupervisedTrainer({
    model,
    optimizer: sgd(model),
    ...(maxGradNorm !== undefined && { maxGradNorm }),
  });

describe("a training step", () => {
  it("is zeroGrad, backward, step by hand, bit for bit", () => {
    const [student, twin] = [network(4, 1), network(4, 1)];
    const trainer = supervised(student);
    const optimizer = sgd(twin);
    for (let i = 0; i < 10; i++) {
      const loss = crossEntropy(twin.forward(batch.x), batch.labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      expect(trainer.trainStep(batch)).toEqual({ total: loss.item() });
    }
    expect(hashOf(student)).toBe(hashOf(twin));
    expect(trainer.steps).toBe(10);
  });

  it("clears gradients that something else left behind", () => {
    const [student, twin] = [network(4, 1), network(4, 1)];
    crossEntropy(student.forward(batch.x), batch.labels).backward();
    supervised(student).trainStep(batch);
    supervised(twin).trainStep(batch);
    expect(hashOf(student)).toBe(hashOf(twin));
  });

  it("puts the student in training mode, whatever came before", () => {
    const stream = new RandomStream(1, "dropout");
    const student = droppingNetwork(4, 1, stream).eval();
    supervised(student).trainStep(batch);
    expect([student, ...student.modules().values()].every(({ training }) => training)).toBe(true);
    expect(stream.state()).not.toEqual(new RandomStream(1, "dropout").state());
  });

  it("leaves frozen layers of the student as they are", () => {
    const student = network(4, 1);
    const hidden = student.children().get("hidden")!;
    for (const parameter of hidden.parameters().values()) parameter.requiresGrad = false;
    const before = hashOf(hidden);
    const whole = hashOf(student);
    supervised(student).trainStep(batch);
    expect(hashOf(hidden)).toBe(before);
    expect(hashOf(student)).not.toBe(whole);
  });

  it("names the op behind a loss that is NaN, with its step, and moves nothing", () => {
    class Logarithm extends Module {
      readonly layer = new Linear(inputs, 3, { random: new RandomStream(1) });
      forward(x: Tensor): Tensor {
        return log(this.layer.forward(x));
      }
    }
    const student = new Logarithm();
    const trainer = new SupervisedTrainer({ model: student, optimizer: new Adam(student.parameters()) });
    const before = [hashOf(student), trainer.optimizer.state()];
    expect(() => trainer.trainStep(batch)).toThrow(
      new DistilgradError(
        "nonfinite",
        "trainStep: the loss is NaN at step 0; the first value that is not finite came from log",
      ),
    );
    expect([hashOf(student), trainer.optimizer.state()]).toEqual(before);
    expect(trainer.steps).toBe(0);
  });

  it("names the row where the data brought the NaN, at the step where it came", () => {
    const student = network(4, 1);
    const trainer = supervised(student);
    trainer.trainStep(batch);
    trainer.trainStep(batch);
    const before = hashOf(student);
    const bad = tensor(batch.x.data, { shape: batch.x.shape });
    bad.update((data) => {
      data[3] = Number.NaN;
    });
    expect(() => trainer.trainStep({ ...batch, x: bad })).toThrow(
      new DistilgradError(
        "nonfinite",
        "trainStep: the loss is NaN at step 2; the first value that is not finite came from row 0 of the batch's x",
      ),
    );
    expect(hashOf(student)).toBe(before);
    trainer.trainStep(batch);
    expect(trainer.steps).toBe(3);
  });

  it("does not blame data that may be infinite: a class the teacher rules out", () => {
    const student = network(4, 1);
    const trainer = new KnowledgeDistillationTrainer({
      student,
      teacher: network(8, 2),
      optimizer: sgd(student),
    });
    const teacherLogits = tensor(
      Float32Array.from({ length: 24 }, (_, i) => (i === 1 ? Number.NEGATIVE_INFINITY : 0)),
      {
        shape: [8, 3],
      },
    );
    expect(Number.isFinite(trainer.trainStep({ ...batch, teacherLogits }).total)).toBe(true);
    student
      .parameters()
      .get("logits.weight")!
      .update((data) => data.fill(Number.NaN));
    expect(() => trainer.trainStep({ ...batch, teacherLogits })).toThrow(
      new DistilgradError(
        "nonfinite",
        "trainStep: the loss is NaN at step 1; the first value that is not finite came from operand 1 of linear",
      ),
    );
  });

  it("names the op that overflowed", () => {
    class Cut extends Module {
      readonly layer = new Linear(1, 2, { bias: false });
      forward(x: Tensor): Tensor {
        return this.layer.forward(x);
      }
    }
    const student = new Cut();
    student.layer.weight.update((data) => data.set([-3e38, 3e38]));
    expect(() => supervised(student).trainStep({ x: tensor([[10]]), labels: Int32Array.of(0) })).toThrow(
      new DistilgradError(
        "nonfinite",
        "trainStep: the loss is NaN at step 0; the first value that is not finite came from linear",
      ),
    );
  });

  it("refuses to run without a graph, and moves nothing", () => {
    const student = network(4, 1);
    const before = hashOf(student);
    expect(() => noGrad(() => supervised(student).trainStep(batch))).toThrow(
      new DistilgradError(
        "graph",
        "backward: this tensor does not depend on anything that requires a gradient; was it computed inside noGrad, or detached?",
      ),
    );
    expect(hashOf(student)).toBe(before);
  });

  it("names parameters that the forward pass does not use", () => {
    class Idle extends Module {
      readonly used = new Linear(inputs, 3, { random: new RandomStream(1) });
      readonly idle = new Linear(2, 2, { random: new RandomStream(1) });
      forward(x: Tensor): Tensor {
        return this.used.forward(x);
      }
    }
    const student = new Idle();
    const before = hashOf(student);
    expect(() => supervised(student).trainStep(batch)).toThrow(
      new DistilgradError(
        "gradient",
        'step: no gradient for "idle.weight", "idle.bias"; call backward() on a loss that depends on them, or freeze them with requiresGrad = false',
      ),
    );
    expect(hashOf(student)).toBe(before);
  });
});

describe("maxGradNorm", () => {
  it("bounds how far a step of plain descent goes, and changes nothing where gradients are short", () => {
    const moved = (maxGradNorm?: number): number => {
      const student = network(4, 1);
      const before = student.stateDict();
      supervised(student, maxGradNorm).trainStep(batch);
      let squares = 0;
      for (const [name, { data }] of student.stateDict()) {
        for (const [i, w] of data.entries()) squares += (w - before.get(name)!.data[i]) ** 2;
      }
      return Math.sqrt(squares);
    };
    const free = moved();
    expect(moved(1000)).toBe(free);
    // Rate 0.1; the roundings of the weights, of order 1, are what is added.
    expect(free).toBeGreaterThan(0.02);
    expect(Math.abs(moved(0.1) - 0.1 * 0.1)).toBeLessThan(1e-6);
  });

  it.each([0, -1, Number.NaN])("refuses %d when the trainer is made", (maxGradNorm) => {
    expect(() => supervised(network(4, 1), maxGradNorm)).toThrow(
      new DistilgradError("value", `trainer: maxGradNorm must be above 0, got ${maxGradNorm}`),
    );
  });
});

describe("a trainer wants all that its student learns in the optimizer", () => {
  it("and names one parameter that is not", () => {
    const student = network(4, 1);
    const some = new Map([...student.parameters()].filter(([name]) => name !== "logits.bias"));
    const optimizer = new SGD(some, { learningRate: 0.1 });
    expect(() => new SupervisedTrainer({ model: student, optimizer })).toThrow(
      new DistilgradError(
        "model",
        'trainer: the model\'s "logits.bias" is not in the optimizer; add what is to be trained with parametersOf, freeze the rest with requiresGrad = false',
      ),
    );
    student.parameters().get("logits.bias")!.requiresGrad = false;
    expect(new SupervisedTrainer({ model: student, optimizer }).trainStep(batch).total).toBeGreaterThan(0);
  });

  it("and names all that are not", () => {
    const optimizer = sgd(network(4, 2));
    expect(() => new SupervisedTrainer({ model: network(4, 1), optimizer })).toThrow(
      new DistilgradError(
        "model",
        'trainer: the model\'s "hidden.weight", "hidden.bias", "logits.weight", "logits.bias" are not in the optimizer; add what is to be trained with parametersOf, freeze the rest with requiresGrad = false',
      ),
    );
  });
});

describe("SupervisedTrainer", () => {
  it("smooths labels when it is told to", () => {
    const model = network(4, 1);
    const expected = crossEntropy(model.forward(batch.x), batch.labels, { labelSmoothing: 0.1 }).item();
    const trainer = new SupervisedTrainer({ model, optimizer: sgd(model), labelSmoothing: 0.1 });
    expect(trainer.trainStep(batch).total).toBe(expected);
    expect(supervised(network(4, 1)).trainStep(batch).total).not.toBe(expected);
  });

  it("refuses a batch without labels", () => {
    expect(() => supervised(network(4, 1)).trainStep({ x: batch.x })).toThrow(
      new DistilgradError("labels", "trainStep: this trainer learns from labels, and the batch has none"),
    );
  });

  it("averages over the labelled rows", () => {
    const labels = Int32Array.from(batch.labels, (label, row) => (row < 4 ? label : -1));
    const { total } = supervised(network(4, 1)).trainStep({ x: batch.x, labels });
    const half = {
      x: tensor(batch.x.data.slice(0, 4 * inputs), { shape: [4, inputs] }),
      labels: labels.slice(0, 4),
    };
    expect(total).toBe(supervised(network(4, 1)).trainStep(half).total);
  });
});

describe("state and restore", () => {
  /** A whole run: a student with dropout, a teacher, a shuffled loader, a schedule. */
  function run() {
    const dropout = new RandomStream(1, "dropout");
    const student = droppingNetwork(6, 1, dropout);
    const optimizer = new Adam(student.parameters(), { learningRate: 0.02 });
    const trainer = new KnowledgeDistillationTrainer({ student, teacher: network(16, 100), optimizer });
    const batches = new Batches(rowsOf(30, 2), { size: 8, random: new RandomStream(1, "shuffle") });
    const rate = new LearningRate(optimizer, warmup({ steps: 5, after: cosine({ steps: 30 }) }));
    return { student, trainer, batches, rate };
  }
  const advance = ({ trainer, batches, rate }: ReturnType<typeof run>, steps: number) =>
    [...fit(trainer, batches, { steps, schedule: rate })].map(({ losses, epoch }) => ({ ...losses, epoch }));

  it.each([0, 1, 4, 7, 10])(
    "go on bit for bit after %d steps: student, optimizer, loader, dropout, schedule",
    (steps) => {
      const whole = run();
      advance(whole, steps);
      const state = {
        trainer: whole.trainer.state(),
        batches: whole.batches.state() as BatchesState,
        rate: whole.rate.state(),
      };
      const expected = advance(whole, 12);
      const resumed = run();
      // Somewhere else altogether before it is restored.
      advance(resumed, 3);
      resumed.trainer.restore(state.trainer);
      resumed.batches.restore(state.batches);
      resumed.rate.restore(state.rate);
      expect(resumed.trainer.steps).toBe(steps);
      expect(advance(resumed, 12)).toEqual(expected);
      expect(hashOf(resumed.student)).toBe(hashOf(whole.student));
      expect(resumed.trainer.state()).toEqual(whole.trainer.state());
      expect(resumed.trainer.optimizer.learningRate).toBe(whole.trainer.optimizer.learningRate);
    },
  );

  it("give a copy: training on does not change what was taken", () => {
    const whole = run();
    const state = whole.trainer.state();
    const values = (named: NamedTensors): number[][] => [...named.values()].map(({ data }) => [...data]);
    const before = values(state.weights);
    advance(whole, 3);
    expect(values(state.weights)).toEqual(before);
    expect([...state.optimizer.steps.values()].every((steps) => steps === 0)).toBe(true);
  });

  it.each<[string, (state: TrainerState) => TrainerState, string]>([
    [
      "steps that are not whole",
      (state) => ({ ...state, steps: 1.5 }),
      "restore: steps must be a whole number of at least 0, got 1.5",
    ],
    [
      "another model",
      (state) => ({ ...state, weights: new Map([...state.weights, ["more", zeros([1])]]) }),
      'loadStateDict: the state does not fit this model: unexpected "more"; nothing was loaded',
    ],
    [
      "other random streams",
      (state) => ({ ...state, streams: new Map() }),
      'restore: the state is of the random streams none, this trainer has "model.dropout.random"; nothing was restored',
    ],
    [
      "a random stream too many",
      (state) => ({
        ...state,
        streams: new Map([...state.streams, ["model.more.random", { words: [1, 2, 3, 4] as const }]]),
      }),
      'restore: the state is of the random streams "model.dropout.random", "model.more.random", this trainer has "model.dropout.random"; nothing was restored',
    ],
    [
      "a stream that is none",
      (state) => ({
        ...state,
        streams: new Map([["model.dropout.random", { words: [0, 0, 0, 0] as const }]]),
      }),
      "RandomStream.restore: expected { words: four whole numbers in [0, 2^32), not all 0 }, got four zeros",
    ],
    [
      "another optimizer",
      (state) => ({ ...state, optimizer: { ...state.optimizer, rule: "SGD" } }),
      "restore: the state does not fit this optimizer: it is of SGD, this is Adam; nothing was restored",
    ],
  ])("refuse %s and restore nothing at all", (_, change, message) => {
    const whole = run();
    advance(whole, 3);
    const fresh = run().trainer.state();
    const before = whole.trainer.state();
    expect(() => whole.trainer.restore(change(fresh))).toThrow(new DistilgradError("state", message));
    expect(whole.trainer.state()).toEqual(before);
  });

  it("do not carry a student's modes: those are set by each step", () => {
    const model = new Sequential({
      hidden: new Linear(inputs, 3, { random: new RandomStream(1) }),
      relu: new ReLU(),
    });
    const trainer = supervised(model);
    model.eval();
    trainer.restore(trainer.state());
    expect(model.training).toBe(false);
  });
});
