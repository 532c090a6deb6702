import { describe, expect, it } from "vitest";
import { Batches } from "../../../src/data/batches.ts";
import {
  fit,
  KnowledgeDistillationTrainer,
  MeanTeacher,
  type MeanTeacherOptions,
  type MeanTeacherState,
} from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { BatchNorm1d, Linear, type Module, Sequential } from "../../../src/nn/index.ts";
import { SGD } from "../../../src/optim/index.ts";
import { RandomStream } from "../../../src/random.ts";
import { hashOf, network, rowsOf } from "../models.ts";

const normed = (seed: number): Sequential => {
  const random = new RandomStream(seed, "init");
  return new Sequential({
    hidden: new Linear(5, 4, { random }),
    norm: new BatchNorm1d(4),
    logits: new Linear(4, 3, { random }),
  });
};

const trainerOf = (student: Module, teacher: Module): KnowledgeDistillationTrainer =>
  new KnowledgeDistillationTrainer({
    student,
    teacher,
    optimizer: new SGD(student.parameters(), { learningRate: 0.5 }),
  });

describe("a mean teacher", () => {
  it.each([float32, float64])("has θ_t ← a θ_t + (1 − a) θ_s after each step, in $name", (kernels) => {
    const decay = 0.75;
    const [student, teacher] = [network(4, 1, kernels), network(4, 2, kernels)];
    const mean = new MeanTeacher({ student, teacher, decay });
    expect(hashOf(teacher)).toBe(hashOf(student));
    const batches = new Batches(rowsOf(24, 1, kernels), { size: 8, random: new RandomStream(1) });
    const rounded = kernels === float32 ? Math.fround : (value: number): number => value;
    const averages = [...student.parameters().values()].map(({ data }) => Float64Array.from(data));
    for (const { step } of fit(trainerOf(student, teacher), batches, { steps: 8 })) {
      mean.update();
      const a = Math.min(1 - 1 / (step + 1), decay);
      const weights = [...student.parameters().values()].map(({ data }) => data);
      for (const [w, average] of averages.entries()) {
        for (let i = 0; i < average.length; i++) average[i] = a * average[i] + (1 - a) * weights[w][i];
      }
      const own = [...teacher.parameters().values()].map(({ data }) => [...data]);
      expect(own).toEqual(averages.map((average) => [...average].map(rounded)));
      if (step > 0) expect(hashOf(teacher)).not.toBe(hashOf(student));
    }
  });

  it("has the decay 0.999, before which it is the plain mean of the student's weights so far", () => {
    const [student, teacher] = [new Linear(1, 1, { bias: false }), new Linear(1, 1, { bias: false })];
    const mean = new MeanTeacher({ student, teacher });
    for (const [n, weight] of [4, 8, 0, 16].entries()) {
      student.weight.update((data) => data.fill(weight));
      mean.update();
      expect(teacher.weight.data[0]).toBeCloseTo([4, 6, 4, 7][n], 6);
    }
    const late = mean.state();
    mean.restore({ ...late, average: { ...late.average, updates: 1_000_000 } });
    student.weight.update((data) => data.fill(1007));
    mean.update();
    expect(teacher.weight.data[0]).toBeCloseTo(8, 5);
  });

  it("takes over running statistics as the student has them", () => {
    const [student, teacher] = [normed(1), normed(2)];
    const mean = new MeanTeacher({ student, teacher });
    trainerOf(student, teacher).trainStep(rowsOf(8, 1));
    expect(
      teacher
        .buffers()
        .get("norm.runningMean")!
        .data.every((value) => value === 0),
    ).toBe(true);
    mean.update();
    for (const [name, { data }] of student.buffers()) {
      expect(teacher.buffers().get(name)!.data).toEqual(data);
    }
    expect(
      student
        .buffers()
        .get("norm.runningMean")!
        .data.some((value) => value !== 0),
    ).toBe(true);
  });

  it("continues from its state as if it had never stopped", () => {
    const run = (interrupted: boolean): string => {
      let [student, teacher] = [normed(1), normed(2)];
      let mean = new MeanTeacher({ student, teacher, decay: 0.8 });
      let trainer = trainerOf(student, teacher);
      for (let step = 0; step < 6; step++) {
        trainer.trainStep(rowsOf(8, step));
        mean.update();
        if (!interrupted || step !== 2) continue;
        const saved = [mean.state(), trainer.state()] as const;
        mean.update();
        [student, teacher] = [normed(3), normed(4)];
        mean = new MeanTeacher({ student, teacher, decay: 0.8 });
        trainer = trainerOf(student, teacher);
        mean.restore(saved[0]);
        trainer.restore(saved[1]);
      }
      return hashOf(teacher) + hashOf(student);
    };
    expect(run(true)).toBe(run(false));
  });

  it("restores nothing from a state that does not fit, neither the average nor the teacher", () => {
    const [student, teacher] = [network(4, 1), network(4, 2)];
    const mean = new MeanTeacher({ student, teacher });
    mean.update();
    const before = [hashOf(teacher), mean.state()];
    const { average } = mean.state();
    const other = new MeanTeacher({ student: network(5, 1), teacher: network(5, 2) }).state();
    const wrong: [unknown, string][] = [
      [
        { average: { ...average, updates: 7 }, weights: other.weights },
        'loadStateDict: the state does not fit this model: "hidden.weight" is [5, 5] instead of [4, 5]; "hidden.bias" is [5] instead of [4]; "logits.weight" is [3, 5] instead of [3, 4]; nothing was loaded',
      ],
      [
        { average: { ...average, updates: -1 }, weights: teacher.stateDict() },
        "restore: the state does not fit this average: it has taken -1 updates; nothing was restored",
      ],
      [3, "restore: expected { average, weights }, got 3"],
    ];
    for (const [state, message] of wrong) {
      expect(() => mean.restore(state as MeanTeacherState)).toThrow(message);
      expect([hashOf(teacher), mean.state()]).toEqual(before);
    }
  });

  it("gives states away as copies", () => {
    const [student, teacher] = [network(4, 1), network(4, 2)];
    const mean = new MeanTeacher({ student, teacher });
    const { weights } = mean.state();
    weights.get("hidden.bias")!.update((data) => data.fill(9));
    expect(teacher.parameters().get("hidden.bias")!.data).not.toContain(9);
  });
});

describe("a mean teacher refuses", () => {
  const student = network(4, 1);
  const around = new Sequential({ body: student });

  it.each<[string, object, string, string]>([
    ["no options", 3 as unknown as object, "value", "expected { student, teacher, decay }, got 3"],
    [
      "a misspelt option",
      { student, teacher: network(4, 2), rate: 1 },
      "value",
      'unknown option "rate"; possible are student, teacher, decay',
    ],
    ["no student", { teacher: student }, "value", "expected student, a Module, got undefined"],
    [
      "a teacher that is no module",
      { student, teacher: () => student },
      "value",
      "expected teacher, a Module, got the function teacher",
    ],
    [
      "the student itself",
      { student, teacher: student },
      "model",
      "teacher and student are the same model; make a second one",
    ],
    [
      "a teacher that shares tensors with it",
      { student, teacher: around },
      "model",
      'the student\'s "hidden.weight" is the teacher\'s "body.hidden.weight"; they must not share tensors',
    ],
  ])("%s", (_, options, code, message) => {
    expect(() => new MeanTeacher(options as MeanTeacherOptions)).toThrow(
      new DistilgradError(code as "value", `MeanTeacher: ${message}`),
    );
  });

  it("a decay of 1, and a teacher of another shape, which then keeps its weights", () => {
    const teacher = network(5, 2);
    const before = hashOf(teacher);
    expect(() => new MeanTeacher({ student, teacher: network(4, 2), decay: 1 })).toThrow(
      "ExponentialMovingAverage: decay must be in [0, 1), got 1",
    );
    expect(() => new MeanTeacher({ student, teacher })).toThrow(
      'loadStateDict: the state does not fit this model: "hidden.weight" is [4, 5] instead of [5, 5]',
    );
    expect(hashOf(teacher)).toBe(before);
  });
});
