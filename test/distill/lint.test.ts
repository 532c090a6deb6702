import { describe, expect, it } from "vitest";
import type { Dataset } from "../../src/data/dataset.ts";
import {
  DistillationTrainer,
  FeatureDistillationTrainer,
  type Finding,
  featureTerm,
  KnowledgeDistillationTrainer,
  type LintFacts,
  labelTerm,
  lint,
  logitTerm,
  SupervisedTrainer,
  type Teacher,
  type Terms,
} from "../../src/distill/index.ts";
import { oneHot, tensor } from "../../src/factories.ts";
import { Module } from "../../src/nn/index.ts";
import { mse, softmax, softTargetLoss } from "../../src/ops/index.ts";
import { scale } from "../../src/ops/scale.ts";
import { SGD } from "../../src/optim/index.ts";
import type { Tensor } from "../../src/tensor.ts";
import { classes, hashOf, network, rowsOf } from "./models.ts";

const batch = rowsOf(30, 1);

/** A teacher that names a class for every row of the batch, and is fairly sure of it. */
const naming =
  (classOf: (label: number, row: number) => number): Teacher =>
  () =>
    scale(oneHot(Array.from(batch.labels, classOf), classes), 3);
const knowing = naming((label) => label);

class Probabilities extends Module {
  readonly net: Module;

  constructor(net: Module) {
    super();
    this.net = net;
  }

  forward(x: Tensor): Tensor {
    return softmax(this.net.forward(x));
  }
}

interface Settings {
  readonly teacher?: Teacher;
  readonly temperature?: number;
  readonly alpha?: number;
  readonly student?: Module;
}

function trainerOf(settings: Settings = {}): KnowledgeDistillationTrainer {
  const { student = network(4, 1), teacher = knowing, ...rest } = settings;
  const optimizer = new SGD(student.parameters(), { learningRate: 0.1 });
  return new KnowledgeDistillationTrainer({ student, teacher, optimizer, ...rest });
}

const found = (
  settings: Settings,
  facts: LintFacts = {},
  data: Dataset = batch,
): [string, string | null, string][] =>
  lint(trainerOf(settings), data, facts).map(({ code, term, sentence }: Finding) => [code, term, sentence]);

describe("lint", () => {
  it("finds nothing in an ordinary distillation, and changes nothing", () => {
    const trainer = trainerOf();
    const before = hashOf(trainer.student);
    expect(lint(trainer, batch)).toEqual([]);
    expect([hashOf(trainer.student), trainer.steps, trainer.student.training]).toEqual([before, 0, true]);
  });

  it("finds a term whose gradient is under 1 % of all", () => {
    const student = network(4, 1);
    const trainer = trainerOf({ student });
    const { hard, soft } = trainer.gradientNorms(batch);
    const share = (weight: number): number => (weight * soft) / 0.3 / ((weight * soft) / 0.3 + hard / 0.7);
    const terms = (weight: number) => ({
      hard: labelTerm(),
      soft: logitTerm(softTargetLoss, { weight, options: { temperature: 4 } }),
      off: featureTerm(mse, { weight: 0, layers: [["relu", "relu"]] }),
    });
    const findings = (weight: number): Finding[] => {
      const optimizer = new SGD(student.parameters(), { learningRate: 0.1 });
      const teacher = network(16, 100);
      const data = { ...batch, teacherLogits: scale(oneHot(batch.labels, classes), 3) };
      return lint(
        new DistillationTrainer<Terms>({ student, teacher, optimizer, terms: terms(weight) }),
        data,
      ) as Finding[];
    };
    // The weight at which the share is 1 %: share = w s / (w s + h).
    const limit = (0.01 / 0.99) * (hard / 0.7 / (soft / 0.3));
    expect(Math.abs(share(limit) - 0.01)).toBeLessThan(1e-12);
    expect(findings(1.01 * limit)).toEqual([]);
    const [weak] = findings(0.5 * limit);
    expect(weak).toMatchObject({ code: "weak-term", term: "soft" });
    expect(weak.sentence).toBe(
      `the gradient of "soft" is 0.50 % of all, so that it hardly counts; its weight is ${0.5 * limit}: raise it, or leave the term out`,
    );
  });

  it("finds a teacher that is no better than chance", () => {
    const sizes = [0, 1, 2].map((label) => batch.labels.filter((each) => each === label).length);
    const most = Math.max(...sizes);
    const said = `the teacher names ${most} of 30 labels of this batch; always naming the most frequent class would name ${most}; is it trained, and is its input prepared as it was in its training?`;
    const always = sizes.indexOf(most);
    expect(found({ teacher: naming(() => always) })).toEqual([["teacher-at-chance", null, said]]);
  });

  it("does not judge a teacher by rows without labels", () => {
    const { x } = batch;
    expect(
      found({ teacher: naming((label) => (label + 1) % 3), alpha: 0 }, {}, { x } as typeof batch),
    ).toEqual([]);
    const some = { ...batch, labels: batch.labels.map((label, row) => (row < 10 ? -1 : label)) };
    const teacher = naming((label, row) => (row < 10 ? (label + 1) % 3 : label));
    expect(found({ teacher }, {}, some)).toEqual([]);
    const [[, , sentence]] = found({ teacher: naming(() => 0) }, {}, some);
    expect(sentence).toContain("of 20 labels of this batch");
    const few = { ...batch, labels: batch.labels.map((label, row) => (row < 11 ? -1 : label)) };
    expect(found({ teacher: naming(() => 0) }, {}, few)).toEqual([]);
  });

  it("does not blame a term for labels that a batch lacks", () => {
    expect(found({}, {}, { x: batch.x })).toEqual([]);
    expect(found({}, {}, { x: batch.x, labels: batch.labels.map(() => -1) })).toEqual([]);
  });

  it("finds classes in another order by what the teacher says", () => {
    const [[code, , sentence], ...rest] = found({ teacher: naming((label) => (label + 1) % 3) });
    expect(rest).toEqual([]);
    expect(code).toBe("class-order");
    expect(sentence).toMatch(
      /^the teacher names 0 of 30 labels of this batch; always naming the most frequent class would name \d+, but with its classes in another order 30: what the labels call 0 it calls 1; bring its logits into the order of the labels$/,
    );
  });

  it("finds classes in another order by their names", () => {
    const order = (teacherClasses: string[], names: string[]) =>
      found({}, { teacherClasses, classes: names }).map(([code, , sentence]) => [code, sentence]);
    expect(order(["a", "b", "c"], ["a", "b", "c"])).toEqual([]);
    expect(order(["a", "c", "b"], ["a", "b", "c"])).toEqual([
      [
        "class-order",
        'class 1 is "c" for the teacher and "b" in the data; bring the teacher\'s logits into the order of the data',
      ],
    ]);
    expect(order(["a", "b", "c"], ["a", "b"])).toEqual([
      ["class-order", "the teacher has 3 classes and the data 2; they must be the same"],
    ]);
  });

  it("finds logits that are probabilities, of either model", () => {
    const student = new Probabilities(network(4, 1));
    const probs = new Probabilities(network(4, 2));
    const teacher = (x: Tensor): Tensor => probs.forward(x);
    const sentence = (role: string): string =>
      `the ${role}'s logits look like probabilities: every row is in [0, 1] and sums to 1; the losses take softmax themselves, so leave it out of the model`;
    expect(found({ student }).filter(([code]) => code === "probabilities")).toEqual([
      ["probabilities", null, sentence("student")],
    ]);
    expect(found({ teacher }).filter(([code]) => code === "probabilities")).toEqual([
      ["probabilities", null, sentence("teacher")],
    ]);
    expect(
      found({ teacher: () => tensor(Array.from({ length: 30 }, () => [0.5, 0.5, 0.2])) }).map(
        ([code]) => code,
      ),
    ).not.toContain("probabilities");
  });

  it("finds temperatures outside [0.5, 50], in a trainer or in any of its terms", () => {
    expect(found({ temperature: 0.5 }).concat(found({ temperature: 50 }))).toEqual([]);
    expect(found({ temperature: 0.4 })[0]).toEqual([
      "temperature",
      "soft",
      'the temperature of "soft" is 0.4, which leaves little but the likeliest class of the teacher\'s answers; 1 to 20 is usual',
    ]);
    const student = network(4, 1);
    const trainer = new DistillationTrainer({
      student,
      teacher: knowing,
      optimizer: new SGD(student.parameters(), { learningRate: 0.1 }),
      terms: {
        hard: labelTerm(),
        warm: logitTerm(softTargetLoss, { options: { temperature: (step) => 60 - step } }),
      },
    });
    expect(lint(trainer, batch).map(({ sentence }) => sentence)).toEqual([
      'the temperature of "warm" is 60, which leaves only differences of logits of the teacher\'s answers; 1 to 20 is usual',
    ]);
  });

  it("passes on what is known of the teacher's smoothing and of the student alone", () => {
    expect(found({}, { teacherLabelSmoothing: 0, trainingAccuracyAlone: 0.97 })).toEqual([]);
    expect(found({}, { teacherLabelSmoothing: 0.1, trainingAccuracyAlone: 0.934 })).toEqual([
      [
        "smoothed-teacher",
        null,
        "the teacher was trained with label smoothing 0.1, which wipes out how alike it finds the other classes; train it without",
      ],
      [
        "small-student",
        null,
        "trained alone, the student names 93.4 % of its training rows rightly: it is too small or too briefly trained to fit them, and soft targets add no capacity; expect them to hurt, and try a wider student or more steps first",
      ],
    ]);
  });

  it("looks at the trainer of features too", () => {
    const student = network(4, 1);
    const trainer = new FeatureDistillationTrainer({
      student,
      teacher: network(4, 1),
      optimizer: new SGD(student.parameters(), { learningRate: 0.1 }),
      features: [["relu", "relu"]],
      alpha: 1,
    });
    // A student that is its teacher has nothing to learn from its layers.
    expect(lint(trainer, batch).filter(({ code }) => code === "weak-term")).toMatchObject([
      { term: "feature" },
    ]);
  });

  it.each<[string, () => unknown, string]>([
    ["no trainer", () => lint(3 as never, batch), "lint: expected a trainer with a teacher, got 3"],
    [
      "a trainer without a teacher",
      () => {
        const model = network(4, 1);
        return lint(
          new SupervisedTrainer({
            model,
            optimizer: new SGD(model.parameters(), { learningRate: 1 }),
          }) as never,
          batch,
        );
      },
      "lint: expected a trainer with a teacher; this one has none",
    ],
    ["no batch", () => lint(trainerOf(), undefined as never), "lint: expected a dataset { x, labels }"],
    [
      "labels that are no classes of the teacher",
      () => lint(trainerOf(), { ...batch, labels: batch.labels.map(() => 7) }),
      "lint: label 7 at row 0 is outside [0, 3)",
    ],
    [
      "an accuracy in percent",
      () => lint(trainerOf(), batch, { trainingAccuracyAlone: 93 }),
      "lint: trainingAccuracyAlone must be a share in [0, 1], got 93",
    ],
    [
      "a smoothing that is none",
      () => lint(trainerOf(), batch, { teacherLabelSmoothing: true as never }),
      "lint: teacherLabelSmoothing must be a share in [0, 1], got true",
    ],
    [
      "classes that are no list",
      () => lint(trainerOf(), batch, { teacherClasses: "a,b,c" as never }),
      'lint: expected teacherClasses, a list of names, got "a,b,c", a string',
    ],
    [
      "an unknown fact",
      () => lint(trainerOf(), batch, { smoothing: 1 } as never),
      'lint: unknown option "smoothing"; possible are teacherLabelSmoothing, trainingAccuracyAlone, teacherClasses, classes',
    ],
  ])("refuses %s", (_, act, message) => {
    expect(act).toThrow(message);
  });
});
