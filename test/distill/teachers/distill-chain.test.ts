import { describe, expect, it } from "vitest";
import {
  distillChain,
  Ensemble,
  KnowledgeDistillationTrainer,
  type Teacher,
} from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { BatchNorm1d, Linear, type Module, Sequential } from "../../../src/nn/index.ts";
import { SGD } from "../../../src/optim/index.ts";
import { RandomStream } from "../../../src/random.ts";
import { hashOf, network, rowsOf } from "../models.ts";

const batch = rowsOf(8, 1);

function teach(teacher: Teacher, student: Module, generation = 0): void {
  const optimizer = new SGD(student.parameters(), { learningRate: 0.1 });
  const trainer = new KnowledgeDistillationTrainer({ teacher, student, optimizer });
  for (let step = 0; step < 2 + generation; step++) trainer.trainStep(batch);
}

describe("distillChain", () => {
  it("is the loop: each student is taught by the one before", () => {
    const widths = [16, 8, 4];
    const make = (): Module[] => widths.map((width, i) => network(width, i));
    const [teacher, assistant, student] = make();
    const seen: unknown[] = [];
    const models = distillChain(teacher, [assistant, student], (from, to, generation) => {
      seen.push([from, to, generation]);
      teach(from, to, generation);
    });
    expect(models).toEqual([teacher, assistant, student]);
    expect(seen).toEqual([
      [teacher, assistant, 1],
      [assistant, student, 2],
    ]);
    const expected = make();
    for (let i = 1; i < expected.length; i++) teach(expected[i - 1], expected[i], i);
    expect(models.map((model) => hashOf(model as Module))).toEqual(expected.map(hashOf));
  });

  it("gives every generation back, so that they make an ensemble", () => {
    const students = [1, 2, 3].map((seed) => network(6, seed));
    const [first, ...generations] = distillChain(() => network(6, 9).forward(batch.x), students, teach);
    expect(typeof first).toBe("function");
    expect(new Ensemble(generations).forward(batch.x).shape).toEqual([8, 3]);
    expect(new Set(students.map(hashOf)).size).toBe(3);
  });

  it("refuses students that share tensors with one another or with the teacher, before any is trained", () => {
    const [teacher, a] = [network(4, 1), network(4, 2)];
    const around = new Sequential({ body: a });
    let taught = 0;
    const counted = (): void => {
      taught++;
    };
    const message = (student: number, own: string, other: number, theirs: string): DistilgradError =>
      new DistilgradError(
        "model",
        `distillChain: generation ${student}'s "${own}" is generation ${other}'s "${theirs}"; models must not share tensors`,
      );
    expect(() => distillChain(teacher, [network(4, 3), a, around], counted)).toThrow(
      message(3, "body.hidden.weight", 2, "hidden.weight"),
    );
    expect(() => distillChain(teacher, [a, teacher], counted)).toThrow(
      message(2, "hidden.weight", 0, "hidden.weight"),
    );
    expect(() => distillChain(teacher, [a, a], counted)).toThrow(
      message(2, "hidden.weight", 1, "hidden.weight"),
    );
    expect(() => distillChain(new Ensemble([teacher, a]), [a], counted)).toThrow(
      message(1, "hidden.weight", 0, "members.1.hidden.weight"),
    );
    expect(taught).toBe(0);
  });

  it("refuses a loop that trains the teacher, or a generation that is done, by the name of what was written to", () => {
    const [teacher, a, b] = [network(4, 1), network(4, 2), network(4, 3)];
    expect(() => distillChain(teacher, [a], (from, to) => teach(to, from as Module))).toThrow(
      new DistilgradError(
        "changed",
        'distillChain: "hidden.weight" of generation 0 was written to while generation 1 learned; train only the student that teach is given',
      ),
    );
    const late = (from: Teacher, to: Module, generation: number): void => {
      teach(from, to);
      if (generation === 2) teach(to, teacher);
    };
    expect(() => distillChain(teacher, [a, b], late)).toThrow(
      '"hidden.weight" of generation 0 was written to while generation 2 learned',
    );
  });

  it("refuses running statistics of a teacher that move, as when it is asked in training mode", () => {
    const random = new RandomStream(1);
    const teacher = new Sequential({
      norm: new BatchNorm1d(5),
      logits: new Linear(5, 3, { random }),
    });
    expect(() => distillChain(teacher, [network(4, 1)], (from) => (from as Module).forward(batch.x))).toThrow(
      'distillChain: "norm.runningMean" of generation 0 was written to while generation 1 learned',
    );
  });

  const [a, b] = [network(4, 1), network(4, 2)];
  it.each<[string, () => unknown, string, string]>([
    [
      "no list",
      () => distillChain(a, b as unknown as Module[], teach),
      "model",
      "expected a list of at least one student, got a Sequential",
    ],
    [
      "no students",
      () => distillChain(a, [], teach),
      "model",
      "expected a list of at least one student, got none",
    ],
    [
      "a teacher that cannot be asked",
      () => distillChain(3 as unknown as Teacher, [b], teach),
      "model",
      "teacher must be a module, an object with a forward method, or a function from x to logits, got 3",
    ],
    [
      "a student that cannot learn",
      () => distillChain(a, [(() => b) as unknown as Module], teach),
      "value",
      "expected students that are Modules, got a function",
    ],
    [
      "nobody who teaches",
      () => distillChain(a, [b], undefined as unknown as typeof teach),
      "value",
      "expected a function that teaches, got undefined",
    ],
    [
      "teaching that is not over when it returns",
      () => distillChain(a, [b], async () => {}),
      "value",
      "expected a synchronous function, got one that returns a promise; write the loop yourself where each step awaits something",
    ],
  ])("refuses %s", (_, call, code, message) => {
    expect(call).toThrow(new DistilgradError(code as "value", `distillChain: ${message}`));
  });
});
