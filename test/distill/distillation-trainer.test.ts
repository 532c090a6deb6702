import { describe, expect, it } from "vitest";
import { gradcheckTrainer } from "../../src/check/index.ts";
import {
  attentionTransferLoss,
  cosineLoss,
  DistillationTrainer,
  decoupledDistillationLoss,
  Ensemble,
  FeatureDistillationTrainer,
  type FeaturePair,
  featureTerm,
  hintLoss,
  KnowledgeDistillationTrainer,
  labelTerm,
  logitTerm,
  pearsonCorrelationLoss,
  relationalDistanceLoss,
  reverseKlLoss,
  similarityPreservingLoss,
  type Teacher,
  type Term,
  type Terms,
} from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { full, randn, tensor, zeros } from "../../src/factories.ts";
import {
  BatchNorm1d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  type Module,
  parametersOf,
  Sequential,
} from "../../src/nn/index.ts";
import { crossEntropy, mse, softTargetLoss } from "../../src/ops/index.ts";
import { Adam, during, linearDecay, SGD, scheduled } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { classes, hashOf, inputs, network, rowsOf } from "./models.ts";

const batch = rowsOf(8, 1);
const teacher = network(16, 100);

interface Settings {
  readonly teacher?: Teacher;
  readonly student?: Module;
  readonly besides?: Readonly<Record<string, Module>>;
  readonly microBatchSize?: number;
}

function trainerOf<T extends Terms>(terms: T, settings: Settings = {}): DistillationTrainer<T> {
  const { student = network(4, 1), besides = {}, ...rest } = settings;
  const optimizer = new Adam(parametersOf({ student, ...besides }), { learningRate: 0.01 });
  return new DistillationTrainer({ student, teacher, optimizer, terms, ...rest });
}

/** The student's hash after some steps. */
function learned(
  trainer: { trainStep(data: typeof batch): unknown; readonly student: Module },
  data = batch,
): string {
  for (let step = 0; step < 5; step++) trainer.trainStep(data);
  return hashOf(trainer.student);
}

const soft = (settings: object = {}): Term =>
  logitTerm(softTargetLoss, { weight: 1 - 0.7, options: { temperature: 4 }, rowwise: true, ...settings });
/** Answers that hold at one temperature only. */
const holdingAt = (onlyTemperature: number): Teacher =>
  Object.assign(() => zeros([8, classes]), { onlyTemperature });
const never = (): never => {
  throw new Error("asked");
};

describe("DistillationTrainer", () => {
  const someLabels = { ...batch, labels: batch.labels.map((label, row) => (row % 3 === 0 ? -1 : label)) };

  it.each([
    ["all rows", batch, undefined],
    ["rows without labels", someLabels, undefined],
    ["parts of a batch", someLabels, 3],
  ])("is the trainer of hard and soft losses, bit for bit: %s", (_, data, microBatchSize) => {
    const parts = microBatchSize === undefined ? {} : { microBatchSize };
    const student = network(4, 1);
    const optimizer = new Adam(parametersOf({ student }), { learningRate: 0.01 });
    const known = new KnowledgeDistillationTrainer({ student, teacher, optimizer, ...parts });
    const trainer = trainerOf({ hard: labelTerm({ weight: 0.7 }), soft: soft() }, parts);
    expect(trainer.trainStep(data)).toEqual(known.trainStep(data));
    expect(learned(trainer, data)).toBe(learned(known, data));
  });

  it("is the trainer of features, bit for bit, where a term is the mean squared error of layers", () => {
    const projections = [0, 1].map(() => new Linear(4, 16, { random: new RandomStream(3) }));
    const [one, other] = projections.map((projection): FeaturePair[] => [["relu", "relu", projection]]);
    const student = network(4, 1);
    const optimizer = new Adam(parametersOf({ student, projection: projections[0] }), { learningRate: 0.01 });
    const known = new FeatureDistillationTrainer({ student, teacher, optimizer, features: one });
    const terms = {
      hard: labelTerm({ weight: 0.7 }),
      soft: soft(),
      feature: featureTerm(mse, { weight: 0.3, layers: other }),
    };
    const trainer = trainerOf(terms, { besides: { projection: projections[1] } });
    expect(trainer.trainStep(batch)).toEqual(known.trainStep(batch));
    expect(learned(trainer)).toBe(learned(known));
  });

  it("returns the value of each term before its weight, and the weighted sum", () => {
    const trainer = trainerOf({
      hard: labelTerm({ weight: 0.5, labelSmoothing: 0.1 }),
      reverse: logitTerm(reverseKlLoss, { weight: 2, options: { temperature: 3 } }),
      relations: featureTerm(relationalDistanceLoss, {
        weight: 25,
        layers: [
          ["hidden", "relu"],
          ["relu", "relu"],
        ],
      }),
    });
    const [asked, answered] = [teacher.features(batch.x), trainer.student.features(batch.x)];
    const [hidden, relu, wanted] = [
      answered.features.get("hidden")!,
      answered.features.get("relu")!,
      asked.features.get("relu")!,
    ];
    const expected = {
      hard: crossEntropy(answered.logits, batch.labels, { labelSmoothing: 0.1 }).item(),
      reverse: reverseKlLoss(answered.logits, asked.logits, { temperature: 3 }).item(),
      relations: Math.fround(
        relationalDistanceLoss(hidden, wanted).item() + relationalDistanceLoss(relu, wanted).item(),
      ),
    };
    const weighted = [0.5 * expected.hard, 2 * expected.reverse, 25 * expected.relations].map(Math.fround);
    const total = weighted.reduce((a, b) => Math.fround(a + b));
    expect(trainer.lossWeights()).toEqual({ total: 1, hard: 0.5, reverse: 2, relations: 25 });
    expect(trainer.trainStep(batch)).toEqual({ ...expected, total });
  });

  it("hands labels to a loss that asks for them", () => {
    const trainer = trainerOf({
      decoupled: logitTerm((z: Tensor, v: Tensor, options: object, labels: ArrayLike<number> | undefined) =>
        decoupledDistillationLoss(z, v, labels!, options),
      ),
    });
    const [z, v] = [trainer.student.forward(batch.x), teacher.forward(batch.x)];
    expect(trainer.trainStep(batch).decoupled).toBe(decoupledDistillationLoss(z, v, batch.labels).item());
  });

  it("has the gradient of what it descends, projections included", () => {
    const projection = new Linear(4, 16, { random: new RandomStream(3) });
    const terms = {
      hard: labelTerm({ weight: 0.7 }),
      order: logitTerm(pearsonCorrelationLoss, { weight: 0.5 }),
      hints: featureTerm(cosineLoss, { weight: 2, layers: [["hidden", "hidden", projection]] }),
      similar: featureTerm(similarityPreservingLoss, { weight: 3, layers: [["hidden", "logits"]] }),
    };
    const trainer = trainerOf(terms, { besides: { projection } });
    expect(gradcheckTrainer(trainer, batch).count).toBe(4 * inputs + 4 + classes * 4 + classes + 16 * 5);
  });

  it("averages larger maps down to the smaller sides before they are compared", () => {
    const conv = (padding: number, channels: number): Sequential =>
      new Sequential({
        conv: new Conv2d(1, channels, 3, { padding, random: new RandomStream(1) }),
        flat: new Flatten(),
        logits: new Linear(channels * (2 + 2 * padding) * (2 + 2 * padding), classes),
      });
    const trainer = trainerOf(
      { maps: featureTerm(attentionTransferLoss, { layers: [["conv", "conv"]] }), hard: labelTerm() },
      { student: conv(0, 2), teacher: conv(1, 5) },
    );
    const { maps } = trainer.trainStep({ ...batch, x: randn([8, 1, 4, 4], { random: new RandomStream(5) }) });
    expect(maps).toBeGreaterThan(0);
  });

  describe("a term of weight 0", () => {
    it("is not computed, and reported as 0", () => {
      const trainer = trainerOf({
        hard: labelTerm(),
        logits: logitTerm(never, { weight: 0 }),
        layers: featureTerm(never, { weight: 0, layers: [["relu", "relu"]] }),
      });
      const { total, hard, ...rest } = trainer.trainStep(batch);
      expect(rest).toEqual({ logits: 0, layers: 0 });
      expect(total).toBe(hard);
    });

    it("does not ask the teacher", () => {
      const trainer = trainerOf({ hard: labelTerm(), soft: soft({ weight: 0 }) }, { teacher: never });
      expect(trainer.trainStep(batch).soft).toBe(0);
    });

    it("does not need labels", () => {
      const trainer = trainerOf({ hard: labelTerm({ weight: 0 }), soft: soft() });
      expect(trainer.trainStep({ x: batch.x }).hard).toBe(0);
    });
  });

  it("reports a hard loss of 0 on a batch without labels, and learns from the rest", () => {
    const losses = trainerOf({ hard: labelTerm(), soft: soft({ weight: 1 }) }).trainStep({ x: batch.x });
    expect(losses.hard).toBe(0);
    expect(losses.total).toBe(losses.soft);
  });

  it("asks a teacher that is no module before the step, or takes the answers that a batch brings", () => {
    const kept = teacher.forward(batch.x).detach();
    const terms = (): Terms => ({ soft: soft() });
    const expected = learned(trainerOf(terms()));
    expect(learned(trainerOf(terms(), { teacher: () => kept }))).toBe(expected);
    const stored = trainerOf(terms(), { teacher: never });
    for (let step = 0; step < 5; step++) stored.trainStep({ ...batch, teacherLogits: kept });
    expect(hashOf(stored.student)).toBe(expected);
  });

  describe("beside terms of layers", () => {
    const hints = featureTerm(hintLoss, { weight: 0.5, layers: [["logits", "members.0.logits"]] });

    it("takes the answers that a batch brings", () => {
      const teacherLogits = randn([8, classes], { random: new RandomStream(3) });
      const twin = trainerOf({ soft: soft() }, { teacher: never });
      const { soft: wanted } = twin.trainStep({ ...batch, teacherLogits });
      const trainer = trainerOf({ soft: soft(), hints }, { teacher: new Ensemble([teacher]).at(4) });
      expect(trainer.trainStep({ ...batch, teacherLogits }).soft).toBe(wanted);
    });

    it("asks a member that keeps its answers once a step, and finds them again", () => {
      const table = new Map<Tensor, Tensor>();
      let asked = 0;
      const remembered = (x: Tensor): Tensor => {
        asked++;
        if (!table.has(x)) table.set(x, teacher.forward(x));
        return table.get(x)!;
      };
      const losses = (member: Teacher, terms: Terms): unknown[] => {
        const trainer = trainerOf(terms, { teacher: new Ensemble([network(6, 2), member]).at(4) });
        return [1, 2, 3].map(() => trainer.trainStep(batch));
      };
      for (const terms of [{ hints }, { hints, soft: soft() }]) {
        asked = 0;
        expect(losses(remembered, terms)).toEqual(losses(teacher, terms));
        expect(asked).toBe(3);
      }
    });
  });

  describe("schedules", () => {
    it("set weights and options step by step", () => {
      const seen: number[] = [];
      const trainer = trainerOf({
        hard: labelTerm({ weight: scheduled(0.5, linearDecay({ steps: 2 })) }),
        soft: logitTerm(
          (z: Tensor, v: Tensor, options: { temperature?: number }) => {
            seen.push(options.temperature ?? 0);
            return softTargetLoss(z, v, { temperature: 1, ...options });
          },
          { options: { temperature: (step: number) => 8 - step } },
        ),
      });
      const weights: number[] = [];
      for (let step = 0; step < 4; step++) {
        weights.push(trainer.lossWeights().hard);
        const { hard } = trainer.trainStep(batch);
        expect(hard === 0).toBe(step >= 2);
      }
      expect(weights).toEqual([0.5, 0.25, 0, 0]);
      expect(seen).toEqual([8, 7, 6, 5]);
    });

    it("go on where a restored trainer stood", () => {
      const terms = (): Terms => ({
        hard: labelTerm({ weight: linearDecay({ steps: 4, floor: 0.1 }) }),
        soft: soft(),
      });
      const whole = trainerOf(terms());
      for (let step = 0; step < 3; step++) whole.trainStep(batch);
      const state = whole.state();
      const resumed = trainerOf(terms(), { student: network(4, 2) });
      resumed.restore(state);
      expect(learned(resumed)).toBe(learned(whole));
    });
  });

  describe("in stages", () => {
    const staged = (): { trainer: DistillationTrainer; projection: Linear } => {
      const projection = new Linear(4, 16, { random: new RandomStream(3) });
      const terms = {
        hints: featureTerm(hintLoss, {
          weight: during({ until: 3 }),
          layers: [["relu", "relu", projection]],
        }),
        hard: labelTerm({ weight: during({ from: 3 }) }),
      };
      return { trainer: trainerOf<Terms>(terms, { besides: { projection } }), projection };
    };

    it("leaves alone what no term of the stage reaches, and moves all else", () => {
      const { trainer, projection } = staged();
      const hashes = (): string[] => {
        const { hidden, logits } = Object.fromEntries(trainer.student.children());
        return [hidden, logits, projection].map(hashOf);
      };
      const moved = (before: string[]): boolean[] => hashes().map((hash, i) => hash !== before[i]);
      let before = hashes();
      for (let step = 0; step < 3; step++) trainer.trainStep(batch);
      expect(moved(before)).toEqual([true, false, true]);
      before = hashes();
      for (let step = 0; step < 3; step++) trainer.trainStep(batch);
      expect(moved(before)).toEqual([true, true, false]);
      const { steps } = trainer.optimizer.state();
      expect(steps.get("student.hidden.weight")).toBe(6);
      expect(steps.get("student.logits.weight")).toBe(3);
      expect([...trainer.optimizer.parameters.values()].every(({ requiresGrad }) => requiresGrad)).toBe(true);
    });

    it("is the only time: where every term has a weight, a parameter that none reaches is an error", () => {
      const trainer = trainerOf(
        { hints: featureTerm(mse, { layers: [["relu", "relu"]] }) },
        { student: network(16, 1) },
      );
      expect(() => trainer.trainStep(batch)).toThrow(
        'step: no gradient for "student.logits.weight", "student.logits.bias"',
      );
    });

    it("looks for weights past the optimizer in every stage", () => {
      const late = randn([classes], { requiresGrad: true });
      const trainer = trainerOf({
        hard: labelTerm(),
        odd: logitTerm((_z: Tensor, v: Tensor) => mse(late, full([classes], v.data[0])), {
          weight: during({ from: 1 }),
        }),
      });
      trainer.trainStep(batch);
      expect(() => trainer.trainStep(batch)).toThrow(
        "trainStep: the loss depends on a tensor of 3 values, read by mse, that the optimizer does not have",
      );
    });
  });

  it("keeps projections in its state and out of the student", () => {
    const make = (seed: number): DistillationTrainer => {
      const projection = new Linear(4, 16, { random: new RandomStream(seed) });
      const terms = {
        hard: labelTerm(),
        hints: featureTerm(hintLoss, { layers: [["relu", "relu", projection]] }),
      };
      return trainerOf<Terms>(terms, { student: network(4, seed), besides: { projection } });
    };
    const trainer = make(1);
    for (let step = 0; step < 3; step++) trainer.trainStep(batch);
    const state = trainer.state();
    expect([...state.weights.keys()]).toContain("besides.0.weight");
    expect([...trainer.student.stateDict().keys()]).toEqual([...network(4, 1).stateDict().keys()]);
    const other = make(2);
    other.restore(state);
    expect(learned(other)).toBe(learned(trainer));
  });

  it("trains a projection that two terms share once", () => {
    const projection = new Linear(4, 16);
    const layers: FeaturePair[] = [["relu", "relu", projection]];
    const trainer = trainerOf(
      { hard: labelTerm(), a: featureTerm(hintLoss, { layers }), b: featureTerm(cosineLoss, { layers }) },
      { besides: { projection } },
    );
    trainer.trainStep(batch);
    expect([...trainer.state().weights.keys()].filter((name) => name.startsWith("besides"))).toEqual([
      "besides.0.weight",
      "besides.0.bias",
    ]);
  });
});

describe("the types", () => {
  it("know the terms by name, and a loss's options, of which each number may be a schedule", () => {
    const trainer = trainerOf({
      hard: labelTerm(),
      order: logitTerm(pearsonCorrelationLoss, {
        options: { temperature: scheduled(4, linearDecay({ steps: 9 })) },
      }),
    });
    const { hard, order } = trainer.trainStep(batch);
    expect([hard, order].every(Number.isFinite)).toBe(true);
    // @ts-expect-error: there is no such term
    expect(trainer.trainStep(batch).soft).toBeUndefined();
    // @ts-expect-error: there is no such option
    logitTerm(pearsonCorrelationLoss, { options: { temperatur: 4 } });
    // @ts-expect-error: this loss has no options
    featureTerm(hintLoss, { layers: [["relu", "relu"]], options: { temperature: 4 } });
  });
});

describe("gradientNorms", () => {
  const terms = () => ({
    hard: labelTerm({ weight: 0.7 }),
    soft: soft(),
    hints: featureTerm(mse, { weight: 0.3, layers: [["hidden", "relu"]] as FeaturePair[] }),
    off: logitTerm(never, { weight: 0 }),
  });
  const wide = (): Sequential => network(16, 1);

  it("is the length of each term's gradient at the student's weights, times its weight", () => {
    const trainer = trainerOf(terms(), { student: wide() });
    const norms = trainer.gradientNorms(batch);
    const norm = (make: (student: Sequential) => Tensor): number => {
      const student = wide();
      make(student).backward();
      let squares = 0;
      for (const { grad } of student.parameters().values())
        for (const g of grad?.data ?? []) squares += g * g;
      return Math.sqrt(squares);
    };
    const asked = teacher.features(batch.x);
    const expected = {
      hard: 0.7 * norm((student) => crossEntropy(student.forward(batch.x), batch.labels)),
      soft:
        (1 - 0.7) *
        norm((student) =>
          softTargetLoss(student.forward(batch.x), asked.logits.detach(), { temperature: 4 }),
        ),
      hints:
        0.3 *
        norm((s) => mse(s.features(batch.x).features.get("hidden")!, asked.features.get("relu")!.detach())),
    };
    for (const [name, value] of Object.entries(expected)) {
      // Squares and their sum, in another order: a few hundred of them in float64.
      expect(Math.abs(norms[name as keyof typeof expected] / value - 1), name).toBeLessThan(1e-12);
    }
    expect(norms.off).toBe(0);
    expect(norms.total).toBeGreaterThan(0);
    expect(norms.total).toBeLessThanOrEqual((norms.hard + norms.soft + norms.hints) * (1 + 1e-6));
  });

  it("leaves everything as it was: weights, statistics, streams, modes, steps", () => {
    const make = (): { trainer: DistillationTrainer; student: Sequential } => {
      const random = new RandomStream(1, "init");
      const student = new Sequential({
        hidden: new Linear(inputs, 16, { random }),
        norm: new BatchNorm1d(16),
        dropout: new Dropout(0.5, { random: new RandomStream(2) }),
        logits: new Linear(16, classes, { random }),
      });
      return { student, trainer: trainerOf<Terms>({ hard: labelTerm(), soft: soft() }, { student }) };
    };
    const [asked, plain] = [make(), make()];
    asked.student.eval();
    const before = hashOf(asked.student);
    const norms = asked.trainer.gradientNorms(batch);
    expect(hashOf(asked.student)).toBe(before);
    expect(asked.student.training).toBe(false);
    expect(asked.trainer.steps).toBe(0);
    // The same masks for every term, and again for the step itself.
    expect(asked.trainer.gradientNorms(batch)).toEqual(norms);
    expect(learned(asked.trainer as never)).toBe(learned(plain.trainer as never));
  });

  it("adds up over the parts of a batch", () => {
    const only = { hard: labelTerm(), soft: soft() };
    const [whole, parts] = [undefined, 3].map((microBatchSize) =>
      trainerOf(only, microBatchSize === undefined ? {} : { microBatchSize }).gradientNorms(batch),
    );
    for (const name of ["total", "hard", "soft"] as const) {
      // Each of at most 8 partial sums in float32 is off by 2^-24 of its size.
      expect(Math.abs(parts[name] / whole[name] - 1)).toBeLessThan(1e-5);
    }
  });

  it("is there for the trainers of hard, soft and feature losses too", () => {
    const student = wide();
    const optimizer = new SGD(student.parameters(), { learningRate: 0.1 });
    const known = new FeatureDistillationTrainer({
      student,
      teacher,
      optimizer,
      features: [["hidden", "relu"]],
    });
    const { off: _, ...rest } = terms();
    const norms = trainerOf(rest, { student: wide() }).gradientNorms(batch);
    expect(known.gradientNorms(batch)).toEqual({
      total: norms.total,
      hard: norms.hard,
      soft: norms.soft,
      feature: norms.hints,
    });
  });
});

describe("what is refused", () => {
  const make =
    (terms: unknown, settings: Settings = {}) =>
    () =>
      trainerOf(terms as Terms, settings);
  const projection = new Linear(4, 16);

  it.each<[() => unknown, string]>([
    [make(3), "trainer: expected terms { name: term, … } such as { hard: labelTerm() }, got 3"],
    [make({}), "trainer: expected at least one term"],
    [make({ total: labelTerm() }), 'trainer: "total" is the sum of all terms; give the term another name'],
    [
      make({ hard: crossEntropy }),
      'trainer: the term "hard" must be made by labelTerm, logitTerm or featureTerm, got the function crossEntropy',
    ],
    [
      make({ soft: JSON.parse(JSON.stringify(soft())) }),
      'trainer: the term "soft" must be made by labelTerm, logitTerm or featureTerm, got an object',
    ],
    [
      make({ soft: soft() }, { student: teacher }),
      "trainer: teacher and student are the same model; make a second one",
    ],
    [
      make({ hints: featureTerm(hintLoss, { layers: [["relu", "relu", projection]] }) }),
      'trainer: the projection of "relu"\'s "weight", "bias" are not in the optimizer; add what is to be trained with parametersOf, freeze the rest with requiresGrad = false',
    ],
    [
      make({ hints: featureTerm(hintLoss, { layers: [["relux", "relu"]] }) }),
      'trainer: the student has no layer "relux"; it has "hidden", "relu", "logits"',
    ],
    [
      make({ hints: featureTerm(hintLoss, { layers: [["relu", "relux"]] }) }),
      'trainer: the teacher has no layer "relux"; it has "hidden", "relu", "logits"',
    ],
    [
      make({ hints: featureTerm(hintLoss, { layers: [["relu", "relu"]] }) }, { teacher: () => batch.x }),
      "trainer: features are taken from a Module; this teacher is none",
    ],
    [
      make(
        { soft: soft(), hard: labelTerm({ weight: 0 }), ensemble: soft({ options: { temperature: 2 } }) },
        { teacher: holdingAt(4) },
      ),
      'trainer: "ensemble": the teacher\'s answers hold at temperature 4, expected 2; an Ensemble gives them with at(2)',
    ],
    [
      make({ reverse: logitTerm(reverseKlLoss) }, { teacher: holdingAt(4) }),
      'trainer: "reverse" without a temperature among its options: the teacher\'s answers hold at temperature 4, expected 1; an Ensemble gives them with at(1)',
    ],
    [
      make({ order: logitTerm(pearsonCorrelationLoss) }, { microBatchSize: 4 }),
      'trainer: microBatchSize takes a batch in parts, and "order" is not known to be a mean over rows; set its rowwise: true if pearsonCorrelationLoss is one, else leave microBatchSize out',
    ],
    [
      () => labelTerm({ weight: -1 }),
      "labelTerm: weight must be a finite number of at least 0 or a schedule, got -1",
    ],
    [() => labelTerm({ labelSmoothing: 2 }), "labelTerm: labelSmoothing must be in [0, 1), got 2"],
    [
      () => logitTerm(softTargetLoss, { weight: Number.NaN }),
      "logitTerm: weight must be a finite number of at least 0 or a schedule, got NaN",
    ],
    [
      () => logitTerm("kl" as never),
      'logitTerm: expected a loss first, such as softTargetLoss, got "kl", a string',
    ],
    [
      () => logitTerm(softTargetLoss, { temperature: 4 } as never),
      'logitTerm: unknown option "temperature"; possible are weight, options, rowwise',
    ],
    [
      () => logitTerm(softTargetLoss, { options: 4 as never }),
      "logitTerm: options must be an object of the loss's options, got 4",
    ],
    [
      () => logitTerm(softTargetLoss, { rowwise: 1 as never }),
      "logitTerm: rowwise must be true or false, got 1",
    ],
    [
      () => featureTerm(hintLoss, {} as never),
      "featureTerm: expected features as pairs [studentLayer, teacherLayer], got undefined",
    ],
    [
      () => featureTerm(hintLoss, { layers: [] }),
      "featureTerm: expected features as pairs [studentLayer, teacherLayer], got none",
    ],
  ])("%#: %s", (act, message) => {
    expect(act).toThrow(DistilgradError);
    expect(act).toThrow(message);
  });

  it.each<[Terms, Partial<typeof batch & { teacher: Teacher }>, string]>([
    [
      { hard: labelTerm({ weight: () => Number.NaN }) },
      {},
      'trainStep: the weight of "hard" must be a finite number of at least 0, but its schedule gives NaN at step 0',
    ],
    [
      { hard: labelTerm({ weight: 0 }), soft: soft({ weight: during({ from: 1 }) }) },
      {},
      "trainStep: every term has weight 0 at step 0: nothing to learn from",
    ],
    [
      { hard: labelTerm() },
      { labels: undefined as never },
      "trainStep: only labels teach at step 0, and the batch has none: nothing to learn from",
    ],
    [
      { odd: logitTerm((z: Tensor) => z) },
      {},
      'trainStep: the loss of "odd" must return a scalar tensor, got a Tensor',
    ],
    [
      { soft: logitTerm(softTargetLoss, { options: { temperatur: 4 } as never }) },
      {},
      "softTargetLoss: temperature must be",
    ],
    [
      { hints: featureTerm(hintLoss, { layers: [["relu", "relu"]] }), hard: labelTerm() },
      {},
      'trainStep: "hints": student "relu" [8, 4] against teacher "relu" [8, 16]: hintLoss: student and teacher must have the same shape, got [8, 4] and [8, 16]; projectedPairs makes a projection',
    ],
    [
      { bad: logitTerm(() => tensor(Number.NaN)), hard: labelTerm() },
      {},
      "trainStep: the loss is NaN at step 0",
    ],
  ])("%#: by the step, which moves nothing: %s", (terms, { teacher: other, ...change }, message) => {
    const trainer = trainerOf(terms, other ? { teacher: other } : {});
    const before = hashOf(trainer.student);
    expect(() => trainer.trainStep({ ...batch, ...change })).toThrow(message);
    expect([hashOf(trainer.student), trainer.steps]).toEqual([before, 0]);
  });

  it("a temperature that leaves the one at which answers hold, at the step where it does", () => {
    const leaving = soft({ options: { temperature: (step: number) => (step < 1 ? 4 : 3) } });
    const trainer = trainerOf({ soft: leaving }, { teacher: holdingAt(4) });
    trainer.trainStep(batch);
    expect(() => trainer.trainStep(batch)).toThrow(
      'trainStep: "soft": the teacher\'s answers hold at temperature 4, expected 3; an Ensemble gives them with at(3)',
    );
    expect(trainer.steps).toBe(1);
  });

  it("but no teacher for a temperature of its own, with which it says nothing of its answers", () => {
    const calibrated = Object.assign(() => zeros([8, classes]), { temperature: 2 });
    expect(trainerOf({ soft: soft() }, { teacher: calibrated }).trainStep(batch).soft).toBeGreaterThan(0);
  });
});
