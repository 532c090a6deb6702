/** A student learns from a store what it would have learned from the teacher. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batches } from "../../../src/data/batches.ts";
import { type Dataset, takeRows } from "../../../src/data/dataset.ts";
import { ImageAugmentation } from "../../../src/data/image-augmentation.ts";
import {
  DistillationTrainer,
  Ensemble,
  KnowledgeDistillationTrainer,
  logitMatchingLoss,
  logitTerm,
  predictLogits,
  readSoftTargets,
  recordSoftTargets,
  type SoftTargetMode,
  type SoftTargets,
  type Teacher,
} from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { tensor, zeros } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { Linear } from "../../../src/nn/index.ts";
import { SGD } from "../../../src/optim/index.ts";
import { RandomStream } from "../../../src/random.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { droppingNetwork, hashOf, network } from "../models.ts";
import { augment, dataset, taught, teacher } from "./models.ts";

/** From the bytes, as another process has it. */
const reread = (targets: SoftTargets): SoftTargets => readSoftTargets(targets.bytes());

describe("a student of a float32 store has the bits of a student of the teacher", () => {
  const targets = reread(recordSoftTargets(teacher, dataset));

  it("with shuffled batches, the store as teacher or attached to the data", () => {
    const live = taught(teacher, dataset);
    expect(taught(targets, dataset)).toBe(live);
    // The teacher that stands there is not asked where logits come with the data.
    const absent = (): never => {
      throw new Error("asked");
    };
    expect(taught(absent, targets.attach(dataset))).toBe(live);
    expect(taught(network(16, 101), dataset)).not.toBe(live);
  });

  it("with batches in parts", () => {
    const live = taught(teacher, dataset, { microBatchSize: 2 });
    expect(taught(targets, dataset, { microBatchSize: 2 })).toBe(live);
    expect(taught(targets, targets.attach(dataset), { microBatchSize: 2 })).toBe(live);
    expect(taught(targets, dataset)).not.toBe(live);
  });

  it("with augmented batches, shuffled and in parts, for as many epochs as were recorded", () => {
    const shown = reread(recordSoftTargets(teacher, dataset, { augment, epochs: 3 }));
    expect(shown.size).toBe(3 * 23);
    const live = taught(teacher, dataset, { augment });
    expect(taught(shown, dataset, { augment })).toBe(live);
    expect(taught(shown, dataset, { augment, size: 23 })).toBe(
      taught(teacher, dataset, { augment, size: 23 }),
    );
    expect(taught(shown, dataset, { augment, microBatchSize: 3 })).toBe(
      taught(teacher, dataset, { augment, microBatchSize: 3 }),
    );
    expect(taught(targets, dataset)).not.toBe(live);
  });

  it("with balanced classes, where a row comes several times", () => {
    expect(taught(targets, dataset, { balanced: true })).toBe(taught(teacher, dataset, { balanced: true }));
  });

  it("in a trainer of terms", () => {
    const learned = (teacher: Teacher, data: Dataset): string => {
      const student = network(4, 1);
      const trainer = new DistillationTrainer({
        teacher,
        student,
        optimizer: new SGD(student.parameters(), { learningRate: 0.1 }),
        terms: { near: logitTerm(logitMatchingLoss, { weight: 1 }) },
      });
      for (let i = 0; i < 3; i++) trainer.trainStep(data);
      return hashOf(student);
    };
    const live = learned(teacher, dataset);
    expect(learned(targets, dataset)).toBe(live);
    expect(learned(network(16, 101), targets.attach(dataset))).toBe(live);
  });

  it("in whatever batches the teacher was asked", () => {
    for (const batchSize of [1, 5, 23]) {
      expect(recordSoftTargets(teacher, dataset, { batchSize }).bytes()).toEqual(targets.bytes());
    }
  });

  it("with a teacher that was left in training mode, which it gets back", () => {
    const random = new RandomStream(1, "dropout");
    const dropping = droppingNetwork(8, 5, random);
    const before = random.state();
    const kept = recordSoftTargets(dropping, dataset);
    expect(dropping.training).toBe(true);
    expect(random.state()).toEqual(before);
    expect(taught(kept, dataset)).toBe(taught(dropping, dataset));
  });
});

describe("answers line up by content", () => {
  const targets = recordSoftTargets(teacher, dataset);
  const logits = predictLogits(teacher, dataset.x);

  it("in any order, subset and repetition", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(22), { minLength: 1, maxLength: 40 }), (rows) => {
        const taken = takeRows({ ...dataset, teacherLogits: logits }, rows);
        const attached = targets.attach(takeRows(dataset, rows));
        expect(attached.teacherLogits.data).toEqual(taken.teacherLogits!.data);
        expect(attached.labels).toEqual(taken.labels);
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it("also where samples come twice in the data", () => {
    const twice = takeRows(dataset, [0, 1, 0, 2, 1]);
    const kept = recordSoftTargets(teacher, twice);
    expect(kept.size).toBe(3);
    expect(kept.forward(twice.x).data).toEqual(predictLogits(teacher, twice.x).data);
  });

  const refused = (what: string): DistilgradError =>
    new DistilgradError("data", `SoftTargets: expected samples that were recorded, got ${what}`);

  it("and rows that were never recorded are refused: how many, and the first of them", () => {
    const { data } = dataset.x;
    const changed = tensor(data, { shape: dataset.x.shape });
    changed.data[5 * 4] = -changed.data[5 * 4];
    changed.data[5 * 9 + 4] += 1;
    expect(() => targets.forward(changed)).toThrow(
      refused(
        "2 of 23 rows that were not, the first of them row 4; the store has rows 0 to 22 of 23 as they are",
      ),
    );
    expect(() => targets.attach({ x: changed })).toThrow("2 of 23 rows that were not");
  });

  it("and so are −0 for 0, and rows of another width", () => {
    const kept = recordSoftTargets(
      (x) => zeros([x.shape[0], 2]),
      { x: zeros([1, 3]) },
      { teacherName: "zero" },
    );
    expect(kept.forward(zeros([1, 3])).shape).toEqual([1, 2]);
    for (const x of [tensor([[0, -0, 0]]), zeros([1, 2]), zeros([1, 4])]) {
      expect(() => kept.forward(x)).toThrow(
        refused(
          "1 of 1 rows that were not, the first of them row 0; the store has rows 0 to 0 of 1 as they are",
        ),
      );
    }
  });

  it("and so are the rows of another shard", () => {
    const part = recordSoftTargets(teacher, dataset, { shard: { index: 1, count: 3 } });
    expect(() => part.forward(dataset.x)).toThrow(
      refused(
        "15 of 23 rows that were not, the first of them row 0; the store has rows 7 to 14 of 23 as they are",
      ),
    );
  });

  describe("under an augmentation", () => {
    const shown = recordSoftTargets(teacher, dataset, { augment, epochs: 2 });
    const settings = "shift 1, rotate 0, scale 0, noise 0.1, fill 0, seed 3";
    const store = `the store has rows 0 to 22 of 23 in epochs 0 to 1 with ${settings}`;

    it("epochs beyond those that were recorded are refused", () => {
      expect(() => taught(shown, dataset, { augment, epochs: 2 })).not.toThrow();
      expect(() => taught(shown, dataset, { augment, epochs: 3 })).toThrow(
        refused(`7 of 7 rows that were not, the first of them row 0; ${store}`),
      );
    });

    it("another seed, another order of the data, and data as they are, are refused", () => {
      const other = new ImageAugmentation({ shape: [1, 1, 5], shift: 1, noise: 0.1, seed: 4 });
      expect(() => taught(shown, dataset, { augment: other })).toThrow("7 of 7 rows that were not");
      const turned = takeRows(dataset, [...Array(23).keys()].reverse());
      expect(() => taught(shown, turned, { augment, size: 23 })).toThrow("22 of 23 rows");
      expect(() => shown.attach(dataset)).toThrow(
        refused(`23 of 23 rows that were not, the first of them row 0; ${store}`),
      );
    });

    it("a store of one epoch says so", () => {
      const one = recordSoftTargets(teacher, dataset, { augment, epochs: 1 });
      expect(() => one.forward(dataset.x)).toThrow(
        `the store has rows 0 to 22 of 23 in epoch 0 with ${settings}`,
      );
    });

    it("a shard has the looks that the whole has", () => {
      const part = recordSoftTargets(teacher, dataset, { augment, epochs: 2, shard: { index: 2, count: 3 } });
      const batches = new Batches(dataset, { size: 23, augment });
      for (let epoch = 0; epoch < 2; epoch++) {
        const { x } = takeRows(batches.next(), [15, 22]);
        expect(part.forward(x).data).toEqual(shown.forward(x).data);
      }
    });
  });
});

describe("attach and verify", () => {
  const targets = recordSoftTargets(teacher, dataset, { classNames: ["a", "b", "c"] });

  it("take the teacher whose answers they are, and the same classes", () => {
    const expected = { teacher: network(16, 100), classNames: ["a", "b", "c"] };
    expect(targets.verify(expected)).toBe(targets);
    expect(targets.attach(dataset, expected).x).toBe(dataset.x);
  });

  it("refuse another teacher, by the hash of its weights", () => {
    const [own, other] = [
      targets.description.teacher,
      recordSoftTargets(network(16, 101), dataset).description.teacher,
    ];
    expect(own).toMatch(/^sha256:[0-9a-f]{64}$/);
    const refusal = new DistilgradError(
      "model",
      `SoftTargets.verify: expected answers of the teacher ${other}, got those of ${own}`,
    );
    expect(() => targets.verify({ teacher: network(16, 101) })).toThrow(refusal);
    expect(() => targets.attach(dataset, { teacher: network(16, 101) })).toThrow(refusal);
  });

  it("tell teachers that are no modules by their names", () => {
    const kept = recordSoftTargets((x) => teacher.forward(x), dataset, { teacherName: "v1" });
    expect(kept.verify({ teacherName: "v1" })).toBe(kept);
    expect(kept.verify({ teacher: (x: Tensor) => x, teacherName: "v1" })).toBe(kept);
    expect(() => kept.verify({ teacherName: "v2" })).toThrow(
      new DistilgradError(
        "model",
        "SoftTargets.verify: expected answers of the teacher name:v2, got those of name:v1",
      ),
    );
  });

  it("refuse other classes, and classes in another order", () => {
    expect(() => targets.verify({ classNames: ["b", "a", "c"] })).toThrow(
      new DistilgradError(
        "data",
        'SoftTargets.verify: expected answers about the classes ["b","a","c"], got ["a","b","c"]',
      ),
    );
    expect(() => recordSoftTargets(teacher, dataset).verify({ classNames: ["a", "b", "c"] })).toThrow(
      new DistilgradError(
        "data",
        'SoftTargets.verify: expected answers about the classes ["a","b","c"], got 3 without names',
      ),
    );
  });

  it("refuse labels of classes that the teacher does not have", () => {
    const labels = dataset.labels.map((label, row) => (row === 6 ? 3 : label));
    expect(() => targets.attach({ ...dataset, labels })).toThrow(
      new DistilgradError("labels", "SoftTargets.attach: label 3 at row 6 is outside [0, 3)"),
    );
    expect(targets.attach({ ...dataset, labels: labels.fill(-1) }).labels).toEqual(labels.fill(-1));
  });

  it("refuse data that have teacherLogits already", () => {
    expect(() => targets.attach(targets.attach(dataset))).toThrow(
      new DistilgradError(
        "data",
        "SoftTargets.attach: the dataset has teacherLogits already; leave them out",
      ),
    );
  });

  it("refuse samples in float64, whose values are others", () => {
    expect(() => targets.forward(zeros([1, 5], { kernels: float64 }))).toThrow(
      new DistilgradError("kernels", "SoftTargets: expected x in float32, got float64"),
    );
  });
});

describe("answers that hold at one temperature", () => {
  const ensemble = new Ensemble([teacher, network(8, 7)], { temperature: 4 });
  const targets = reread(recordSoftTargets(ensemble, dataset));

  it("teach what the ensemble teaches, at that temperature", () => {
    expect(targets.temperature).toBe(4);
    const live = taught(ensemble, dataset);
    expect(taught(targets, dataset)).toBe(live);
    expect(taught(teacher, targets.attach(dataset, { temperature: 4 }))).toBe(live);
    expect(reread(recordSoftTargets(ensemble.at(2.5), dataset)).temperature).toBe(2.5);
  });

  it("are refused by a trainer with another one, and by a dataset that is not told", () => {
    const student = network(4, 1);
    const optimizer = new SGD(student.parameters(), { learningRate: 0.1 });
    expect(
      () => new KnowledgeDistillationTrainer({ teacher: targets, student, optimizer, temperature: 2 }),
    ).toThrow("trainer: the teacher's answers hold at temperature 4, expected 2");
    expect(() => targets.attach(dataset)).toThrow(
      new DistilgradError(
        "model",
        "SoftTargets.attach: the answers hold at temperature 4 only, which a dataset can't say; pass { temperature: 4 } if it is the trainer's",
      ),
    );
    expect(() => targets.attach(dataset, { temperature: 2 })).toThrow(
      new DistilgradError(
        "model",
        "SoftTargets.verify: expected answers that hold at temperature 2, got those that hold at 4 only",
      ),
    );
    const any = recordSoftTargets(teacher, dataset);
    expect([any.temperature, any.verify({ temperature: 2 })]).toEqual([null, any]);
  });
});

describe("a float16 store", () => {
  it("has each logit within 2⁻¹¹ of itself or 2⁻²⁵, and half the bytes", () => {
    const [whole, half] = (["float32", "float16"] as const).map((mode) =>
      reread(recordSoftTargets(teacher, dataset, { mode })),
    );
    const [exact, near] = [whole, half].map((targets) => targets.forward(dataset.x).data);
    for (let i = 0; i < exact.length; i++) {
      expect(Math.abs(near[i] - exact[i])).toBeLessThanOrEqual(
        Math.max(2 ** -11 * Math.abs(exact[i]), 2 ** -25),
      );
    }
    expect(near).not.toEqual(exact);
    expect(whole.bytes().length - half.bytes().length).toBe(
      2 * 3 * 23 - '"float16"'.length + '"float32"'.length,
    );
  });

  it("moves a student's step by no more than its logits' error allows", () => {
    const temperature = 2;
    const rate = 0.5;
    const step = (mode: SoftTargetMode): Linear => {
      const student = new Linear(5, 3, { random: new RandomStream(1) });
      const trainer = new KnowledgeDistillationTrainer({
        teacher: recordSoftTargets(teacher, dataset, { mode }),
        student,
        optimizer: new SGD(student.parameters(), { learningRate: rate }),
        temperature,
        alpha: 0,
      });
      trainer.trainStep({ x: dataset.x });
      return student;
    };
    const [exact, near] = [step("float32"), step("float16")];
    // ∂L/∂W = (T/B) Σ_b (p − q) xᵀ. Where every logit moves by at most ε, each q moves by at most q (e^(2ε/T) − 1).
    const { data: v } = predictLogits(teacher, dataset.x);
    const x = dataset.x.data;
    const bound = new Float64Array(15);
    for (let row = 0; row < 23; row++) {
      const logits = [...v.subarray(3 * row, 3 * row + 3)];
      const error = Math.max(...logits.map((logit) => Math.max(2 ** -11 * Math.abs(logit), 2 ** -25)));
      const powers = logits.map((logit) => Math.exp(logit / temperature));
      const sum = powers[0] + powers[1] + powers[2];
      for (let c = 0; c < 3; c++) {
        const moved = (powers[c] / sum) * Math.expm1((2 * error) / temperature);
        for (let i = 0; i < 5; i++) {
          bound[5 * c + i] += rate * (temperature / 23) * moved * Math.abs(x[5 * row + i]);
        }
      }
    }
    // Both steps round: 23 products and sums of values below 4, and the update, each by 2⁻²⁴ of at most 8.
    const rounding = 2 * 48 * 2 ** -24 * 8 * rate;
    let largest = 0;
    for (let i = 0; i < 15; i++) {
      const difference = Math.abs(exact.weight.data[i] - near.weight.data[i]);
      expect(difference).toBeLessThanOrEqual(bound[i] + rounding);
      largest = Math.max(largest, difference);
    }
    expect(largest).toBeGreaterThan(0);
  });
});
