import { describe, expect, it } from "vitest";
import { gradcheckModule, gradcheckTrainer } from "../../src/check/index.ts";
import {
  FeatureDistillationTrainer,
  KnowledgeDistillationTrainer,
  SupervisedTrainer,
  Trainer,
} from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { randn } from "../../src/factories.ts";
import {
  BatchNorm1d,
  Dropout,
  Linear,
  type Module,
  parametersOf,
  ReLU,
  Sequential,
} from "../../src/nn/index.ts";
import { sum } from "../../src/ops/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { elementwise } from "./support/elementwise.ts";
import { thrownBy } from "./support/thrown.ts";

const random = new RandomStream(1, "trainers");
const network = (width: number): Sequential =>
  new Sequential({
    hidden: new Linear(4, width, { random }),
    norm: new BatchNorm1d(width),
    relu: new ReLU(),
    drop: new Dropout(0.2, { random }),
    logits: new Linear(width, 3, { random }),
  });
const batch = { x: randn([6, 4], { random }), labels: Int32Array.of(0, 1, 2, -1, 0, 1) };
const learned = (model: Module): number =>
  [...model.parameters().values()].reduce((count, { size }) => count + size, 0);

describe("gradcheckTrainer", () => {
  it("checks the loss from labels, of the student and of its teacher's answers", () => {
    const [teacher, student] = [network(8), network(5)];
    const optimizer = new Adam(student.parameters());
    expect(gradcheckTrainer(new SupervisedTrainer({ model: student, optimizer }), batch)).toMatchObject({
      name: "SupervisedTrainer",
      compared: "entries",
      count: learned(student),
    });
    for (const options of [{}, { alpha: 0 }, { alpha: 1 }, { temperature: 1 }]) {
      const trainer = new KnowledgeDistillationTrainer({ teacher, student, optimizer, ...options });
      const report = gradcheckTrainer(trainer, batch);
      expect(report).toMatchObject({ name: "KnowledgeDistillationTrainer", count: learned(student) });
      expect(report.at).toMatch(/^parameter "model\.[\w.]+" at /);
    }
  });

  it("checks projections with the student", () => {
    const [teacher, student, projection] = [network(8), network(5), new Linear(5, 8, { random })];
    const optimizer = new Adam(parametersOf({ student, projection }));
    const trainer = new FeatureDistillationTrainer({
      teacher,
      student,
      optimizer,
      features: [["hidden", "hidden", projection]],
    });
    expect(gradcheckTrainer(trainer, batch).count).toBe(learned(student) + learned(projection));
  });

  it("asks a teacher that is no module once, as it is, and takes stored answers", () => {
    const [answers, student] = [network(8).eval(), network(5)];
    let asked = 0;
    const teacher = (x: Tensor): Tensor => {
      asked++;
      return answers.forward(x);
    };
    const trainer = new KnowledgeDistillationTrainer({
      teacher,
      student,
      optimizer: new Adam(student.parameters()),
    });
    gradcheckTrainer(trainer, batch);
    expect(asked).toBe(1);
    gradcheckTrainer(trainer, { ...batch, teacherLogits: answers.forward(batch.x).detach() });
    expect(asked).toBe(1);
  });

  it("leaves models, modes, streams, optimizer and batch as they were", () => {
    const [teacher, student] = [network(8).eval(), network(5).eval()];
    const optimizer = new Adam(student.parameters());
    const trainer = new KnowledgeDistillationTrainer({ teacher, student, optimizer });
    trainer.trainStep(batch);
    student.eval();
    const look = () => ({
      trainer: trainer.state(),
      teacher: teacher.stateDict(),
      modes: [student, teacher].map((model) => [...model.modules().values()].map(({ training }) => training)),
      own: [...student.stateTensors().values()],
      gradients: [...student.parameters().values()].map(({ grad }) => grad?.toArray()),
      keys: Object.keys(batch),
    });
    const before = look();
    gradcheckTrainer(trainer, batch);
    const after = look();
    expect(after).toEqual(before);
    for (const [i, value] of after.own.entries()) expect(value).toBe(before.own[i]);
  });

  it("computes in training mode, whatever mode the model is in", () => {
    const modes = new Set<boolean>();
    class Own extends Trainer {
      protected override losses({ x }: { readonly x: Tensor }): { readonly total: Tensor } {
        modes.add(this.model.training);
        return { total: sum(this.model.forward(x)) };
      }
    }
    const model = new Linear(4, 2, { random }).eval();
    gradcheckTrainer(new Own(model, { optimizer: new Adam(model.parameters()) }), { x: batch.x });
    expect([...modes]).toEqual([true]);
    expect(model.training).toBe(false);
  });

  it("finds a wrong derivative in a trainer of one's own, and names the parameter", () => {
    const halved = elementwise(
      "halved",
      (x) => x * x,
      (x, dy) => x * dy,
    );
    class Own extends Trainer {
      protected override losses({ x }: { readonly x: Tensor }): { readonly total: Tensor } {
        return { total: sum(halved(this.model.forward(x))) };
      }
    }
    const model = new Linear(4, 2, { random });
    const trainer = new Own(model, { optimizer: new Adam(model.parameters()) });
    expect(thrownBy(() => gradcheckTrainer(trainer, { x: batch.x }))).toMatchObject({
      law: "differences",
      message: expect.stringMatching(/^gradcheck: Own, parameter "model\.(weight|bias)" at \[/),
      hint: expect.stringContaining("backward is 1/2 of the difference at every entry"),
    });
  });

  it("says the same of a student as gradcheckModule of the same loss", () => {
    const [teacher, student] = [network(8).eval(), network(5)];
    const trainer = new KnowledgeDistillationTrainer({
      teacher,
      student,
      optimizer: new Adam(student.parameters()),
    });
    const answers = teacher.forward(batch.x).detach();
    const forward = (x: Tensor, t: Tensor): Tensor =>
      trainer.distillationLoss(student.forward(x), t, batch.labels).total;
    expect(gradcheckModule(student, [batch.x, answers], { forward })).toMatchObject({
      compared: "entries",
      count: learned(student) + 6 * 4 + 6 * 3,
    });
  });

  it.each<[code: string, message: string, call: () => unknown]>([
    [
      "value",
      "gradcheckTrainer: expected a trainer, got a ReLU",
      () => gradcheckTrainer(new ReLU() as never, batch),
    ],
    [
      "data",
      "gradcheckTrainer: expected a dataset { x, labels }, got an array",
      () => {
        const model = new Linear(4, 3, { random });
        const trainer = new SupervisedTrainer({ model, optimizer: new Adam(model.parameters()) });
        return gradcheckTrainer(trainer, [] as never);
      },
    ],
    [
      "value",
      'gradcheckTrainer: unknown option "forward"; possible are seed, step, fullUpTo, name, jitter',
      () => gradcheckTrainer({} as never, batch, { forward: 1 } as never),
    ],
  ])("says with the code %s: %s", (code, message, call) => {
    expect(call).toThrow(new DistilgradError(code as "value", message));
  });
});
