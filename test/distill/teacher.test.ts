import { describe, expect, it } from "vitest";
import { KnowledgeDistillationTrainer, predictLogits, type Teacher } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { randn, tensor, zeros } from "../../src/factories.ts";
import { Linear, Module, Parameter, parametersOf, Sequential } from "../../src/nn/index.ts";
import { add } from "../../src/ops/add.ts";
import { Adam, SGD } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { classes, droppingNetwork, hashOf, network, rowsOf } from "./models.ts";

const batch = rowsOf(8, 1);
const sgd = (model: Module): SGD => new SGD(model.parameters(), { learningRate: 0.1 });

/** Counts its calls in training mode, as a batch normalisation moves its statistics. */
class Counting extends Module {
  readonly inner: Module;
  readonly calls = zeros([1]);
  readonly modes: boolean[] = [];
  /** Writes in evaluation mode too: a fault. */
  readonly always: boolean;
  constructor(inner: Module, always = false) {
    super();
    this.inner = inner;
    this.always = always;
  }
  forward(x: Tensor): Tensor {
    this.modes.push(this.training);
    if (this.training || this.always) {
      this.calls.update((data) => {
        data[0]++;
      });
    }
    return this.inner.forward(x);
  }
}

const trained = (teacher: Teacher, steps = 3): Module => {
  const student = network(4, 1);
  const trainer = new KnowledgeDistillationTrainer({ student, teacher, optimizer: sgd(student) });
  for (let i = 0; i < steps; i++) trainer.trainStep(batch);
  return student;
};

describe("a teacher", () => {
  it("keeps its weights, buffers, modes and random stream through training, by hash", () => {
    const stream = new RandomStream(1, "dropout");
    const teacher = new Counting(droppingNetwork(16, 100, stream));
    teacher.inner.eval();
    teacher.inner.children().get("dropout")!.train();
    const modes = (): boolean[] => [teacher, ...teacher.modules().values()].map(({ training }) => training);
    const before = { hash: hashOf(teacher), modes: modes(), random: stream.state() };
    trained(teacher, 20);
    expect({ hash: hashOf(teacher), modes: modes(), random: stream.state() }).toEqual(before);
    expect(new Set(before.modes).size).toBe(2);
  });

  it("is asked in evaluation mode at each step, though it was left in training mode", () => {
    const teacher = new Counting(network(16, 100));
    trained(teacher);
    expect(teacher.modes).toEqual([false, false, false]);
    expect(teacher.training).toBe(true);
  });

  it("answers without dropout: the same student comes out whichever mode it was left in", () => {
    const make = (): Module => droppingNetwork(16, 100, new RandomStream(1, "dropout"));
    expect(hashOf(trained(make().train()))).toBe(hashOf(trained(make().eval())));
  });

  it("collects no gradient, not even on a tensor of its own that it answers with", () => {
    const plain = network(16, 100);
    trained(plain);
    for (const parameter of plain.parameters().values()) expect(parameter.grad).toBeNull();
    class Table extends Module {
      readonly logits = new Parameter(randn([8, classes], { random: new RandomStream(1) }));
      forward(): Tensor {
        return this.logits;
      }
    }
    const table = new Table();
    trained(table);
    expect(table.logits.grad).toBeNull();
    const stored = new Parameter(randn([8, classes], { random: new RandomStream(1) }));
    trained(() => stored);
    expect(stored.grad).toBeNull();
  });

  it("runs without a graph: nothing that it computes on the way needs a gradient", () => {
    const seen: boolean[] = [];
    class Watched extends Module {
      readonly body = network(16, 100);
      forward(x: Tensor): Tensor {
        const y = this.body.forward(x);
        seen.push(y.requiresGrad);
        return y;
      }
    }
    const teacher = new Watched();
    trained(teacher, 1);
    trained((x) => teacher.forward(x), 1);
    trained({ forward: (x) => teacher.forward(x) }, 1);
    expect(seen).toEqual([false, false, false]);
  });

  it("that writes to itself in evaluation mode is refused by the name of what it wrote", () => {
    expect(() => trained(new Counting(network(16, 100), true))).toThrow(
      new DistilgradError(
        "changed",
        'teacher: "calls" was written to by the forward pass in evaluation mode; a teacher must stay as it is',
      ),
    );
  });

  it("gets its modes back and leaves the student as it was when its forward pass throws", () => {
    class Faulty extends Module {
      forward(): Tensor {
        throw new RangeError("teacher");
      }
    }
    const [teacher, student] = [new Faulty(), network(4, 1)];
    const trainer = new KnowledgeDistillationTrainer({ student, teacher, optimizer: sgd(student) });
    const before = hashOf(student);
    expect(() => trainer.trainStep(batch)).toThrow(new RangeError("teacher"));
    expect(teacher.training).toBe(true);
    expect([hashOf(student), trainer.steps]).toEqual([before, 0]);
  });

  it("is a module, an object with a forward, or a function: all teach the same, bit for bit", () => {
    const module = network(16, 100);
    const expected = hashOf(trained(module));
    expect(hashOf(trained((x) => module.forward(x)))).toBe(expected);
    expect(hashOf(trained({ forward: (x) => module.forward(x) }))).toBe(expected);
    for (const parameter of module.parameters().values()) expect(parameter.grad).toBeNull();
    expect(predictLogits((x) => module.forward(x), batch.x).requiresGrad).toBe(false);
  });
});

describe("a trainer refuses a teacher", () => {
  const make = (teacher: Teacher, student: Module, optimizer = sgd(student)): KnowledgeDistillationTrainer =>
    new KnowledgeDistillationTrainer({ teacher, student, optimizer });

  it("that is the student", () => {
    const student = network(4, 1);
    expect(() => make(student, student)).toThrow(
      new DistilgradError("model", "trainer: teacher and student are the same model; make a second one"),
    );
  });

  it("whose parameters are in the optimizer", () => {
    const [teacher, student] = [network(4, 1), network(4, 2)];
    const optimizer = new Adam(parametersOf({ student, teacher }));
    expect(() => new KnowledgeDistillationTrainer({ teacher, student, optimizer })).toThrow(
      new DistilgradError(
        "model",
        'trainer: the optimizer\'s "teacher.hidden.weight" is the teacher\'s "hidden.weight"; give the optimizer only what the student trains',
      ),
    );
  });

  it("that shares a layer with the student, or contains it", () => {
    const shared = new Linear(5, 4, { random: new RandomStream(1) });
    const other = (): Linear => new Linear(4, 3, { random: new RandomStream(2) });
    const student = new Sequential({ hidden: shared, logits: other() });
    // Frozen and out of the optimizer, so that only the sharing is wrong.
    for (const parameter of shared.parameters().values()) parameter.requiresGrad = false;
    const own = new Map([...student.parameters()].filter(([, { requiresGrad }]) => requiresGrad));
    const optimizer = new SGD(own, { learningRate: 0.1 });
    expect(() => make(new Sequential({ body: shared, head: other() }), student, optimizer)).toThrow(
      new DistilgradError(
        "model",
        'trainer: the student\'s "hidden.weight" is the teacher\'s "body.weight"; they must not share tensors',
      ),
    );
  });

  it("whose weights the student holds as a view", () => {
    class View extends Module {
      readonly table: Tensor;
      readonly own = new Parameter(tensor([0, 0, 0]));
      constructor(table: Tensor) {
        super();
        this.table = table.detach();
      }
      forward(): Tensor {
        return add(this.table, this.own);
      }
    }
    const teacher = new Linear(5, 3, { random: new RandomStream(1) });
    expect(() => make(teacher, new View(teacher.weight))).toThrow(
      new DistilgradError(
        "model",
        'trainer: the student\'s "table" is the teacher\'s "weight"; they must not share tensors',
      ),
    );
  });

  it.each<[unknown, string]>([
    [null, "null"],
    [undefined, "undefined"],
    [3, "3"],
    [{ predict: () => 1 }, "an object"],
    [Linear, "the class Linear"],
  ])("that maps nothing to logits: %j", (teacher, got) => {
    expect(() => make(teacher as unknown as Teacher, network(4, 1))).toThrow(
      new DistilgradError(
        "model",
        `trainer: teacher must be a module, an object with a forward method, or a function from x to logits, got ${got}`,
      ),
    );
  });

  it("whose classes are not the student's, before anything is moved", () => {
    const student = network(4, 1);
    const before = hashOf(student);
    const trainer = make(new Linear(5, 4, { random: new RandomStream(1) }), student);
    expect(() => trainer.trainStep(batch)).toThrow(
      new DistilgradError(
        "shape",
        "distillationLoss: student logits are [8, 3] and teacher logits [8, 4]; both need the same rows and the same classes in the same order",
      ),
    );
    expect(hashOf(student)).toBe(before);
  });
});
