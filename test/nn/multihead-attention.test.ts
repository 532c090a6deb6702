import { describe, expect, it } from "vitest";
import { gradcheckModule } from "../../src/check/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { ones, randn, tensor, zeros } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { MultiheadAttention, summary } from "../../src/nn/index.ts";
import { dropout as drop, reshape } from "../../src/ops/index.ts";
import { libraryStream, RandomStream } from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";

const random = (): RandomStream => new RandomStream(1, "multihead");
const drawn = (seed: number, shape: Shape, kernels = float64): Tensor =>
  randn(shape, { random: new RandomStream(seed, "inputs"), kernels });
const layerOf = (width: number, heads: number, options: object = {}): MultiheadAttention =>
  new MultiheadAttention(width, heads, { random: random(), kernels: float64, ...options });

/** Biases that are not 0. */
function stirred(layer: MultiheadAttention): MultiheadAttention {
  for (const { bias } of [layer.inputProjection, layer.outputProjection]) {
    bias?.update((data) => {
      for (let i = 0; i < data.length; i++) data[i] = 0.3 * i - 0.7;
    });
  }
  return layer;
}

type Visible = (sample: number, head: number, i: number, j: number) => boolean;

/**
 * PyTorch's multi_head_attention_forward with packed weights, entry by entry: Q, K and V are width rows of the weight each,
 * head h has the columns from h · D of each, and the heads stand side by side before the last projection.
 */
function reference(
  layer: MultiheadAttention,
  [query, key, value]: readonly Tensor[],
  sees: Visible = () => true,
): number[] {
  const { width, heads, inputProjection, outputProjection } = layer;
  const D = width / heads;
  const [N, L] = query.shape;
  const S = key.shape[1];
  const project = (x: Tensor, n: number, at: number, row: number): number => {
    let total = inputProjection.bias?.data[row] ?? 0;
    for (let e = 0; e < width; e++) {
      total += x.data[(n * x.shape[1] + at) * width + e] * inputProjection.weight.data[row * width + e];
    }
    return total;
  };
  const out: number[] = [];
  for (let n = 0; n < N; n++) {
    for (let i = 0; i < L; i++) {
      const joined: number[] = [];
      for (let h = 0; h < heads; h++) {
        const powers = Array.from({ length: S }, (_, j) => {
          let score = 0;
          for (let d = h * D; d < (h + 1) * D; d++) {
            score += project(query, n, i, d) * project(key, n, j, width + d);
          }
          return sees(n, h, i, j) ? Math.exp(score / Math.sqrt(D)) : 0;
        });
        const total = powers.reduce((a, b) => a + b, 0);
        for (let d = h * D; d < (h + 1) * D; d++) {
          joined.push(powers.reduce((a, p, j) => a + (p / total) * project(value, n, j, 2 * width + d), 0));
        }
      }
      for (let o = 0; o < width; o++) {
        const weights = outputProjection.weight.data.slice(o * width, (o + 1) * width);
        out.push(joined.reduce((a, v, e) => a + v * weights[e], outputProjection.bias?.data[o] ?? 0));
      }
    }
  }
  return out;
}

function expectClose(y: Tensor, wanted: readonly number[]): void {
  expect(y.size).toBe(wanted.length);
  // A few dozen roundings of numbers of order 1 in float64.
  for (const [i, value] of wanted.entries()) expect(Math.abs(y.data[i] - value)).toBeLessThan(1e-13);
}

describe("MultiheadAttention", () => {
  it("is attention of each head with its own columns, in PyTorch's packed layout", () => {
    for (const heads of [1, 2, 3, 6]) {
      const layer = stirred(layerOf(6, heads));
      const x = drawn(2, [2, 4, 6]);
      const y = layer.forward(x);
      expect(y.shape).toEqual([2, 4, 6]);
      expectClose(y, reference(layer, [x, x, x]));
    }
  });

  it("asks keys and values of another sequence", () => {
    const layer = stirred(layerOf(4, 2));
    const [query, key, value] = [drawn(2, [2, 3, 4]), drawn(3, [2, 5, 4]), drawn(4, [2, 5, 4])];
    expectClose(layer.forward(query, key, value), reference(layer, [query, key, value]));
    expectClose(layer.forward(query, key), reference(layer, [query, key, key]));
    const [x, other] = [drawn(5, [2, 3, 4]), drawn(6, [2, 3, 4])];
    expectClose(layer.forward(x, x, other), reference(layer, [x, x, other]));
    expectClose(layer.forward(x, other, x), reference(layer, [x, other, x]));
    const without = layerOf(4, 2, { bias: false });
    expectClose(without.forward(query, key, value), reference(without, [query, key, value]));
  });

  it("gives the same bits whether the three are one tensor or equal ones", () => {
    const layer = stirred(layerOf(8, 2, { kernels: float32 }));
    const x = drawn(2, [2, 3, 8], float32);
    const copy = new Tensor(x.data.slice(), x.shape, float32);
    const y = layer.forward(x).data;
    expect(layer.forward(x, copy).data).toEqual(y);
    expect(layer.forward(x, x, copy).data).toEqual(y);
    expect(layer.forward(x, copy, x).data).toEqual(y);
  });

  it("heeds a mask for all heads, for each sample, and causality", () => {
    const layer = stirred(layerOf(4, 2));
    const x = drawn(2, [2, 3, 4]);
    const kernels = float64;
    const pairs = [
      [1, 0, 1],
      [0, 1, 0],
      [1, 1, 1],
    ];
    const padding = [
      [1, 1, 0],
      [1, 0, 1],
    ];
    expectClose(
      layer.forward(x, x, x, { mask: tensor(pairs, { kernels }) }),
      reference(layer, [x, x, x], (_, __, i, j) => pairs[i][j] === 1),
    );
    const mask = tensor(padding.flat(), { shape: [2, 1, 1, 3], kernels });
    expectClose(
      layer.forward(x, x, x, { mask, causal: true }),
      reference(layer, [x, x, x], (n, _, i, j) => j <= i && padding[n][j] === 1),
    );
    expectClose(
      layer.forward(x, x, x, { causal: true }),
      reference(layer, [x, x, x], (_, __, i, j) => j <= i),
    );
  });

  it("has PyTorch's parameters: a packed projection by Glorot, biases of 0", () => {
    const layer = new MultiheadAttention(32, 4, { random: random() });
    expect([...layer.parameters()].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ["inputProjection.weight", 96, 32],
      ["inputProjection.bias", 96],
      ["outputProjection.weight", 32, 32],
      ["outputProjection.bias", 32],
    ]);
    const { inputProjection, outputProjection } = layer;
    for (const [{ weight, bias }, bound] of [
      [inputProjection, Math.sqrt(6 / (32 + 96))],
      [outputProjection, 1 / Math.sqrt(32)],
    ] as const) {
      expect(new Set(bias!.data)).toEqual(new Set([0]));
      const largest = Math.max(...[...weight.data].map(Math.abs));
      expect(largest).toBeLessThanOrEqual(Math.fround(bound));
      // The largest of n uniform magnitudes stays below bound·(1 − 20/n) with probability e⁻²⁰.
      expect(largest).toBeGreaterThan(bound * (1 - 20 / weight.size));
    }
    expect(new Set([...inputProjection.parameters().values()].map(({ kernels }) => kernels))).toEqual(
      new Set([float32]),
    );
  });

  it("has no biases when it is told so", () => {
    expect([...layerOf(4, 2, { bias: false }).parameters().keys()]).toEqual([
      "inputProjection.weight",
      "outputProjection.weight",
    ]);
  });

  it("starts alike from the same stream, by default the library's", () => {
    expect(layerOf(4, 2).stateDict()).toEqual(layerOf(4, 1).stateDict());
    expect(new MultiheadAttention(4, 2).random).toBe(libraryStream());
  });

  it("drops weights while training, from its stream, and none in evaluation mode", () => {
    const layer = layerOf(4, 2, { dropout: 0.5 });
    const x = drawn(2, [2, 3, 4]);
    const state = layer.random.state();
    const first = layer.forward(x).data;
    layer.random.restore(state);
    expect(layer.forward(x).data).toEqual(first);
    expect(layer.forward(x).data).not.toEqual(first);
    layer.random.restore(state);
    const draws = new RandomStream(0);
    draws.restore(state);
    drop(ones([2 * 2 * 3 * 3]), { probability: 0.5, random: draws });
    layer.forward(x);
    expect(layer.random.state()).toEqual(draws.state()); // one draw for each pair of query and key
    const before = layer.random.state();
    expectClose(layer.eval().forward(x), reference(layer, [x, x, x]));
    expect(layer.random.state()).toEqual(before);
    expect([...layer.streams().keys()]).toEqual(["random"]);
  });

  it("takes a mask of the keys of each sample, alone or beside a mask of queries and keys", () => {
    const layer = stirred(layerOf(4, 2));
    const x = drawn(2, [3, 3, 4]);
    const keyMask = tensor(
      [
        [1, 1, 0],
        [1, 0, 1],
        [1, 1, 1],
      ],
      { kernels: float64 },
    );
    const spelled = layer.forward(x, x, x, { mask: reshape(keyMask, [3, 1, 1, 3]) });
    expect(layer.forward(x, x, x, { keyMask }).data).toEqual(spelled.data);
    const both = layer.forward(x, x, x, { keyMask, causal: true });
    const mask = tensor(
      [
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
      ],
      { kernels: float64 },
    );
    expect(layer.forward(x, x, x, { keyMask, mask }).data).toEqual(both.data);
    expect(both.data).not.toEqual(spelled.data);
    // What is hidden may be anything.
    const other = new Tensor(x.data.slice(), x.shape, float64);
    other.update((data) => data.fill(7, 8, 12));
    const first = (y: Tensor): unknown => [...y.data.slice(0, 8)];
    expect(first(layer.forward(x, other, other, { keyMask }))).toEqual(
      first(layer.forward(x, x, x, { keyMask })),
    );
  });

  it("computes a sample in a batch to the bits that it has alone", () => {
    const layer = stirred(layerOf(8, 2, { kernels: float32 }));
    const x = drawn(2, [5, 3, 8], float32);
    const y = layer.forward(x).data;
    for (let n = 0; n < 5; n++) {
      const alone = new Tensor(x.data.slice(24 * n, 24 * n + 24), [1, 3, 8], float32);
      expect(layer.forward(alone).data).toEqual(y.slice(24 * n, 24 * n + 24));
    }
  });

  it("has the gradients that differences measure, of itself and of others", () => {
    gradcheckModule(layerOf(4, 2), [drawn(2, [1, 3, 4])]);
    const layer = layerOf(4, 2);
    const operands = [drawn(2, [1, 2, 4]), drawn(3, [1, 3, 4]), drawn(4, [1, 3, 4])];
    gradcheckModule(layer, operands, { forward: (q, k, v) => layer.forward(q, k, v) });
  });

  it("counts its two products beside those of its projections", () => {
    const { layers, multiplyAdds } = summary(layerOf(8, 2), [3, 5, 8]);
    const [own, projections] = [2 * 3 * 5 * 5 * 8, 3 * 5 * 8 * (3 * 8 + 8)];
    expect(Object.fromEntries(layers.map((layer) => [layer.name, layer.multiplyAdds]))).toEqual({
      "": own,
      inputProjection: 3 * 5 * 8 * 24,
      outputProjection: 3 * 5 * 8 * 8,
    });
    expect(multiplyAdds).toBe(own + projections);
  });

  it("shows its projections among its features", () => {
    const { features } = layerOf(4, 2).features(drawn(2, [1, 3, 4]));
    expect([...features].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ["inputProjection", 1, 3, 12],
      ["outputProjection", 1, 3, 4],
    ]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
const wrong = (value: unknown): any => value;
const x = ones([2, 3, 4], { kernels: float64 });
const expected = "MultiheadAttention: expected query [N, L, 4], key and value [N, S, 4], got";

describe("MultiheadAttention refuses", () => {
  it.each<[message: string, call: () => unknown]>([
    ["MultiheadAttention: width must be a whole number of at least 1, got 0", () => layerOf(0, 1)],
    ["MultiheadAttention: heads must be a whole number of at least 1, got 1.5", () => layerOf(4, 1.5)],
    ["MultiheadAttention: a width of 4 does not divide into 3 heads", () => layerOf(4, 3)],
    [
      "MultiheadAttention, dropout: probability must be in [0, 1), got 1",
      () => layerOf(4, 2, { dropout: 1 }),
    ],
    ["MultiheadAttention: expected random, a RandomStream, got 7", () => layerOf(4, 2, { random: wrong(7) })],
    [
      'MultiheadAttention: unknown option "batchFirst"; possible are dropout, bias, random, kernels',
      () => layerOf(4, 2, { batchFirst: true }),
    ],
    [
      "MultiheadAttention: expected query, a tensor; options come fourth, got 3",
      () => layerOf(4, 2).forward(wrong(3)),
    ],
    [
      "MultiheadAttention: expected key, a tensor; options come fourth, got an object",
      () => layerOf(4, 2).forward(x, wrong({ causal: true })),
    ],
    [
      "MultiheadAttention: expected mask [L, S] or [samples, heads, L, S], each 1 where it repeats, got [2, 3, 3]",
      () => layerOf(4, 2).forward(x, x, x, { mask: ones([2, 3, 3], { kernels: float64 }) }),
    ],
    [
      "MultiheadAttention: expected mask, a tensor, got an array",
      () => layerOf(4, 2).forward(x, x, x, { mask: wrong([[1]]) }),
    ],
    [
      "MultiheadAttention: expected keyMask [samples, S], here [2, 3], got [3, 2]",
      () => layerOf(4, 2).forward(x, x, x, { keyMask: ones([3, 2], { kernels: float64 }) }),
    ],
    [
      "MultiheadAttention: expected keyMask, a tensor, got an array",
      () => layerOf(4, 2).forward(x, x, x, { keyMask: wrong([[1]]) }),
    ],
    [
      "scaledDotProductAttention: query [0, 0, 0] may look at no key; leave it at least one 1 in the mask",
      () => layerOf(4, 2).forward(x, x, x, { keyMask: zeros([2, 3], { kernels: float64 }) }),
    ],
    [
      "MultiheadAttention: operands live in two kernel sets, float64 and float32; make both with the same",
      () => layerOf(4, 2).forward(x, ones([2, 3, 4])),
    ],
    [`${expected} [3, 4], [3, 4] and [3, 4]`, () => layerOf(4, 2).forward(ones([3, 4]))],
    [
      `${expected} [2, 3, 4, 1], [2, 3, 4, 1] and [2, 3, 4, 1]`,
      () => layerOf(4, 2).forward(ones([2, 3, 4, 1], { kernels: float64 })),
    ],
    [`${expected} [2, 3, 5], [2, 3, 5] and [2, 3, 5]`, () => layerOf(4, 2).forward(ones([2, 3, 5]))],
    [
      `${expected} [2, 3, 4], [1, 3, 4] and [1, 3, 4]`,
      () => layerOf(4, 2).forward(x, ones([1, 3, 4], { kernels: float64 })),
    ],
    [
      `${expected} [2, 3, 4], [2, 3, 4] and [2, 5, 4]`,
      () => layerOf(4, 2).forward(x, x, ones([2, 5, 4], { kernels: float64 })),
    ],
    [
      'MultiheadAttention: unknown option "dropout"; possible are mask, keyMask, causal',
      () => layerOf(4, 2).forward(x, x, x, wrong({ dropout: null })),
    ],
  ])("%s", (message, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
});
