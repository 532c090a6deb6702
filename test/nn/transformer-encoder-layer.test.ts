import { describe, expect, it } from "vitest";
import { gradcheckModule } from "../../src/check/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { ones, randn, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  GELU,
  type LayerNorm,
  type Linear,
  ReLU,
  Sequential,
  summary,
  TransformerEncoderLayer,
} from "../../src/nn/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";

const drawn = (shape: Shape, kernels = float64): Tensor =>
  randn(shape, { random: new RandomStream(2, "inputs"), kernels });
const layerOf = (options: object = {}): TransformerEncoderLayer =>
  new TransformerEncoderLayer(4, 2, {
    random: new RandomStream(1, "encoder"),
    feedForward: 3,
    kernels: float64,
    ...options,
  });

/** Every parameter at random, so that no one or zero hides where it is used. */
function stirred(layer: TransformerEncoderLayer): TransformerEncoderLayer {
  const random = new RandomStream(9, "stirred");
  for (const parameter of layer.parameters().values()) {
    parameter.update((data) => {
      for (let i = 0; i < data.length; i++) data[i] = random.normal();
    });
  }
  return layer;
}

/** Rows through a layer, by its formula. */
const projected = (x: readonly number[][], { weight, bias }: Linear): number[][] =>
  x.map((row) =>
    Array.from(bias!.data, (b, o) => row.reduce((sum, v, i) => sum + v * weight.data[o * row.length + i], b)),
  );
const normalized = (x: readonly number[][], { weight, bias }: LayerNorm): number[][] =>
  x.map((row) => {
    const mean = row.reduce((sum, v) => sum + v, 0) / row.length;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
    return row.map((v, j) => ((v - mean) / Math.sqrt(variance + 1e-5)) * weight!.data[j] + bias!.data[j]);
  });
const plus = (a: readonly number[][], b: readonly number[][]): number[][] =>
  a.map((row, i) => row.map((v, j) => v + b[i][j]));
const rowsOf = ({ data }: Tensor): number[][] =>
  Array.from({ length: data.length / 4 }, (_, i) => [...data.slice(4 * i, 4 * i + 4)]);

describe("TransformerEncoderLayer", () => {
  it.each([false, true])(
    "adds attention and two linear layers, each normalised: normFirst %s",
    (normFirst) => {
      const layer = stirred(layerOf({ normFirst }));
      const { attention, linear1, linear2, norm1, norm2 } = layer;
      const attended = (rows: number[][]): number[][] =>
        rowsOf(attention.forward(tensor(rows.flat(), { shape: [2, 3, 4], kernels: float64 })));
      const transformed = (rows: number[][]): number[][] =>
        projected(
          projected(rows, linear1).map((row) => row.map((v) => Math.max(v, 0))),
          linear2,
        );
      const x = drawn([2, 3, 4]);
      let y = rowsOf(x);
      if (normFirst) {
        y = plus(y, attended(normalized(y, norm1)));
        y = plus(y, transformed(normalized(y, norm2)));
      } else {
        y = normalized(plus(y, attended(y)), norm1);
        y = normalized(plus(y, transformed(y)), norm2);
      }
      const got = layer.forward(x);
      expect(got.shape).toEqual([2, 3, 4]);
      // Sums of a dozen numbers up to about 10, and a deviation to divide by: a few hundred roundings.
      for (const [i, v] of y.flat().entries()) {
        expect(Math.abs(got.data[i] - v)).toBeLessThan(1e-12 * (1 + Math.abs(v)));
      }
    },
  );

  it("normalises afterwards, with a ReLU and four times the width, by default", () => {
    const layer = new TransformerEncoderLayer(4, 2);
    expect(layer.activation).toBeInstanceOf(ReLU);
    expect([layer.normFirst, layer.causal, layer.dropout.probability]).toEqual([false, false, 0]);
    expect([...layer.parameters()].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ["attention.inputProjection.weight", 12, 4],
      ["attention.inputProjection.bias", 12],
      ["attention.outputProjection.weight", 4, 4],
      ["attention.outputProjection.bias", 4],
      ["linear1.weight", 16, 4],
      ["linear1.bias", 16],
      ["linear2.weight", 4, 16],
      ["linear2.bias", 4],
      ["norm1.weight", 4],
      ["norm1.bias", 4],
      ["norm2.weight", 4],
      ["norm2.bias", 4],
    ]);
    expect(layer.linear1.weight.kernels).toBe(float32);
  });

  it("lives in the kernel set it is given, in all of its parts", () => {
    const parts = [...layerOf().parameters().values()];
    expect(new Set(parts.map(({ kernels }) => kernels))).toEqual(new Set([float64]));
  });

  it("shows every part among its features", () => {
    const { features } = layerOf({ activation: "gelu" }).features(drawn([1, 3, 4]));
    expect([...features].map(([name, { shape }]) => `${name} ${shape}`)).toEqual([
      "attention.inputProjection 1,3,12",
      "attention.outputProjection 1,3,4",
      "attention 1,3,4",
      "dropout 1,3,4",
      "norm1 1,3,4",
      "linear1 1,3,3",
      "activation 1,3,3",
      "dropout#2 1,3,3",
      "linear2 1,3,4",
      "dropout#3 1,3,4",
      "norm2 1,3,4",
    ]);
    expect(layerOf({ activation: "gelu" }).activation).toBeInstanceOf(GELU);
  });

  it.each([false, true])(
    "lets no position know what comes later, if it is causal: normFirst %s",
    (normFirst) => {
      const layer = stirred(layerOf({ causal: true, normFirst }));
      const x = drawn([1, 4, 4]);
      const other = new Tensor(x.data.slice(), x.shape, float64);
      other.data.fill(3, 12);
      const [before, after] = [x, other].map((input) => layer.forward(input).data);
      expect(after.slice(0, 12)).toEqual(before.slice(0, 12));
      expect(after.slice(12)).not.toEqual(before.slice(12));
      const open = stirred(layerOf({ normFirst }));
      expect(open.forward(other).data.slice(0, 12)).not.toEqual(open.forward(x).data.slice(0, 12));
    },
  );

  it.each([false, true])("hides what a mask hides: normFirst %s", (normFirst) => {
    const layer = stirred(layerOf({ normFirst }));
    const x = drawn([2, 3, 4]);
    const mask = tensor([1, 1, 0, 1, 1, 1], { shape: [2, 1, 1, 3], kernels: float64 });
    const y = layer.forward(x, { mask }).data;
    const keyMask = tensor([1, 1, 0, 1, 1, 1], { shape: [2, 3], kernels: float64 });
    expect(layer.forward(x, { keyMask }).data).toEqual(y);
    const short = new Tensor(x.data.slice(0, 8), [1, 2, 4], float64);
    const whole = new Tensor(x.data.slice(12), [1, 3, 4], float64);
    expect(y.slice(0, 8)).toEqual(layer.forward(short).data);
    expect(y.slice(12)).toEqual(layer.forward(whole).data);
  });

  it.each([
    [false, "relu"],
    [true, "gelu"],
  ] as const)(
    "computes a sample in a batch to the bits that it has alone, in evaluation mode: normFirst %s, %s",
    (normFirst, activation) => {
      const layer = stirred(layerOf({ normFirst, activation, dropout: 0.5, kernels: float32 })).eval();
      const x = drawn([5, 3, 4], float32);
      const y = layer.forward(x).data;
      for (let n = 0; n < 5; n++) {
        const alone = new Tensor(x.data.slice(12 * n, 12 * n + 12), [1, 3, 4], float32);
        expect(layer.forward(alone).data).toEqual(y.slice(12 * n, 12 * n + 12));
      }
    },
  );

  it("drops in four places while training, from one stream, and nowhere in evaluation mode", () => {
    const layer = layerOf({ dropout: 0.5 });
    const x = drawn([2, 3, 4]);
    const stream = layer.dropout.random;
    expect(layer.attention.random).toBe(stream);
    expect(layer.attention.dropout).toBe(0.5);
    const expected = new RandomStream(0);
    expected.restore(stream.state());
    // One draw for each pair of positions and head, then for each value.
    for (let i = 0; i < 2 * 2 * 3 * 3 + 2 * 3 * 4 + 2 * 3 * 3 + 2 * 3 * 4; i++) expected.uniform();
    layer.forward(x);
    expect(stream.state()).toEqual(expected.state());
    layer.eval();
    expect(layer.forward(x).data).toEqual(layerOf().forward(x).data);
    expect(stream.state()).toEqual(expected.state());
  });

  it.each([
    [false, "relu"],
    [true, "relu"],
    [false, "gelu"],
    [true, "gelu"],
  ] as const)("has the gradients that differences measure: normFirst %s, %s", (normFirst, activation) => {
    gradcheckModule(layerOf({ normFirst, activation, causal: true }), [drawn([1, 2, 4])]);
  });

  it("makes a model of several in a Sequential, whose products a summary counts", () => {
    const random = new RandomStream(1);
    const model = new Sequential({
      first: new TransformerEncoderLayer(8, 2, { random }),
      second: new TransformerEncoderLayer(8, 4, { random, normFirst: true, causal: true }),
    });
    const [positions, pairs] = [2 * 5, 2 * 5 * 5];
    const { multiplyAdds, outputShape } = summary(model, [2, 5, 8]);
    expect(outputShape).toEqual([2, 5, 8]);
    expect(multiplyAdds).toBe(2 * (2 * pairs * 8 + positions * (8 * 24 + 8 * 8 + 8 * 32 + 32 * 8)));
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
const wrong = (value: unknown): any => value;

describe("TransformerEncoderLayer refuses", () => {
  it.each<[message: string, call: () => unknown]>([
    [
      "MultiheadAttention: width must be a whole number of at least 1, got 0",
      () => new TransformerEncoderLayer(0, 1),
    ],
    [
      "TransformerEncoderLayer: feedForward must be a whole number of at least 1, got 0",
      () => layerOf({ feedForward: 0 }),
    ],
    [
      'TransformerEncoderLayer: activation must be "relu" or "gelu", got "tanh", a string',
      () => layerOf({ activation: "tanh" }),
    ],
    ["MultiheadAttention, dropout: probability must be in [0, 1), got 1", () => layerOf({ dropout: 1 })],
    [
      'TransformerEncoderLayer: unknown option "norm_first"; possible are feedForward, dropout, activation, normFirst, causal, random, kernels',
      () => layerOf({ norm_first: true }),
    ],
    [
      'TransformerEncoderLayer: unknown option "causal"; possible are mask, keyMask',
      () => layerOf().forward(drawn([1, 3, 4]), wrong({ causal: true })),
    ],
    [
      "MultiheadAttention: expected query, a tensor; options come fourth, got 3",
      () => layerOf().forward(wrong(3)),
    ],
    [
      "LayerNorm: expected x […, 4], got [1, 3, 5]",
      () => layerOf({ normFirst: true }).forward(ones([1, 3, 5], { kernels: float64 })),
    ],
  ])("%s", (message, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
});
