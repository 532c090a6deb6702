/** What every layer promises: the right gradients, and in evaluation mode samples that know nothing of one another. */
import { describe, expect, it } from "vitest";
import { gradcheckModule } from "../../src/check/index.ts";
import { randn, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import * as nn from "../../src/nn/index.ts";
import { RandomStream } from "../../src/random.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import { sampleOf } from "../support/samples.ts";

/** Where a layer is made: its kernel set, and the stream that it draws from. */
interface Home {
  readonly kernels: Kernels;
  readonly random: RandomStream;
}

interface Entry {
  readonly what?: string;
  readonly make: (home: Home) => nn.Module;
  /** The shape of a batch of three. */
  readonly x: Shape;
  /** Where x holds whole numbers below this one, into which no gradient flows. */
  readonly below?: number;
}

/** Whatever src/nn/index.ts exports as a layer. */
type LayerName = Exclude<
  {
    [Name in keyof typeof nn]: (typeof nn)[Name] extends abstract new (
      ...settings: never
    ) => nn.Module
      ? Name
      : never;
  }[keyof typeof nn],
  "Module"
>;

/** A layer that is exported without an entry does not compile. */
const layers: Readonly<Record<LayerName, readonly Entry[]>> = {
  AdaptiveAvgPool2d: [{ make: () => new nn.AdaptiveAvgPool2d([2, 3]), x: [3, 2, 3, 5] }],
  AvgPool2d: [
    { make: () => new nn.AvgPool2d([2, 1]), x: [3, 2, 4, 2] },
    {
      what: "of overlapping windows, padding not counted",
      make: () => new nn.AvgPool2d(2, { stride: 1, padding: 1, countPadding: false }),
      x: [3, 2, 3, 2],
    },
  ],
  BatchNorm1d: [
    { make: ({ kernels }) => new nn.BatchNorm1d(3, { kernels, epsilon: 0.1 }), x: [3, 3] },
    { what: "of rows", make: ({ kernels }) => new nn.BatchNorm1d(2, { kernels }), x: [3, 2, 4] },
  ],
  BatchNorm2d: [{ make: ({ kernels }) => new nn.BatchNorm2d(2, { kernels, epsilon: 0.1 }), x: [3, 2, 2, 3] }],
  Branches: [
    {
      make: (home) => new nn.Branches({ narrow: new nn.Linear(4, 1, home), wide: new nn.Linear(4, 3, home) }),
      x: [3, 4],
    },
    {
      what: "along the last axis",
      make: (home) =>
        new nn.Branches({ same: new nn.Tanh(), less: new nn.Conv1d(2, 2, 3, home) }, { axis: -1 }),
      x: [3, 2, 5],
    },
  ],
  Conv1d: [
    {
      make: (home) => new nn.Conv1d(4, 6, 3, { ...home, stride: 2, padding: 1, dilation: 2, groups: 2 }),
      x: [3, 4, 7],
    },
    {
      what: "without a bias",
      make: (home) => new nn.Conv1d(2, 3, 2, { ...home, bias: false }),
      x: [3, 2, 4],
    },
  ],
  Conv2d: [
    {
      make: (home) =>
        new nn.Conv2d(2, 4, [2, 3], { ...home, stride: [2, 1], padding: 1, dilation: [1, 2], groups: 2 }),
      x: [3, 2, 4, 5],
    },
    {
      what: "of 1 × 1, without a bias",
      make: (home) => new nn.Conv2d(3, 2, 1, { ...home, bias: false }),
      x: [3, 3, 2, 2],
    },
  ],
  ConvTranspose2d: [
    {
      make: (home) =>
        new nn.ConvTranspose2d(4, 2, [3, 2], { ...home, stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
      x: [3, 4, 2, 3],
    },
  ],
  Dropout: [{ make: ({ random }) => new nn.Dropout(0.4, { random }), x: [3, 6] }],
  ELU: [
    { make: () => new nn.ELU(), x: [3, 5] },
    { what: "with α", make: () => new nn.ELU({ alpha: 0.5 }), x: [3, 5] },
  ],
  Embedding: [{ make: (home) => new nn.Embedding(5, 3, home), x: [3, 4], below: 5 }],
  Flatten: [{ make: () => new nn.Flatten(), x: [3, 2, 3] }],
  GELU: [
    { make: () => new nn.GELU(), x: [3, 5] },
    { what: "by tanh", make: () => new nn.GELU({ approximation: "tanh" }), x: [3, 5] },
  ],
  GlobalAvgPool2d: [{ make: () => new nn.GlobalAvgPool2d(), x: [3, 2, 2, 3] }],
  GroupNorm: [{ make: ({ kernels }) => new nn.GroupNorm(2, 4, { kernels, epsilon: 0.1 }), x: [3, 4, 3] }],
  LayerNorm: [
    { make: ({ kernels }) => new nn.LayerNorm(4, { kernels, epsilon: 0.1 }), x: [3, 2, 4] },
    {
      what: "over two axes, without a bias",
      make: ({ kernels }) => new nn.LayerNorm([2, 3], { kernels, bias: false }),
      x: [3, 2, 3],
    },
    {
      what: "that learns nothing",
      make: ({ kernels }) => new nn.LayerNorm([2, 3], { kernels, affine: false }),
      x: [3, 2, 3],
    },
  ],
  LeakyReLU: [{ make: () => new nn.LeakyReLU({ slope: 0.2 }), x: [3, 5] }],
  Linear: [
    { make: (home) => new nn.Linear(4, 3, home), x: [3, 2, 4] },
    { what: "without a bias", make: (home) => new nn.Linear(4, 3, { ...home, bias: false }), x: [3, 4] },
  ],
  MaxPool2d: [{ make: () => new nn.MaxPool2d([2, 3], { stride: 1, padding: 1 }), x: [3, 2, 3, 3] }],
  MultiheadAttention: [
    { make: (home) => new nn.MultiheadAttention(4, 2, home), x: [3, 3, 4] },
    {
      what: "that drops weights, without biases",
      make: (home) => new nn.MultiheadAttention(4, 2, { ...home, dropout: 0.3, bias: false }),
      x: [3, 3, 4],
    },
  ],
  ReLU: [{ make: () => new nn.ReLU(), x: [3, 5] }],
  Reshape: [{ make: () => new nn.Reshape([3, 2]), x: [3, 6] }],
  Residual: [
    { make: (home) => new nn.Residual(new nn.Linear(4, 4, home)), x: [3, 4] },
    {
      what: "with a shortcut",
      make: (home) =>
        new nn.Residual(
          new nn.Sequential({
            conv1: new nn.Conv2d(2, 2, 3, { ...home, padding: 1, stride: 2 }),
            bend: new nn.SiLU(),
            conv2: new nn.Conv2d(2, 3, 1, home),
          }),
          { shortcut: new nn.Conv2d(2, 3, 1, { ...home, stride: 2, bias: false }) },
        ),
      x: [3, 2, 3, 4],
    },
  ],
  RMSNorm: [{ make: ({ kernels }) => new nn.RMSNorm(4, { kernels, epsilon: 0.1 }), x: [3, 2, 4] }],
  Sequential: [
    {
      make: (home) =>
        new nn.Sequential({
          hidden: new nn.Linear(4, 3, home),
          relu: new nn.ReLU(),
          logits: new nn.Linear(3, 2, home),
        }),
      x: [3, 4],
    },
  ],
  Sigmoid: [{ make: () => new nn.Sigmoid(), x: [3, 5] }],
  SiLU: [{ make: () => new nn.SiLU(), x: [3, 5] }],
  Softplus: [{ make: () => new nn.Softplus(), x: [3, 5] }],
  Tanh: [{ make: () => new nn.Tanh(), x: [3, 5] }],
  TransformerEncoderLayer: [
    {
      make: (home) => new nn.TransformerEncoderLayer(4, 2, { ...home, feedForward: 3, dropout: 0.2 }),
      x: [3, 2, 4],
    },
    {
      what: "that normalises first, causal, with a GELU",
      make: (home) =>
        new nn.TransformerEncoderLayer(4, 2, {
          ...home,
          feedForward: 3,
          normFirst: true,
          causal: true,
          activation: "gelu",
        }),
      x: [3, 2, 4],
    },
  ],
};

/** Everything that an entry stands for, in a kernel set: the layer and a batch. */
function setting({ make, x: shape, below }: Entry, kernels: Kernels): { layer: nn.Module; x: Tensor } {
  const random = new RandomStream(1, "inputs");
  const x =
    below === undefined
      ? randn(shape, { random, kernels })
      : tensor(
          Float64Array.from({ length: sizeOf(shape) }, () => random.below(below)),
          { shape, kernels },
        );
  return { layer: make({ kernels, random: new RandomStream(1, "layers") }), x };
}

describe("the table of layers", () => {
  it("has an entry for every layer that is exported", () => {
    const exported = Object.entries(nn)
      .filter(([, value]) => typeof value === "function" && value.prototype instanceof nn.Module)
      .map(([name]) => name);
    expect(Object.keys(layers).sort()).toEqual(exported.sort());
    for (const [name, entries] of Object.entries(layers)) {
      expect(entries.length, name).toBeGreaterThan(0);
      for (const entry of entries) expect(setting(entry, float32).layer.constructor.name).toBe(name);
    }
  });
});

const cases = Object.entries(layers).flatMap(([name, entries]) =>
  entries.map((entry) => ({ title: [name, entry.what].filter(Boolean).join(" "), entry })),
);

describe.each(cases)("$title", ({ entry }) => {
  it("has the gradients that differences measure in all parameters and the input, in both modes", () => {
    const { layer } = setting(entry, float32);
    const { x } = setting(entry, float64);
    for (const mode of [layer.train(), layer.eval()]) {
      if (entry.below === undefined) gradcheckModule(mode, [x]);
      else gradcheckModule(mode, [], { forward: () => mode.forward(x) });
    }
  });

  it("computes a sample in a batch to the bits that it has alone, in evaluation mode", () => {
    const { layer, x } = setting(entry, float32);
    const random = new RandomStream(2, "parameters");
    for (const parameter of layer.parameters().values()) {
      parameter.update((data) => {
        for (let i = 0; i < data.length; i++) data[i] = random.normal();
      });
    }
    layer.forward(x); // in training mode, which moves running statistics from where they start
    const y = layer.eval().forward(x);
    expect(y.shape[0]).toBe(3);
    for (let n = 0; n < 3; n++) {
      const alone = layer.forward(sampleOf(x, n));
      expect(alone.shape).toEqual([1, ...y.shape.slice(1)]);
      expect(alone.data).toEqual(sampleOf(y, n).data);
    }
  });
});
