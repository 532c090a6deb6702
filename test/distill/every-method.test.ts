/** Each method of distillation teaches: on the digits, and on points that are generated. */
import { describe, expect, it } from "vitest";
import { Batches } from "../../src/data/batches.ts";
import { type Dataset, takeRows } from "../../src/data/dataset.ts";
import { digits } from "../../src/data/digits.ts";
import { spirals } from "../../src/data/spirals.ts";
import {
  DistillationTrainer,
  evaluate,
  type FeatureLoss,
  type FeaturePair,
  featureTerm,
  fit,
  type LogitLoss,
  logitTerm,
  projectedPairs,
  projectionsByName,
  SupervisedTrainer,
  type Term,
} from "../../src/distill/index.ts";
import * as losses from "../../src/distill/losses/index.ts";
import {
  Conv2d,
  Flatten,
  Linear,
  type Module,
  parametersOf,
  ReLU,
  Reshape,
  Sequential,
} from "../../src/nn/index.ts";
import { mse, softTargetLoss } from "../../src/ops/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";

const logitLosses = {
  softTargetLoss: (z, v) => softTargetLoss(z, v, { temperature: 4 }),
  reverseKlLoss: losses.reverseKlLoss,
  jensenShannonLoss: losses.jensenShannonLoss,
  softCrossEntropyLoss: losses.softCrossEntropyLoss,
  logitMatchingLoss: losses.logitMatchingLoss,
  standardizedLogitsLoss: losses.standardizedLogitsLoss,
  pearsonCorrelationLoss: losses.pearsonCorrelationLoss,
  decoupledDistillationLoss: (z, v, _, labels) => losses.decoupledDistillationLoss(z, v, labels!),
} satisfies Record<string, LogitLoss<never>>;

const featureLosses = {
  mse,
  hintLoss: losses.hintLoss,
  cosineLoss: losses.cosineLoss,
  similarityPreservingLoss: losses.similarityPreservingLoss,
  relationalDistanceLoss: losses.relationalDistanceLoss,
  relationalAngleLoss: losses.relationalAngleLoss,
  probabilisticKnowledgeTransferLoss: losses.probabilisticKnowledgeTransferLoss,
} satisfies Record<string, FeatureLoss<never>>;

const mapLosses = {
  attentionTransferLoss: losses.attentionTransferLoss,
  neuronSelectivityTransferLoss: losses.neuronSelectivityTransferLoss,
} satisfies Record<string, FeatureLoss<never>>;

const plain =
  (inputs: number, classes: number) =>
  (width: number, seed: number): Sequential => {
    const random = new RandomStream(seed, "init");
    return new Sequential({
      hidden: new Linear(inputs, width, { random }),
      relu: new ReLU(),
      logits: new Linear(width, classes, { random }),
    });
  };

const convolutional = (channels: number, seed: number): Sequential => {
  const random = new RandomStream(seed, "init");
  return new Sequential({
    image: new Reshape([1, 8, 8]),
    conv: new Conv2d(1, channels, 3, { stride: 2, padding: 1, random }),
    relu: new ReLU(),
    flat: new Flatten(),
    logits: new Linear(channels * 16, 10, { random }),
  });
};

interface Task {
  readonly data: Dataset & { readonly labels: Int32Array };
  readonly network: (width: number, seed: number) => Sequential;
  readonly teacher: Sequential;
  readonly width: number;
}

function taskOf(
  data: Task["data"],
  network: Task["network"],
  wide: number,
  width: number,
  steps: number,
): Task {
  const teacher = network(wide, 100);
  const optimizer = new Adam(teacher.parameters(), { learningRate: 5e-3 });
  const batches = new Batches(data, { size: 64, random: new RandomStream(1, "order") });
  for (const _ of fit(new SupervisedTrainer({ model: teacher, optimizer }), batches, { steps }));
  return { data, network, teacher, width };
}

const rows = (count: number): number[] => Array.from({ length: count }, (_, row) => row);
const images = takeRows(digits(), rows(320));
const points = spirals({ rows: 300, classes: 3, noise: 0.02, turns: 0.5, random: new RandomStream(1) });

/** What the method's loss was at first and is in the end, and what the student has become. */
function taught(
  { data, network, teacher, width }: Task,
  term: (layers: FeaturePair[]) => Term,
  pair: FeaturePair,
  steps: number,
  maps = false, // which compare whatever their channels
) {
  const student: Module = network(width, 1);
  const layers = maps
    ? [pair]
    : projectedPairs(student, teacher, [pair], {
        input: [1, data.x.shape[1]],
        random: new RandomStream(2),
      });
  const method = term(layers);
  const projections = method.kind === "features" ? projectionsByName(layers) : {};
  const optimizer = new Adam(parametersOf({ student, ...projections }), { learningRate: 1e-2 });
  const terms = { method };
  // The last layer is reached by answers alone; a method between layers trains what is below it.
  if (method.kind === "features")
    for (const each of student.modules().get("logits")!.parameters().values()) each.requiresGrad = false;
  const trainer = new DistillationTrainer({ student, teacher, optimizer, terms });
  const batches = new Batches(data, { size: 64, random: new RandomStream(3, "order") });
  const values = [...fit(trainer, batches, { steps })].map(({ losses: each }) => each.method);
  const mean = (some: number[]): number => some.reduce((a, b) => a + b) / some.length;
  return { first: mean(values.slice(0, 5)), last: mean(values.slice(-5)), ...evaluate(student, data) };
}

describe.each<[string, Task]>([
  ["the digits", taskOf(images, plain(64, 10), 64, 24, 120)],
  ["generated spirals", taskOf(points, plain(2, 3), 64, 32, 300)],
])("on %s", (_, task) => {
  const goal = evaluate(task.teacher, task.data).accuracy;

  it.each(Object.entries<LogitLoss<never>>(logitLosses))(
    "%s alone makes a student that answers as its teacher",
    (name, loss) => {
      const { first, last, accuracy } = taught(
        task,
        () => logitTerm<object>(loss as LogitLoss<object>),
        ["relu", "relu"],
        250,
      );
      // A cross-entropy ends at the teacher's entropy, not at 0.
      expect(last, name).toBeLessThan(name === "softCrossEntropyLoss" ? first : first / 4);
      expect(accuracy, name).toBeGreaterThan(goal - 0.1);
    },
  );

  it.each(Object.entries<FeatureLoss<never>>(featureLosses))(
    "%s brings the student's layer nearer to the teacher's",
    (name, loss) => {
      const term = (layers: FeaturePair[]): Term =>
        featureTerm<object>(loss as FeatureLoss<object>, { layers });
      const { first, last } = taught(task, term, ["relu", "relu"], 100);
      expect(last, name).toBeLessThan(first / 2);
    },
  );
});

describe("on maps of the digits", () => {
  const task = taskOf(images, convolutional, 12, 4, 120);

  it.each(Object.entries<FeatureLoss<never>>(mapLosses))(
    "%s brings the student's layer nearer to the teacher's",
    (name, loss) => {
      const term = (layers: FeaturePair[]): Term =>
        featureTerm<object>(loss as FeatureLoss<object>, { layers });
      const { first, last } = taught(task, term, ["relu", "relu"], 60, true);
      expect(last, name).toBeLessThan(first / 2);
    },
  );
});

it("leaves out no loss of the library", () => {
  expect(
    [...Object.keys(logitLosses), ...Object.keys(featureLosses), ...Object.keys(mapLosses)].sort(),
  ).toEqual(["softTargetLoss", "mse", ...Object.keys(losses)].sort());
});
