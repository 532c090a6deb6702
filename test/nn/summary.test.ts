import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { randn, tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  BatchNorm1d,
  Dropout,
  Embedding,
  Linear,
  Module,
  Parameter,
  ReLU,
  Sequential,
  summary,
} from "../../src/nn/index.ts";
import { add } from "../../src/ops/add.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const perceptron = (): Sequential =>
  new Sequential({
    hidden: new Linear(64, 32),
    relu: new ReLU(),
    dropout: new Dropout(0.5),
    logits: new Linear(32, 10),
  });

/** Owns a parameter and a buffer, calls one layer twice, and another never. */
class Odd extends Module {
  positions = new Parameter(randn([1, 4]));
  offset = tensor([1, 2, 3]);
  layer = new Linear(4, 4, { bias: false });
  spare = new Linear(2, 2);
  forward(x: Tensor): Tensor {
    return this.layer.forward(this.layer.forward(add(x, this.positions)));
  }
}

describe("summary", () => {
  it("lists every layer with its output, its parameters and its multiply-adds", () => {
    const { layers, ...totals } = summary(perceptron(), [3, 64]);
    expect(layers).toEqual([
      { name: "hidden", type: "Linear", outputShape: [3, 32], parameters: 2080, multiplyAdds: 3 * 64 * 32 },
      { name: "relu", type: "ReLU", outputShape: [3, 32], parameters: 0, multiplyAdds: 0 },
      { name: "dropout", type: "Dropout", outputShape: [3, 32], parameters: 0, multiplyAdds: 0 },
      { name: "logits", type: "Linear", outputShape: [3, 10], parameters: 330, multiplyAdds: 3 * 32 * 10 },
    ]);
    expect(totals).toMatchObject({
      outputShape: [3, 10],
      parameters: 2410,
      buffers: 0,
      bytes: 9640,
      multiplyAdds: 3 * (64 * 32 + 320),
    });
  });

  it("is a table for people", () => {
    expect(`${summary(perceptron(), [1, 64])}`).toBe(
      [
        "layer             output   parameters  multiply-adds",
        "────────────────────────────────────────────────────",
        "(input)           [1, 64]",
        "hidden   Linear   [1, 32]       2,080          2,048",
        "relu     ReLU     [1, 32]",
        "dropout  Dropout  [1, 32]",
        "logits   Linear   [1, 10]         330            320",
        "────────────────────────────────────────────────────",
        "total             [1, 10]       2,410          2,368",
        "9,640 bytes",
      ].join("\n"),
    );
  });

  it("counts what is shared once, what is called twice twice, and says what is not called", () => {
    const result = summary(new Odd(), [2, 4]);
    expect(
      result.layers.map(({ name, parameters, multiplyAdds }) => [name, parameters, multiplyAdds]),
    ).toEqual([
      ["layer", 16, 32],
      ["layer#2", 0, 32],
      ["spare", 6, 0],
      ["", 4, 0],
    ]);
    expect(result.layers[2].outputShape).toBeNull();
    expect(result.parameters).toBe(16 + 6 + 4);
    expect(result.buffers).toBe(3);
    expect(result.bytes).toBe(4 * 29);
    expect(result.multiplyAdds).toBe(64);
    expect(`${result}`).toContain("not called");
    expect(`${result}`).toContain("(model)  Odd");
    expect(`${result}`.split("\n").at(-1)).toBe("116 bytes, with 3 numbers that are not learned");
  });

  it("describes a single layer, in the precision that it has", () => {
    const { layers, bytes } = summary(new Linear(3, 2, { kernels: float64 }), [1, 3]);
    expect(layers).toEqual([
      { name: "", type: "Linear", outputShape: [1, 2], parameters: 8, multiplyAdds: 6 },
    ]);
    expect(bytes).toBe(64);
  });

  it("runs on a tensor where zeros would mean something, and finds the precision of a layer with buffers alone", () => {
    const pick = new Embedding(3, 2);
    expect(summary(pick, tensor([[2, 1]])).layers[0].outputShape).toEqual([1, 2, 2]);
    const norm = new BatchNorm1d(4, { affine: false, kernels: float64 });
    expect(summary(norm, [2, 4])).toMatchObject({ parameters: 0, buffers: 8, bytes: 64 });
  });

  it("leaves the model as it was: modes, streams, weights, gradients", () => {
    const random = new RandomStream(3);
    const model = new Sequential({ dropout: new Dropout(0.5, { random }), logits: new Linear(4, 2) });
    const before = { stream: random.state(), weights: model.stateDict() };
    summary(model, [5, 4]);
    expect(model.training).toBe(true);
    expect(random.state()).toEqual(before.stream);
    expect(model.stateDict()).toEqual(before.weights);
    expect([...model.parameters().values()].every(({ grad }) => grad === null)).toBe(true);
    expect(Object.keys(model.children().get("logits")!)).not.toContain("forward");
  });

  it.each<[() => unknown, string]>([
    [() => summary(3 as unknown as Module, [1]), "summary: expected a Module, got 3"],
    [
      () => summary(perceptron(), 64 as unknown as number[]),
      "summary: expected a shape such as [2, 3], got 64",
    ],
    [
      () => summary(perceptron(), [1, 63]),
      "linear: expected x [rows, in] and weight [out, in], got x [1, 63] and weight [32, 64]",
    ],
  ])("%# is refused", (call, message) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
});
