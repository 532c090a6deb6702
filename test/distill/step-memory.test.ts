/** What is computed inside a training step is gone with it, on every kernel set, and nothing else is. */
import { describe, expect, it } from "vitest";
import { KnowledgeDistillationTrainer, predictLogits, SupervisedTrainer } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { withinStep } from "../../src/graph.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { plainFloat32 } from "../../src/kernels/plain-float32.ts";
import { Linear, Module, ReLU, Sequential } from "../../src/nn/index.ts";
import { relu, scale } from "../../src/ops/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const sets: [string, Kernels][] = [
  ["float32", float32],
  ["plain float32", plainFloat32],
  ["float64", float64],
];
const over = (shape: string): DistilgradError =>
  new DistilgradError(
    "graph",
    `data: a tensor ${shape} was computed inside a training step that is over, and its memory is used again; copy it inside the step, with tensor(x.data, { shape: x.shape }), or compute it outside`,
  );

describe.each(sets)("a step in the %s set", (_, kernels) => {
  const x = tensor([[1, -2]], { kernels });

  it("ends what ops computed in it, and what shares its values", () => {
    const kept = withinStep(kernels, () => {
      const y = relu(x);
      expect(y.toArray()).toEqual([[1, 0]]);
      return [y, y.detach()];
    });
    for (const y of kept) {
      expect(() => y.data).toThrow(over("[1, 2]"));
      expect(() => relu(y)).toThrow(over("[1, 2]"));
    }
  });

  it("leaves copies, and what factories made", () => {
    const [copy, made] = withinStep(kernels, () => {
      const y = relu(x);
      return [tensor(y.data, { shape: y.shape, kernels }), tensor([5], { kernels })];
    });
    withinStep(kernels, () => scale(scale(x, 3), 5));
    expect([copy.toArray(), made.toArray()]).toEqual([[[1, 0]], [5]]);
  });

  it("may stand within another, which goes on", () => {
    const later = withinStep(kernels, () => {
      const outer = scale(x, 2);
      const inner = withinStep(kernels, () => scale(x, 3));
      expect(() => inner.data).toThrow(over("[1, 2]"));
      const later = scale(x, 7);
      expect(outer.toArray()).toEqual([[2, -4]]);
      return later;
    });
    expect(() => later.data).toThrow(over("[1, 2]"));
  });

  it("ends also when it throws", () => {
    let kept: Tensor | undefined;
    expect(() =>
      withinStep(kernels, () => {
        kept = relu(x);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(() => kept!.data).toThrow(over("[1, 2]"));
    expect(relu(x).toArray()).toEqual([[1, 0]]);
  });
});

describe("a trainer", () => {
  const random = (): RandomStream => new RandomStream(1, "step");
  const rows = 40;
  const draw = random();
  const batches = [0, 1, 2].map(() => ({
    x: tensor(
      Float32Array.from({ length: rows * 8 }, () => draw.normal()),
      { shape: [rows, 8] },
    ),
    labels: Int32Array.from({ length: rows }, () => draw.below(3)),
  }));
  const network = (stream: RandomStream): Sequential =>
    new Sequential({
      a: new Linear(8, 16, { random: stream }),
      r: new ReLU(),
      b: new Linear(16, 3, { random: stream }),
    });

  it("has weights and gradients whose arrays stay the same from step to step, and can be read at any time", () => {
    const model = network(random());
    const trainer = new SupervisedTrainer({ model, optimizer: new Adam(model.parameters()) });
    trainer.trainStep(batches[0]);
    const weights = [...model.parameters().values()];
    const before = weights.map((w) => [w.data, w.grad!.data]);
    const values = before.map(([w]) => w.slice());
    trainer.trainStep(batches[1]);
    expect(weights.map((w) => [w.data, w.grad!.data])).toEqual(before);
    for (const [i, w] of weights.entries()) {
      expect(w.data).toBe(before[i][0]);
      expect(w.data).not.toEqual(values[i]);
    }
  });

  it("refuses a layer's activation that was kept in a field, once its step is over", () => {
    class Keeping extends Module {
      readonly layer = new Linear(8, 3, { random: random() });
      last: Tensor | null = null;
      forward(x: Tensor): Tensor {
        this.last = this.layer.forward(x);
        return this.last;
      }
    }
    const model = new Keeping();
    new SupervisedTrainer({ model, optimizer: new Adam(model.parameters()) }).trainStep(batches[0]);
    expect(() => model.last!.data).toThrow(over("[40, 3]"));
    model.forward(batches[0].x);
    expect(model.last!.data.length).toBe(120);
  });

  it("lets a teacher that is a function keep its answers for later steps", () => {
    const teacher = network(random());
    const table = new Map<Tensor, Tensor>();
    const ask = (x: Tensor): Tensor => {
      if (!table.has(x)) table.set(x, teacher.forward(x));
      return table.get(x)!;
    };
    const lossesWith = (answer: Module | ((x: Tensor) => Tensor)): number[] => {
      const student = network(new RandomStream(2));
      const trainer = new KnowledgeDistillationTrainer({
        teacher: answer,
        student,
        optimizer: new Adam(student.parameters()),
      });
      return [0, 1, 2, 0, 1, 2].map((i) => trainer.trainStep(batches[i]).total);
    };
    expect(lossesWith(ask)).toEqual(lossesWith(teacher));
    expect(table.size).toBe(3);
  });

  it("predicts in parts that do not meet in memory", () => {
    const model = network(random());
    const whole = predictLogits(model, batches[0].x);
    const parts = predictLogits(model, batches[0].x, { batchSize: 7 });
    expect(parts.data).toEqual(whole.data);
    expect(model.forward(batches[0].x).data).toEqual(whole.data);
  });

  it("trains to the same bits on the plain set", () => {
    const train = (kernels: Kernels): Float32Array[] => {
      const stream = random();
      const layer = (inputs: number, outputs: number): Linear =>
        new Linear(inputs, outputs, { random: stream, kernels });
      const model = new Sequential({ a: layer(8, 50), r: new ReLU(), b: layer(50, 3) });
      const trainer = new SupervisedTrainer({ model, optimizer: new Adam(model.parameters()) });
      for (let i = 0; i < 9; i++) {
        const { x, labels } = batches[i % 3];
        trainer.trainStep({ x: tensor(x.data, { shape: x.shape, kernels }), labels });
      }
      return [...model.parameters().values()].map((w) => Float32Array.from(w.data));
    };
    expect(train(float32)).toEqual(train(plainFloat32));
  });
});
