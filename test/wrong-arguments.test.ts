/** What callers without a type checker get wrong: one clear sentence each, and never a TypeError from within. */
import { describe, expect, it } from "vitest";
import { gradcheck } from "../src/check/index.ts";
import { Batches, Standardizer, split, takeRows } from "../src/data/index.ts";
import { DistilgradError } from "../src/errors.ts";
import * as dg from "../src/index.ts";

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
type Anything = any;
const wrong = (value: unknown): Anything => value;

const x = dg.ones([4, 2]);
const labels = Int32Array.of(0, 1, 0, 1);
const model = (): dg.Linear => new dg.Linear(2, 2);
const adam = (of: dg.Module): dg.Adam => new dg.Adam(of.parameters());
const supervised = (of = model()): dg.SupervisedTrainer =>
  new dg.SupervisedTrainer({ model: of, optimizer: adam(of) });
function smoothing(labelSmoothing: number): dg.SupervisedTrainer {
  const learner = model();
  return new dg.SupervisedTrainer({ model: learner, optimizer: adam(learner), labelSmoothing });
}
const batches = (): Batches => new Batches({ x, labels }, { size: 2 });
const random = (): dg.RandomStream => new dg.RandomStream(1);
function distil(options: object): dg.KnowledgeDistillationTrainer {
  const student = model();
  return new dg.KnowledgeDistillationTrainer(
    wrong({ teacher: model(), student, optimizer: adam(student), ...options }),
  );
}
function features(pairs: unknown): dg.FeatureDistillationTrainer {
  const student = new dg.Sequential({ a: model() });
  return new dg.FeatureDistillationTrainer(
    wrong({ teacher: new dg.Sequential({ a: model() }), student, optimizer: adam(student), features: pairs }),
  );
}

describe("a wrong call", () => {
  it.each<[message: string, call: () => unknown]>([
    // A misspelt setting would silently keep its default.
    [
      'Adam: unknown option "lr"; possible are learningRate, beta1, beta2, epsilon, weightDecay',
      () => new dg.Adam(model().parameters(), wrong({ lr: 0.1 })),
    ],
    [
      "Adam: expected { learningRate, beta1, beta2, epsilon, weightDecay }, got 0.1",
      () => new dg.Adam(model().parameters(), wrong(0.1)),
    ],
    [
      "SGD: expected { learningRate, momentum, nesterov, weightDecay }, got undefined",
      () => new dg.SGD(model().parameters(), wrong(undefined)),
    ],
    [
      'trainer: unknown option "T"; possible are teacher, student, optimizer, maxGradNorm, microBatchSize, temperature, alpha',
      () => distil({ T: 9 }),
    ],
    [
      'SupervisedTrainer: unknown option "student"; possible are model, optimizer, maxGradNorm, microBatchSize, labelSmoothing',
      () => new dg.SupervisedTrainer(wrong({ student: model() })),
    ],
    [
      'Batches: unknown option "shuffle"; possible are size, random, dropLast, balanced, augment',
      () => new Batches({ x, labels }, wrong({ size: 2, shuffle: true })),
    ],
    [
      "Batches: expected { size, random, dropLast, balanced, augment }, got undefined",
      () => new Batches({ x, labels }, wrong(undefined)),
    ],
    ["Linear: expected { bias, init, random, kernels }, got false", () => new dg.Linear(2, 2, wrong(false))],
    [
      'crossEntropy: unknown option "label_smoothing"; possible are labelSmoothing, ignoredLabel',
      () => dg.crossEntropy(x, labels, wrong({ label_smoothing: 0.1 })),
    ],
    [
      "crossEntropy: expected { labelSmoothing, ignoredLabel }, got null",
      () => dg.crossEntropy(x, labels, wrong(null)),
    ],
    // Layouts of other libraries, and shapes that lack a step.
    [
      "conv2d: expected x [samples, in, height, width] and weight [out, in, height, width], got x [2, 8, 8, 3] and weight [4, 3, 3, 3]; channels come before positions: permute(x, [0, 3, 1, 2])",
      () => new dg.Conv2d(3, 4, 3).forward(dg.ones([2, 8, 8, 3])),
    ],
    [
      "conv1d: expected x [samples, in, length] and weight [out, in, length], got x [2, 8, 3] and weight [4, 3, 3]; channels come before positions: permute(x, [0, 2, 1])",
      () => new dg.Conv1d(3, 4, 3).forward(dg.ones([2, 8, 3])),
    ],
    [
      "conv2d: expected x [samples, in, height, width] and weight [out, in, height, width], got x [2, 64] and weight [4, 1, 3, 3]; give flat rows a shape with Reshape",
      () => new dg.Conv2d(1, 4, 3).forward(dg.ones([2, 64])),
    ],
    [
      "conv2d: expected x [samples, in, height, width] and weight [out, in, height, width], got x [2, 2, 8, 8] and weight [4, 3, 3, 3]",
      () => new dg.Conv2d(3, 4, 3).forward(dg.ones([2, 2, 8, 8])),
    ],
    [
      "convTranspose2d: expected x [samples, in, height, width] and weight [in, out, height, width], got x [2, 8, 8, 3] and weight [3, 4, 2, 2]; channels come before positions: permute(x, [0, 3, 1, 2])",
      () => new dg.ConvTranspose2d(3, 4, 2).forward(dg.ones([2, 8, 8, 3])),
    ],
    [
      "convTranspose2d: expected a bias third, or null, and options fourth, got an object",
      () => dg.convTranspose2d(dg.ones([1, 1, 2, 2]), dg.ones([1, 1, 2, 2]), wrong({ stride: 2 })),
    ],
    [
      'Conv2d: padding is a number of positions, got "same"; with a stride of 1 it is dilation · (kernel − 1) / 2',
      () => new dg.Conv2d(1, 1, 3, wrong({ padding: "same" })),
    ],
    [
      "linear: expected x [rows, in] and weight [out, in], got x [2, 3, 2, 2] and weight [5, 12]; make rows of x with Flatten",
      () => new dg.Linear(12, 5).forward(dg.ones([2, 3, 2, 2])),
    ],
    [
      "Flatten: operand 0 must be a tensor, got 3; wrap it in tensor(…)",
      () => new dg.Flatten().forward(wrong(3)),
    ],
    [
      "Reshape: operand 0 must be a tensor, got 3; wrap it in tensor(…)",
      () => new dg.Reshape([2]).forward(wrong(3)),
    ],
    // Truth is no text.
    [
      'Linear: bias must be true or false, got "false", a string',
      () => new dg.Linear(2, 2, wrong({ bias: "false" })),
    ],
    ["LayerNorm: affine must be true or false, got 0", () => new dg.LayerNorm(2, wrong({ affine: 0 }))],
    [
      "BatchNorm2d: affine must be true or false, got null",
      () => new dg.BatchNorm2d(2, wrong({ affine: null })),
    ],
    [
      'TransformerEncoderLayer: normFirst must be true or false, got "no", a string',
      () => new dg.TransformerEncoderLayer(4, 2, wrong({ normFirst: "no" })),
    ],
    ["sum: keepAxes must be true or false, got 1", () => dg.sum(x, 0, wrong({ keepAxes: 1 }))],
    ["matmul: transposeB must be true or false, got 1", () => dg.matmul(x, x, wrong({ transposeB: 1 }))],
    [
      "Batches: dropLast must be true or false, got 1",
      () => new Batches({ x }, wrong({ size: 2, dropLast: 1 })),
    ],
    // Other libraries' names of options of tensors.
    [
      'tensor: unknown option "requires_grad"; possible are shape, requiresGrad, kernels',
      () => dg.tensor([1], wrong({ requires_grad: true })),
    ],
    [
      'zeros: unknown option "dtype"; possible are requiresGrad, kernels',
      () => dg.zeros([1], wrong({ dtype: "f32" })),
    ],
    [
      'randn: unknown option "seed"; possible are random, requiresGrad, kernels',
      () => dg.randn([1], wrong({ seed: 1 })),
    ],
    [
      "uniform: expected { low, high, random, requiresGrad, kernels }, got -1",
      () => dg.uniform([1], wrong(-1)),
    ],
    ["arange: expected { requiresGrad, kernels }, got 5", () => dg.arange(0, wrong(5))],
    ["oneHot: expected { requiresGrad, kernels }, got 5", () => dg.oneHot([0], 2, wrong(5))],
    [
      'Adam: unknown option "params"; possible are parameters, learningRateFactor, beta1, beta2, epsilon, weightDecay',
      () => new dg.Adam(wrong([{ params: [] }])),
    ],
    [
      "warmup: expected after, a schedule such as cosine({ steps: 800 }), got 3",
      () => dg.warmup({ steps: 2, after: wrong(3) }),
    ],
    [
      "LearningRate: expected { base, step }, got undefined",
      () => new dg.LearningRate(adam(model()), dg.constant()).restore(wrong(undefined)),
    ],
    [
      "featureMatchingLoss: expected student features as an array, got undefined",
      () => dg.featureMatchingLoss(wrong(undefined), []),
    ],
    [
      "featureMatchingLoss: expected teacher features as an array, got a Map",
      () => dg.featureMatchingLoss([], wrong(new Map())),
    ],
    [
      "inEvalMode: expected a synchronous function, got one that returns a promise; await before it, and hand in what is left",
      () => model().inEvalMode(async () => 1),
    ],
    ["dropout: expected { probability, random }, got undefined", () => dg.dropout(x, wrong(undefined))],
    ["cosine: expected { steps, floor }, got undefined", () => dg.cosine(wrong(undefined))],
    ["stepDecay: expected { every, factor }, got 3", () => dg.stepDecay(wrong(3))],
    [
      'warmup: unknown option "next"; possible are steps, after',
      () => dg.warmup(wrong({ steps: 2, next: dg.constant() })),
    ],
    [
      'trainStep: unknown option "y"; possible are x, labels, teacherLogits',
      () => distil({}).trainStep(wrong({ x, y: labels })),
    ],
    [
      'predictLogits: unknown option "size"; possible are batchSize',
      () => dg.predictLogits(model(), x, wrong({ size: 2 })),
    ],
    [
      'split: unknown option "seed"; possible are test, random',
      () => split({ x }, wrong({ test: 0.5, seed: 1 })),
    ],

    [
      "trainer: expected { teacher, student, optimizer, maxGradNorm, microBatchSize, temperature, alpha, beta, features }, got undefined",
      () => new dg.FeatureDistillationTrainer(wrong(undefined)),
    ],
    [
      'trainStep: unknown option "y"; possible are x, labels, teacherLogits',
      () => features([["a", "a"]]).trainStep(wrong({ x, y: labels })),
    ],

    // Numbers are numbers.
    [
      'optimizer: learningRate must be a finite number of at least 0, got "0.1", a string',
      () => new dg.Adam(model().parameters(), wrong({ learningRate: "0.1" })),
    ],
    [
      'optimizer: momentum must be in [0, 1), got "0.9", a string',
      () => new dg.SGD(model().parameters(), wrong({ learningRate: 1, momentum: "0.9" })),
    ],
    [
      'trainer: alpha must be in [0, 1], got "0.5", a string; it weighs the hard loss',
      () => distil({ alpha: "0.5" }),
    ],
    ["trainer: alpha must be in [0, 1], got null; it weighs the hard loss", () => distil({ alpha: null })],
    ['trainer: maxGradNorm must be above 0, got "1", a string', () => distil({ maxGradNorm: "1" })],
    [
      'crossEntropy: labelSmoothing must be in [0, 1), got "0.1", a string',
      () => dg.crossEntropy(x, labels, wrong({ labelSmoothing: "0.1" })),
    ],
    ["SupervisedTrainer: labelSmoothing must be in [0, 1), got 2", () => smoothing(2)],
    ['Dropout: probability must be in [0, 1), got ".5", a string', () => new dg.Dropout(wrong(".5"))],
    [
      'stepDecay: factor must be above 0, got "0.5", a string',
      () => dg.stepDecay(wrong({ every: 1, factor: "0.5" })),
    ],
    ["cosine: floor must be in [0, 1], got 2", () => dg.cosine({ steps: 3, floor: 2 })],
    [
      'cosine: steps must be a whole number of at least 1, got "3", a string',
      () => dg.cosine(wrong({ steps: "3" })),
    ],
    [
      'clipGradNorm: maxNorm must be above 0, got "1", a string',
      () => dg.clipGradNorm(model().parameters(), wrong("1")),
    ],
    [
      'Batches: size must be a whole number of at least 1, got "2", a string',
      () => new Batches({ x }, wrong({ size: "2" })),
    ],
    [
      'Linear: in must be a whole number of at least 1, got "2", a string',
      () => new dg.Linear(wrong("2"), 3),
    ],
    [
      'fit: epochs must be a whole number of at least 0, got "3", a string',
      () => dg.fit(supervised(), batches(), wrong({ epochs: "3" })),
    ],
    [
      'split: test must be a share in (0, 1) that leaves both parts a row, got "0.5", a string of 4 rows',
      () => split({ x }, wrong({ test: "0.5", random: random() })),
    ],
    ["full: expected a value, got undefined", () => dg.full([2], wrong(undefined))],
    ["uniform: expected low ≤ high, both finite, got NaN and 1", () => dg.uniform([2], { low: Number.NaN })],

    [
      "lonely: record expects a list of wrt(input, pullback), one for each operand",
      () => dg.record("lonely", new Float32Array(1), [1], []),
    ],
    [
      "single: record expects a list of wrt(input, pullback), one for each operand",
      () => dg.record("single", new Float32Array(1), [1], wrong(dg.wrt(x, () => {}))),
    ],

    // The right thing in the wrong place.
    ["fit: expected a trainer first, got a Linear", () => dg.fit(wrong(model()), batches(), { steps: 1 })],
    [
      "fit: expected Batches second, as new Batches(dataset, { size: 64 }) makes them, got an object",
      () => dg.fit(supervised(), wrong({ x, labels }), { steps: 1 }),
    ],
    [
      "fit: expected { epochs, steps, schedule }, got undefined",
      () => dg.fit(supervised(), batches(), wrong(undefined)),
    ],
    ["fit: expected either epochs or steps", () => dg.fit(supervised(), batches(), {})],
    [
      "fit: expected schedule, a LearningRate, got a function",
      () => dg.fit(supervised(), batches(), wrong({ steps: 1, schedule: dg.constant() })),
    ],
    [
      "fit: the schedule sets the learning rate of another optimizer than the trainer's",
      () =>
        dg.fit(supervised(), batches(), {
          steps: 1,
          schedule: new dg.LearningRate(adam(model()), dg.constant()),
        }),
    ],
    [
      "LearningRate: expected an optimizer first, got a function",
      () => new dg.LearningRate(wrong(dg.constant()), wrong(adam(model()))),
    ],
    [
      "LearningRate: expected a schedule such as cosine({ steps: 800 }), got undefined",
      () => new dg.LearningRate(adam(model()), wrong(undefined)),
    ],
    ["trainer: expected a Module that learns, got the function relu", () => distil({ student: dg.relu })],
    [
      "trainer: expected an optimizer such as new Adam(model.parameters()), got undefined",
      () => distil({ optimizer: undefined }),
    ],
    ["Dropout: expected random, a RandomStream, got 42", () => new dg.Dropout(0.5, wrong({ random: 42 }))],
    [
      "Linear: expected random, a RandomStream, got the function random",
      () => new dg.Linear(2, 2, wrong({ random: Math.random })),
    ],
    [
      "Batches: expected random, a RandomStream, got true",
      () => new Batches({ x }, wrong({ size: 2, random: true })),
    ],
    ["split: expected random, a RandomStream, got undefined", () => split({ x }, wrong({ test: 0.5 }))],
    [
      "dropout: expected random, a RandomStream, got undefined",
      () => dg.dropout(x, wrong({ probability: 0.5 })),
    ],
    [
      'Linear: init must be a function such as kaimingUniform, got "xavier", a string',
      () => new dg.Linear(2, 2, wrong({ init: "xavier" })),
    ],
    [
      "evaluate: model must be a module, an object with a forward method, or a function from x to logits, got undefined",
      () => dg.evaluate(wrong(undefined), { x, labels }),
    ],
    [
      "evaluate: model must be a module, an object with a forward method, or a function from x to logits, got a SupervisedTrainer",
      () => dg.evaluate(wrong(supervised()), { x, labels }),
    ],
    [
      "evaluate: expected a dataset { x, labels } with x [rows, …], got undefined",
      () => dg.evaluate(model(), wrong(undefined)),
    ],
    [
      "evaluate: expected a dataset { x, labels } with x [rows, …], got a Tensor",
      () => dg.evaluate(model(), wrong(x)),
    ],
    [
      "Batches: expected a dataset { x, labels } with x [rows, …], got a Tensor",
      () => new Batches(wrong(x), wrong(labels)),
    ],
    [
      "Batches: expected teacherLogits [4, classes], got an array",
      () => new Batches(wrong({ x, teacherLogits: [[1]] }), { size: 2 }),
    ],
    ["predictLabels: expected logits, a tensor, got an array", () => dg.predictLabels(wrong([[1]]))],
    [
      "Standardizer: expected x, a tensor [rows, columns], got an array",
      () => new Standardizer(wrong([[1, 2]])),
    ],
    ["Parameter: expected a tensor, got an array", () => new dg.Parameter(wrong([1, 2]))],
    [
      'optimizer: expected a tensor for "w", got 1',
      () => new dg.SGD(wrong(new Map([["w", 1]])), { learningRate: 1 }),
    ],
    [
      "clipGradNorm: expected parameters by name, as model.parameters() gives them, got a Linear",
      () => dg.clipGradNorm(wrong(model()), 1),
    ],
    [
      "clipGradValue: expected parameters by name, as model.parameters() gives them, got an array",
      () => dg.clipGradValue(wrong([x]), 1),
    ],
    [
      "loadStateDict: expected a Map of tensors, as stateDict() gives it, got an object",
      () => model().loadStateDict(wrong({})),
    ],
    [
      'loadStateDict: expected a tensor for "weight", got an array',
      () => model().loadStateDict(wrong(new Map([["weight", [1]]]))),
    ],
    [
      "restore: expected { steps, weights, streams, optimizer }, got undefined",
      () => supervised().restore(wrong(undefined)),
    ],
    [
      "restore: expected streams, a Map, got an object",
      () => supervised().restore(wrong({ ...supervised().state(), streams: {} })),
    ],
    ["restore: expected steps, a Map, got undefined", () => adam(model()).restore(wrong({}))],
    ["gradcheck: expected a list of input tensors, such as [x]", () => gradcheck(dg.tanh, wrong(x))],
    ["sum: axes must be a number or a list of numbers, got an object", () => dg.sum(x, wrong({ axis: 0 }))],
    ["reshape: expected a shape such as [2, 3], got 4", () => dg.reshape(x, wrong(4))],
    [
      "sha256OfFloats: expected a list of Float32Array, Float64Array or Int32Array, got one of 1; pass [tensor.data]",
      () => dg.sha256OfFloats(wrong(Float32Array.of(1))),
    ],
    [
      "sha256OfFloats: expected a list of Float32Array, Float64Array or Int32Array, got one of a Tensor; pass [tensor.data]",
      () => dg.sha256OfFloats(wrong([x])),
    ],
    [
      "trainer: expected features as pairs [studentLayer, teacherLayer], got undefined",
      () => features(undefined),
    ],
    [
      'trainer: a feature is a pair of layer names such as ["hidden", "hidden"], got "a", a string',
      () => features(["a", "a"]),
    ],
    [
      'trainer: a feature is a pair of layer names such as ["hidden", "hidden"], got [a Linear, a Linear]',
      () => features([[model(), model()]]),
    ],
    ['trainer: the projection of "a" is not a Module', () => features([["a", "a", dg.relu]])],

    // Labels, wherever they come in.
    [
      'Batches: labels are whole numbers, got "cat", a string at row 0',
      () => new Batches(wrong({ x, labels: ["cat", "dog", "cat", "dog"] }), { size: 2 }),
    ],
    [
      "takeRows: labels are whole numbers, got NaN at row 1",
      () => takeRows(wrong({ x, labels: [0, Number.NaN, 1, 1] }), [0]),
    ],
    [
      "split: labels are whole numbers, got an array at row 0; pass the index of each row's class, not one-hot rows",
      () =>
        split(
          wrong({
            x,
            labels: [
              [1, 0],
              [0, 1],
              [1, 0],
              [0, 1],
            ],
          }),
          { test: 0.5, random: random() },
        ),
    ],
    [
      "trainStep: labels are whole numbers, got true at row 0",
      () => supervised().trainStep(wrong({ x, labels: [true, false, true, true] })),
    ],
    [
      "crossEntropy: expected labels as an array, the index of each row's class, got undefined",
      () => dg.crossEntropy(x, wrong(undefined)),
    ],
    [
      "oneHot: expected labels as an array, the index of each row's class, got 1",
      () => dg.oneHot(wrong(1), 3),
    ],
    ["takeRows: expected a list of indices, got 1", () => takeRows({ x }, wrong(1))],
  ])("says: %s", (message, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });

  it("is an operator on tensors, which JavaScript would turn into NaN, false or text", () => {
    const loss = wrong(dg.tensor(2));
    const message =
      "tensor: operators do not work on tensors; take the number with item(), or use ops such as scale and add";
    for (const call of [() => loss * 0.5, () => loss < 1, () => loss + loss, () => +loss]) {
      expect(call).toThrow(expect.objectContaining({ message, code: "value" }));
    }
    expect(`${loss}`).toBe("tensor(2, [] float32)");
  });

  it("is an optimizer of tensors that want no gradient: it would move nothing", () => {
    const optimizer = new dg.SGD(model().stateDict(), { learningRate: 1 });
    expect(() => optimizer.step()).toThrow(
      "step: none of the parameters requires a gradient; pass model.parameters(), or set requiresGrad = true on what is to be trained",
    );
  });
});

describe("a shape", () => {
  it("is the tensor's own", () => {
    const shape = [2, 2];
    const t = dg.tensor([1, 2, 3, 4], { shape });
    shape[0] = 9;
    expect(t.shape).toEqual([2, 2]);
  });
});

describe("answers", () => {
  it("with NaN name no class: a model that diverged does not score", () => {
    const nan = dg.full([2, 3], Number.NaN);
    const message = "predictLabels: the logits of row 0 hold NaN, which names no class";
    for (const call of [
      () => dg.predictLabels(nan),
      () => dg.accuracy(nan, [0, 0]),
      () => dg.agreement(nan, dg.ones([2, 3])),
      () => dg.agreement(dg.ones([2, 3]), nan),
      () => dg.evaluate(() => nan, { x: dg.ones([2, 2]), labels: Int32Array.of(0, 0) }),
    ]) {
      expect(call).toThrow(expect.objectContaining({ message, code: "nonfinite" }));
    }
  });

  it.each<[string, dg.Tensor, string]>([
    ["of other rows", dg.zeros([2, 3]), "expected logits [4, classes] for 4 rows, got [2, 3]"],
    ["without classes", dg.zeros([4]), "expected logits [4, classes] for 4 rows, got [4]"],
    ["of a scalar", dg.zeros([]), "expected logits [4, classes] for 4 rows, got []"],
    ["with one axis too many", dg.zeros([4, 2, 3]), "expected logits [4, classes] for 4 rows, got [4, 2, 3]"],
  ])("%s are refused", (_, answer, message) => {
    expect(() => dg.predictLogits(() => answer, x)).toThrow(`predictLogits: ${message}`);
  });

  it("that change their classes between batches are refused", () => {
    let classes = 2;
    expect(() => dg.predictLogits(() => dg.zeros([2, classes++]), x, { batchSize: 2 })).toThrow(
      "predictLogits: expected logits [2, 2] for 2 rows, got [2, 3]",
    );
  });

  it("that are no tensor are refused", () => {
    expect(() =>
      dg.predictLogits(
        wrong(() => [[1, 2]]),
        x,
      ),
    ).toThrow("teacher: expected logits as a tensor, got an array");
  });
});

describe("a model whose layers cannot be found", () => {
  class Private extends dg.Module {
    readonly #hidden = model();
    readonly logits = model();
    forward(input: dg.Tensor): dg.Tensor {
      return this.logits.forward(this.#hidden.forward(input));
    }
  }
  class Mapped extends dg.Module {
    readonly layers = new Map([["hidden", model()]]);
    readonly logits = model();
    forward(input: dg.Tensor): dg.Tensor {
      return this.logits.forward(this.layers.get("hidden")!.forward(input));
    }
  }
  it.each([
    ["a #private field", () => new Private()],
    ["a Map", () => new Mapped()],
  ])("because they are in %s is refused at the first step, before anything moves", (_, make) => {
    const net = make();
    const before = [...net.stateDict().values()].map((w) => w.toArray());
    expect(() => supervised(wrong(net)).trainStep({ x, labels })).toThrow(
      expect.objectContaining({
        code: "model",
        message:
          "trainStep: the loss depends on a tensor of 4 values, read by linear, that the optimizer does not have; is its layer in a #private field, a Map or a nested array, where model.parameters() cannot find it?",
      }),
    );
    expect([...net.stateDict().values()].map((w) => w.toArray())).toEqual(before);
  });

  it("is fine when the unfound weights are frozen", () => {
    class Frozen extends dg.Module {
      readonly #basis = dg.ones([2, 2]);
      readonly logits = model();
      forward(input: dg.Tensor): dg.Tensor {
        return this.logits.forward(dg.matmul(input, this.#basis));
      }
    }
    expect(supervised(wrong(new Frozen())).trainStep({ x, labels }).total).toBeGreaterThan(0);
  });
});

describe("a model that keeps its last activation in a field", () => {
  class Keeping extends dg.Module {
    readonly layer = model();
    last: dg.Tensor | null = null;
    forward(input: dg.Tensor): dg.Tensor {
      this.last = this.layer.forward(input);
      return this.last;
    }
  }

  it("does not have it in its parameters or its state", () => {
    const net = new Keeping();
    net.forward(x);
    expect([...net.parameters().keys()]).toEqual(["layer.weight", "layer.bias"]);
    expect([...net.stateDict().keys()]).toEqual(["layer.weight", "layer.bias"]);
  });

  it("may be a teacher", () => {
    const student = model();
    const trainer = new dg.KnowledgeDistillationTrainer({
      teacher: new Keeping(),
      student,
      optimizer: adam(student),
    });
    for (let i = 0; i < 3; i++) expect(trainer.trainStep({ x, labels }).soft).toBeGreaterThan(0);
  });
});

describe("an array field", () => {
  it("may hold parameters and streams as well as modules", () => {
    class Many extends dg.Module {
      readonly gains = [new dg.Parameter(dg.ones([2])), new dg.Parameter(dg.ones([2]))];
      forward(input: dg.Tensor): dg.Tensor {
        return dg.mul(dg.mul(input, this.gains[0]), this.gains[1]);
      }
    }
    expect([...new Many().parameters().keys()]).toEqual(["gains.0", "gains.1"]);
  });
});
