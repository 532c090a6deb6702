import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { ones, tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  Embedding,
  type EmbeddingOptions,
  Flatten,
  Linear,
  type Module,
  Sequential,
  summary,
} from "../../src/nn/index.ts";
import { sum } from "../../src/ops/sum.ts";
import { SGD } from "../../src/optim/index.ts";
import { manualSeed, RandomStream } from "../../src/random.ts";

describe("Embedding", () => {
  it("looks up a row for every index", () => {
    const layer = new Embedding(3, 2);
    layer.weight.update((data) => data.set([1, 2, 3, 4, 5, 6]));
    expect(layer.forward(tensor([[2, 0]])).toArray()).toEqual([
      [
        [5, 6],
        [1, 2],
      ],
    ]);
    expect([...layer.parameters().keys()]).toEqual(["weight"]);
  });

  it("starts standard normal, as PyTorch's does", () => {
    const { weight } = new Embedding(200, 50, { random: new RandomStream(1) });
    const n = weight.size;
    let [total, square] = [0, 0];
    for (const w of weight.data) {
      total += w;
      square += w * w;
    }
    // Five standard errors: of a mean 1/√n, of a mean square √(2/n).
    expect(Math.abs(total / n)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(square / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  });

  it("draws from the stream that it is given, else from the library's", () => {
    const [given, stream] = [new Embedding(2, 2, { random: new RandomStream(1) }), new RandomStream(1)];
    expect([...given.weight.data]).toEqual(Array.from({ length: 4 }, () => Math.fround(stream.normal())));
    manualSeed(3);
    const first = new Embedding(2, 2).weight.data;
    expect(new Embedding(2, 2).weight.data).not.toEqual(first);
    manualSeed(3);
    expect(new Embedding(2, 2).weight.data).toEqual(first);
  });

  it("starts as it is told to, in the precision that it is told", () => {
    const layer = new Embedding(2, 3, { init: ones, kernels: float64 });
    expect(layer.weight.kernels).toBe(float64);
    expect(layer.forward(tensor([1], { kernels: float64 })).toArray()).toEqual([[1, 1, 1]]);
  });

  it("learns the rows that are looked up, and leaves the others", () => {
    const layer = new Embedding(3, 1, { init: ones });
    const optimizer = new SGD(layer.parameters(), { learningRate: 0.25 });
    sum(layer.forward(tensor([2, 0, 2]))).backward();
    optimizer.step();
    expect(layer.weight.toArray()).toEqual([[0.75], [1], [0.5]]);
  });

  it("costs no multiply-adds", () => {
    const model = new Sequential({
      word: new Embedding(5, 3),
      flat: new Flatten(),
      logits: new Linear(6, 2),
    });
    const { layers } = summary(model, [4, 2]);
    expect(layers.map(({ name, parameters, multiplyAdds }) => [name, parameters, multiplyAdds])).toEqual([
      ["word", 15, 0],
      ["flat", 0, 0],
      ["logits", 14, 4 * 12],
    ]);
  });

  it.each<[call: () => unknown, message: string]>([
    [() => new Embedding(0, 2), "Embedding: rows must be a whole number of at least 1, got 0"],
    [() => new Embedding(2, 1.5), "Embedding: width must be a whole number of at least 1, got 1.5"],
    [
      () => new Embedding(2, 2, { bias: true } as EmbeddingOptions),
      'Embedding: unknown option "bias"; possible are init, random, kernels',
    ],
    [
      () => new Embedding(2, 2, { init: "normal" } as unknown as EmbeddingOptions),
      'Embedding: init must be a function such as kaimingUniform, got "normal", a string',
    ],
    [
      () => new Embedding(2, 2, { random: 1 } as unknown as EmbeddingOptions),
      "Embedding: expected random, a RandomStream, got 1",
    ],
    [
      () => (new Embedding(2, 2) as Module).forward(tensor([0, 2])),
      "embedding: index 2 at position 1 is outside [0, 2)",
    ],
  ])("refuses what is no table or no index: %#", (call, message) => {
    expect(call).toThrow(new DistilgradError("value", message));
  });
});
