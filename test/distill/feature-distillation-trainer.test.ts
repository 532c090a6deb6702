import { describe, expect, it } from "vitest";
import {
  Ensemble,
  type FeatureDistillationOptions,
  FeatureDistillationTrainer,
  type FeaturePair,
  featureMatchingLoss,
  KnowledgeDistillationTrainer,
  type Teacher,
} from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { randn, tensor, zeros } from "../../src/factories.ts";
import { Dropout, Linear, Module, Parameter, parametersOf, ReLU, Sequential } from "../../src/nn/index.ts";
import { mse } from "../../src/ops/mse.ts";
import { Adam } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { classes, hashOf, inputs, network, rowsOf } from "./models.ts";

const batch = rowsOf(8, 1);

/** inputs → 16 → 6 → classes */
const deepTeacher = (): Sequential => {
  const random = new RandomStream(100, "init");
  return new Sequential({
    first: new Linear(inputs, 16, { random }),
    relu1: new ReLU(),
    second: new Linear(16, 6, { random }),
    relu2: new ReLU(),
    logits: new Linear(6, classes, { random }),
  });
};
const same: FeaturePair = ["relu", "relu2"];

type Settings = Partial<FeatureDistillationOptions>;

function trainerOf(student: Module, settings: Settings = {}): FeatureDistillationTrainer {
  return new FeatureDistillationTrainer({
    student,
    teacher: deepTeacher(),
    optimizer: new Adam(student.parameters(), { learningRate: 0.01 }),
    features: [same],
    ...settings,
  });
}

describe("featureMatchingLoss", () => {
  const [a, b] = [tensor([[1, 2]]), tensor([[3, 2]])];

  it("is the sum over pairs of the mean squared error", () => {
    expect(featureMatchingLoss([a], [b]).item()).toBe(2);
    const wide = tensor([[0, 0, 3]]);
    expect(featureMatchingLoss([a, wide], [b, zeros([1, 3])]).item()).toBe(2 + 3);
  });

  it.each([
    [2, 1],
    [1, 2],
    [0, 0],
  ])(
    "refuses %d student and %d teacher features: nothing is cut to the shorter list",
    (students, teachers) => {
      const take = (count: number): Tensor[] => Array.from({ length: count }, () => a);
      expect(() => featureMatchingLoss(take(students), take(teachers))).toThrow(
        new DistilgradError(
          "shape",
          `featureMatchingLoss: expected as many student as teacher features and at least one, got ${students} and ${teachers}`,
        ),
      );
    },
  );

  it("refuses shapes that differ, also those that would broadcast, and names the layers where it knows them", () => {
    expect(() => featureMatchingLoss([a], [zeros([1, 1])])).toThrow(
      new DistilgradError(
        "shape",
        'featureMatchingLoss: student "feature 0" is [1, 2] and teacher "feature 0" is [1, 1]; add a projection',
      ),
    );
    const names = [["hidden1", "hidden2"]] as const;
    expect(() => featureMatchingLoss([zeros([32, 64])], [zeros([32, 256])], names)).toThrow(
      new DistilgradError(
        "shape",
        'featureMatchingLoss: student "hidden1" is [32, 64] and teacher "hidden2" is [32, 256]; add a projection',
      ),
    );
  });
});

describe("FeatureDistillationTrainer", () => {
  it("adds β = 0.3 times the features' loss to the distillation loss", () => {
    const [student, teacher] = [network(6, 1), deepTeacher()];
    const [asked, answered] = [teacher.features(batch.x), student.features(batch.x)];
    const feature = mse(answered.features.get("relu")!, asked.features.get("relu2")!.detach()).item();
    const plain = trainerOf(network(6, 2)).distillationLoss(
      answered.logits,
      asked.logits.detach(),
      batch.labels,
    );
    const trainer = trainerOf(student);
    expect(trainer.beta).toBe(0.3);
    const losses = trainer.trainStepWithFeatures(batch);
    expect(losses).toEqual({
      total: Math.fround(plain.total.item() + Math.fround(0.3 * feature)),
      hard: plain.hard.item(),
      soft: plain.soft.item(),
      feature,
    });
  });

  it("does not weigh features by the temperature: T² belongs to the soft loss alone", () => {
    const losses = [1, 4].map((temperature) => trainerOf(network(6, 1), { temperature }).trainStep(batch));
    expect(losses[1].feature).toBe(losses[0].feature);
    expect(losses[1].hard).toBe(losses[0].hard);
    expect(losses[1].soft).not.toBe(losses[0].soft);
  });

  it("brings the features nearer to the teacher's", () => {
    const trainer = trainerOf(network(6, 1), { features: [["hidden", "second"]], beta: 10 });
    const [first] = Array.from({ length: 200 }, () => trainer.trainStep(batch));
    expect(trainer.trainStep(batch).feature).toBeLessThan(first.feature / 4);
  });

  it("with β = 0 is the trainer without features, bit for bit, with stored teacher logits too", () => {
    const stored = { ...batch, teacherLogits: deepTeacher().forward(batch.x).detach() };
    for (const data of [batch, stored]) {
      const [student, twin] = [network(6, 1), network(6, 1)];
      const trainer = trainerOf(student, { beta: 0 });
      const plain = new KnowledgeDistillationTrainer({
        student: twin,
        teacher: deepTeacher(),
        optimizer: new Adam(twin.parameters(), { learningRate: 0.01 }),
      });
      for (let i = 0; i < 20; i++) {
        expect(trainer.trainStepWithFeatures(data)).toEqual({ ...plain.trainStep(data), feature: 0 });
      }
      expect(hashOf(student)).toBe(hashOf(twin));
    }
  });

  it("matches several pairs, and the outputs of a layer that is called twice by name#2", () => {
    class Twice extends Module {
      readonly hidden = new Linear(inputs, 6, { random: new RandomStream(1) });
      readonly mix = new Linear(6, 6, { random: new RandomStream(2) });
      readonly out = new Linear(6, classes, { random: new RandomStream(3) });
      forward(x: Tensor): Tensor {
        return this.out.forward(this.mix.forward(this.mix.forward(this.hidden.forward(x))));
      }
    }
    const [student, teacher] = [new Twice(), deepTeacher()];
    const [answered, asked] = [student.features(batch.x).features, teacher.features(batch.x).features];
    const parts = [
      mse(answered.get("mix")!, asked.get("second")!.detach()).item(),
      mse(answered.get("mix#2")!, asked.get("relu2")!.detach()).item(),
    ];
    const features: FeaturePair[] = [
      ["mix", "second"],
      ["mix#2", "relu2"],
    ];
    const trainer = trainerOf(student, { features });
    expect(trainer.trainStep(batch).feature).toBe(Math.fround(parts[0] + parts[1]));
  });

  it("leaves the teacher as it is, without gradients, in its modes, asked without dropout", () => {
    const stream = new RandomStream(1, "dropout");
    const teacher = new Sequential({
      body: deepTeacher(),
      dropout: new Dropout(0.5, { random: stream }),
    });
    const before = hashOf(teacher);
    const trainer = trainerOf(network(6, 1), { teacher, features: [["relu", "body.relu2"]] });
    for (let i = 0; i < 5; i++) trainer.trainStep(batch);
    expect(hashOf(teacher)).toBe(before);
    expect(stream.state()).toEqual(new RandomStream(1, "dropout").state());
    expect([teacher, ...teacher.modules().values()].every(({ training }) => training)).toBe(true);
    for (const parameter of teacher.parameters().values()) expect(parameter.grad).toBeNull();
  });

  it.each([0, 0.7, 1])(
    "asks an ensemble's member that keeps its answers once a step, with α = %d",
    (alpha) => {
      const kept = network(6, 5);
      const table = new Map<Tensor, Tensor>();
      let asked = 0;
      const remembered = (x: Tensor): Tensor => {
        asked++;
        if (!table.has(x)) table.set(x, kept.forward(x));
        return table.get(x)!;
      };
      const losses = (member: Teacher): unknown[] => {
        const trainer = trainerOf(network(6, 1), {
          teacher: new Ensemble([deepTeacher(), member]).at(4),
          features: [["relu", "members.0.relu2"]],
          alpha,
        });
        return [1, 2, 3].map(() => trainer.trainStep(batch));
      };
      expect(losses(remembered)).toEqual(losses(kept));
      expect(asked).toBe(3);
    },
  );

  it("collects no gradient on a tensor of the teacher's own that one of its layers gives out", () => {
    class Table extends Module {
      readonly values = new Parameter(randn([8, 6], { random: new RandomStream(1) }));
      forward(): Tensor {
        return this.values;
      }
    }
    const table = new Table();
    const teacher = new Sequential({
      table,
      logits: new Linear(6, classes, { random: new RandomStream(2) }),
    });
    trainerOf(network(6, 1), { teacher, features: [["hidden", "table"]] }).trainStep(batch);
    expect(table.values.grad).toBeNull();
  });
});

describe("a projection", () => {
  const setup = () => {
    const student = network(4, 1);
    const projection = new Linear(4, 16, { random: new RandomStream(9) });
    const optimizer = new Adam(parametersOf({ student, projection }), { learningRate: 0.01 });
    const trainer = trainerOf(student, { optimizer, features: [["relu", "relu1", projection]] });
    return { student, projection, trainer };
  };

  it("is needed where widths differ: the error comes before anything is moved", () => {
    const student = network(4, 1);
    const before = hashOf(student);
    const trainer = trainerOf(student, { features: [["relu", "relu1"]] });
    expect(() => trainer.trainStep(batch)).toThrow(
      new DistilgradError(
        "shape",
        'featureMatchingLoss: student "relu" is [8, 4] and teacher "relu1" is [8, 16]; add a projection',
      ),
    );
    expect([hashOf(student), trainer.steps]).toEqual([before, 0]);
  });

  it("must be in the optimizer: forgotten, it would stay as it started", () => {
    const student = network(4, 1);
    const features: FeaturePair[] = [["relu", "relu1", new Linear(4, 16, { random: new RandomStream(9) })]];
    expect(() => trainerOf(student, { features })).toThrow(
      new DistilgradError(
        "model",
        'trainer: the projection of "relu"\'s "weight", "bias" are not in the optimizer; add what is to be trained with parametersOf, freeze the rest with requiresGrad = false',
      ),
    );
  });

  it("is trained with the student, whose features come nearer through it", () => {
    const { projection, trainer } = setup();
    const before = hashOf(projection);
    const [first] = Array.from({ length: 100 }, () => trainer.trainStep(batch));
    expect(trainer.trainStep(batch).feature).toBeLessThan(first.feature / 2);
    expect(hashOf(projection)).not.toBe(before);
  });

  it("is put in training mode with the student, and is not exported with it", () => {
    const { student, projection, trainer } = setup();
    projection.eval();
    trainer.trainStep(batch);
    expect(projection.training).toBe(true);
    expect([...student.stateDict().keys()]).toEqual([
      "hidden.weight",
      "hidden.bias",
      "logits.weight",
      "logits.bias",
    ]);
    expect([...student.modules().keys()]).toEqual(["hidden", "relu", "logits"]);
  });

  it("is part of the trainer's state: both go on bit for bit", () => {
    const first = setup();
    for (let i = 0; i < 5; i++) first.trainer.trainStep(batch);
    const state = first.trainer.state();
    const second = setup();
    second.trainer.restore(state);
    expect(second.trainer.steps).toBe(5);
    for (let i = 0; i < 5; i++) {
      expect(second.trainer.trainStep(batch)).toEqual(first.trainer.trainStep(batch));
    }
    expect(hashOf(second.projection)).toBe(hashOf(first.projection));
    expect(hashOf(second.student)).toBe(hashOf(first.student));
  });

  it("gets its own weights back when the rest of a state does not fit", () => {
    const { student, projection, trainer } = setup();
    trainer.trainStep(batch);
    const before = [hashOf(student), hashOf(projection), trainer.optimizer.state()];
    const other = setup();
    const { weights, ...rest } = other.trainer.state();
    const withoutProjection = new Map([...weights].filter(([name]) => name.startsWith("model.")));
    expect(() => trainer.restore({ ...rest, weights: withoutProjection })).toThrow(
      new DistilgradError(
        "state",
        'loadStateDict: the state does not fit this model: missing "besides.0.weight", "besides.0.bias"; nothing was loaded',
      ),
    );
    expect([hashOf(student), hashOf(projection), trainer.optimizer.state()]).toEqual(before);
  });
});

describe("a feature trainer refuses before the first step", () => {
  it.each<[string, Settings, "model" | "value", string]>([
    [
      "a student layer that does not exist",
      { features: [["hiden", "relu2"]] },
      "model",
      'trainer: the student has no layer "hiden"; it has "hidden", "relu", "logits"',
    ],
    [
      "a teacher layer that does not exist",
      { features: [["relu", "relu9"]] },
      "model",
      'trainer: the teacher has no layer "relu9"; it has "first", "relu1", "second", "relu2", "logits"',
    ],
    [
      "no features",
      { features: [] },
      "model",
      "trainer: expected features as pairs [studentLayer, teacherLayer], got none",
    ],
    [
      "a teacher without layers to ask",
      { teacher: ((x: Tensor) => x) as unknown as Module },
      "model",
      "trainer: features are taken from a Module; this teacher is none",
    ],
    ["β below 0", { beta: -0.1 }, "value", "trainer: beta must be a finite number of at least 0, got -0.1"],
    ["β NaN", { beta: Number.NaN }, "value", "trainer: beta must be a finite number of at least 0, got NaN"],
  ])("%s", (_, settings, code, message) => {
    expect(() => trainerOf(network(6, 1), settings)).toThrow(new DistilgradError(code, message));
  });

  it("and at the first one, with nothing moved, a layer that exists and is not called", () => {
    class Spare extends Module {
      readonly used = new Linear(inputs, classes, { random: new RandomStream(1) });
      readonly spare = new ReLU();
      forward(x: Tensor): Tensor {
        return this.used.forward(x);
      }
    }
    const student = new Spare();
    const before = hashOf(student);
    expect(() => trainerOf(student, { features: [["spare", "logits"]] }).trainStep(batch)).toThrow(
      new DistilgradError(
        "model",
        'trainer: the student\'s layer "spare" was not called in the forward pass',
      ),
    );
    expect(() => trainerOf(student, { features: [["used#2", "logits"]] }).trainStep(batch)).toThrow(
      new DistilgradError(
        "model",
        'trainer: the student\'s layer "used#2" was not called in the forward pass',
      ),
    );
    expect(hashOf(student)).toBe(before);
  });
});
