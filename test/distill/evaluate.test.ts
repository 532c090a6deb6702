import { describe, expect, it } from "vitest";
import { accuracy, agreement, evaluate, predictLabels, predictLogits } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor, zeros } from "../../src/factories.ts";
import { Linear } from "../../src/nn/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { droppingNetwork, hashOf, network, rowsOf } from "./models.ts";

const logits = tensor([
  [2, 1, 0],
  [0, 3, 1],
  [1, 1, 0],
  [0, 0, 5],
]);

describe("predictLabels, accuracy and agreement", () => {
  it("name the most likely class of each row, the first of equals", () => {
    expect([...predictLabels(logits)]).toEqual([0, 1, 0, 2]);
  });

  it("count the labelled rows whose class is right", () => {
    expect(accuracy(logits, [0, 1, 1, 2])).toBe(3 / 4);
    expect(accuracy(logits, [0, -1, 1, -1])).toBe(1 / 2);
  });

  it("count the rows on which two models name the same class", () => {
    const other = tensor([
      [9, 0, 0],
      [9, 0, 0],
      [0, 9, 0],
      [0, 0, 1],
    ]);
    expect(agreement(logits, other)).toBe(1 / 2);
    expect(agreement(logits, logits)).toBe(1);
  });

  it("refuse logits of different shape, and what are no logits", () => {
    expect(() => agreement(logits, zeros([4, 2]))).toThrow(
      new DistilgradError("shape", "agreement: logits must have the same shape, got [4, 3] and [4, 2]"),
    );
    expect(() => predictLabels(zeros([3]))).toThrow(
      new DistilgradError("shape", "predictLabels: expected logits [rows, classes], got [3]"),
    );
    expect(() => agreement(zeros([3, 0]), zeros([3, 0]))).toThrow(
      new DistilgradError("shape", "predictLabels: expected logits [rows, classes], got [3, 0]"),
    );
  });

  it.each([
    [[0, 1], "accuracy: expected one label for each of 4 rows, got 2"],
    [[0, 1, 3, 0], "accuracy: label 3 at row 2 is outside [0, 3)"],
    [[0, 0.5, 1, 0], "accuracy: labels are whole numbers, got 0.5 at row 1"],
    [[-1, -1, -1, -1], "accuracy: expected at least one labelled row"],
  ])("refuse the labels %j", (labels, message) => {
    expect(() => accuracy(logits, labels)).toThrow(new DistilgradError("labels", message));
  });
});

describe("predictLogits", () => {
  it("gives the same bits for any batch size, in evaluation mode and without a graph", () => {
    const model = droppingNetwork(16, 1, new RandomStream(1, "dropout"));
    const { x } = rowsOf(23, 1);
    const expected = model.inEvalMode(() => model.forward(x)).data;
    for (const batchSize of [1, 2, 3, 5, 22, 23, 24, 256]) {
      const got = predictLogits(model, x, { batchSize });
      expect(got.shape).toEqual([23, 3]);
      expect(got.data).toEqual(expected);
      expect(got.requiresGrad).toBe(false);
    }
    expect(predictLogits(model, x).data).toEqual(expected);
  });

  it("asks a function batch by batch", () => {
    const sizes: number[] = [];
    const model = (x: Tensor): Tensor => {
      sizes.push(x.shape[0]);
      return x;
    };
    expect(predictLogits(model, rowsOf(5, 1).x, { batchSize: 2 }).shape).toEqual([5, 5]);
    expect(sizes).toEqual([2, 2, 1]);
  });

  it("refuses no rows, no tensor and no batch size", () => {
    const model = network(4, 1);
    expect(() => predictLogits(model, zeros([0, 5]))).toThrow(
      new DistilgradError("data", "predictLogits: expected at least one row, got [0, 5]"),
    );
    expect(() => predictLogits(model, [[1]] as unknown as Tensor)).toThrow(
      new DistilgradError(
        "data",
        "predictLogits: expected a dataset { x, labels } with x [rows, …], got x an array",
      ),
    );
    for (const batchSize of [0, 1.5]) {
      expect(() => predictLogits(model, zeros([1, 5]), { batchSize })).toThrow(
        new DistilgradError(
          "value",
          `predictLogits: batchSize must be a whole number of at least 1, got ${batchSize}`,
        ),
      );
    }
  });
});

describe("evaluate", () => {
  it("equals a computation by hand", () => {
    const model = new Linear(1, 2);
    model.weight.update((data) => data.set([1, -1]));
    model.bias!.update((data) => data.fill(0));
    const x = tensor([[1], [2], [-1]]);
    // Logits [x, −x]: the loss of label 0 is log(1 + e^(−2x)), of label 1 log(1 + e^(2x)).
    const losses = [Math.log1p(Math.exp(-2)), Math.log1p(Math.exp(4)), Math.log1p(Math.exp(-2))];
    const { accuracy, loss } = evaluate(model, { x, labels: Int32Array.of(0, 1, 1) });
    expect(accuracy).toBe(2 / 3);
    const expected = losses.reduce((sum, value) => sum + value, 0) / 3;
    expect(Math.abs(loss - expected)).toBeLessThanOrEqual(1.001 * 2 ** -24 * expected);
  });

  it("counts labelled rows only, in both numbers", () => {
    const model = network(4, 1);
    const { x, labels } = rowsOf(6, 1);
    const some = Int32Array.from(labels, (label, row) => (row < 4 ? label : -1));
    const first = { x: tensor(x.data.slice(0, 20), { shape: [4, 5] }), labels: labels.slice(0, 4) };
    expect(evaluate(model, { x, labels: some })).toEqual(evaluate(model, first));
  });

  it("gives the same bits for any batch size", () => {
    const model = network(4, 1);
    const data = rowsOf(23, 1);
    const expected = evaluate(model, data);
    for (const batchSize of [1, 4, 23]) expect(evaluate(model, data, { batchSize })).toEqual(expected);
  });

  it("restores every mode and leaves weights, gradients and random streams alone", () => {
    const stream = new RandomStream(1, "dropout");
    const model = droppingNetwork(8, 1, stream);
    model.children().get("relu")!.eval();
    const modes = (): boolean[] => [model, ...model.modules().values()].map(({ training }) => training);
    const before = [modes(), hashOf(model), stream.state()];
    evaluate(model, rowsOf(8, 1));
    expect([modes(), hashOf(model), stream.state()]).toEqual(before);
    expect(modes()).toEqual([true, true, false, true, true]);
    for (const parameter of model.parameters().values()) expect(parameter.grad).toBeNull();
  });

  it("refuses data without labels, and labels that do not fit", () => {
    const model = network(4, 1);
    const { x, labels } = rowsOf(4, 1);
    expect(() => evaluate(model, { x })).toThrow(
      new DistilgradError("labels", "evaluate: the data has no labels"),
    );
    expect(() => evaluate(model, { x, labels: labels.slice(1) })).toThrow(
      new DistilgradError("labels", "evaluate: expected one label for each of 4 rows, got 3"),
    );
    expect(() => evaluate(model, { x, labels: Int32Array.of(0, 1, 7, 2) })).toThrow(
      new DistilgradError("labels", "accuracy: label 7 at row 2 is outside [0, 3)"),
    );
  });
});
