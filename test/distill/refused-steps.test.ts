/** A step that is refused moves nothing: weights, running statistics, gradients, the count of steps. */
import { describe, expect, it } from "vitest";
import { SupervisedTrainer, type Trainer } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { randn, tensor } from "../../src/factories.ts";
import { BatchNorm1d, Linear, Module, Sequential } from "../../src/nn/index.ts";
import { sqrt } from "../../src/ops/sqrt.ts";
import { AdamW } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import { sha256OfFloats } from "../../src/sha256.ts";
import type { Tensor } from "../../src/tensor.ts";

const stateOf = (model: Module): string =>
  sha256OfFloats([...model.stateDict().values()].map(({ data }) => data));

function normalized(microBatchSize?: number): { model: Sequential; trainer: SupervisedTrainer } {
  const random = new RandomStream(1, "init");
  const model = new Sequential({
    hidden: new Linear(3, 4, { random }),
    norm: new BatchNorm1d(4),
    logits: new Linear(4, 2, { random }),
  });
  const optimizer = new AdamW(model.parameters());
  return {
    model,
    trainer: new SupervisedTrainer({
      model,
      optimizer,
      ...(microBatchSize !== undefined && { microBatchSize }),
    }),
  };
}

const rows = (count: number, bad: { value?: number; label?: number; row: number } | null = null) => {
  const x = randn([count, 3], { random: new RandomStream(2) });
  const labels = Int32Array.from({ length: count }, (_, row) => row % 2);
  if (bad?.value !== undefined) x.data[3 * bad.row] = bad.value;
  if (bad?.label !== undefined) labels[bad.row] = bad.label;
  return { x, labels };
};

function expectRefused(trainer: Trainer, model: Module, batch: ReturnType<typeof rows>, says: string): void {
  const before = { state: stateOf(model), steps: trainer.steps };
  expect(() => trainer.trainStep(batch)).toThrow(DistilgradError);
  expect(() => trainer.trainStep(batch)).toThrow(says);
  expect(stateOf(model)).toBe(before.state);
  expect(trainer.steps).toBe(before.steps);
  for (const [name, { grad }] of trainer.optimizer.parameters) expect(grad, name).toBeNull();
}

describe("a refused step moves nothing", () => {
  it.each([
    ["NaN in the data", undefined, { value: Number.NaN, row: 1 }, "row 1 of the batch's x"],
    ["NaN in a later part", 4, { value: Number.NaN, row: 6 }, "row 6 of the batch's x"],
    ["a label out of range", undefined, { label: 5, row: 3 }, "label 5 at row 3 is outside [0, 2)"],
    ["a label of a later part", 4, { label: 5, row: 7 }, "trainStep: label 5 at row 7 is outside [0, 2)"],
  ])("%s", (_, microBatchSize, bad, says) => {
    const { model, trainer } = normalized(microBatchSize);
    trainer.trainStep(rows(8));
    expectRefused(trainer, model, rows(8, bad), says);
    // And training goes on as if it had not been there.
    const twin = normalized(microBatchSize);
    for (let step = 0; step < 2; step++) twin.trainer.trainStep(rows(8));
    trainer.trainStep(rows(8));
    expect(stateOf(model)).toBe(stateOf(twin.model));
  });

  it("an infinite gradient behind a finite loss", () => {
    class Rooted extends Module {
      layer = new Linear(2, 2, { bias: false });
      forward(x: Tensor): Tensor {
        return sqrt(this.layer.forward(x)); // its derivative at 0 is infinite
      }
    }
    const model = new Rooted();
    const trainer = new SupervisedTrainer({ model, optimizer: new AdamW(model.parameters()) });
    const batch = { x: tensor([[1, 1]]), labels: Int32Array.of(0) };
    model.layer.weight.update((data) => data.fill(0));
    const before = stateOf(model);
    expect(() => trainer.trainStep(batch)).toThrow(
      new DistilgradError("nonfinite", 'trainStep: the gradient of "layer.weight" is not finite'),
    );
    expect(stateOf(model)).toBe(before);
    expect(trainer.steps).toBe(0);
  });

  it("has parts that are as equal as can be: no remainder of one row, which a norm over the batch would refuse", () => {
    const { trainer } = normalized(4);
    expect(trainer.trainStep(rows(9)).total).toBeGreaterThan(0);
  });
});
