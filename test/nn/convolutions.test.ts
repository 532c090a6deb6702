import { describe, expect, it } from "vitest";
import { takeRows } from "../../src/data/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { ones, tensor, zeros } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  AvgPool2d,
  Conv1d,
  Conv2d,
  type Conv2dLayerOptions,
  ConvTranspose2d,
  type ConvTranspose2dLayerOptions,
  Flatten,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
  Sequential,
} from "../../src/nn/index.ts";
import { conv1d, conv2d, convTranspose2d, crossEntropy } from "../../src/ops/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import { imageBatchesOf, imageSupervisionOf } from "../support/workloads.ts";

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
const wrong = (value: unknown): any => value;

interface Convolutional extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
}

interface Kind {
  readonly name: string;
  /** 6 channels in, 4 out, kernel 3, and two groups where they are wanted. */
  readonly make: (options: Conv2dLayerOptions & ConvTranspose2dLayerOptions) => Convolutional;
  readonly op: (x: Tensor, layer: Convolutional) => Tensor;
  readonly x: Shape;
  readonly weight: Shape;
  readonly y: Shape;
  /** Of `make({ groups: 2 })`. */
  readonly grouped: Shape;
  readonly multiplyAdds: number;
}

const kinds: Kind[] = [
  {
    name: "Conv1d",
    make: (options) => new Conv1d(6, 4, 3, wrong(options)),
    op: (x, { weight, bias }) => conv1d(x, weight, bias!),
    x: [2, 6, 9],
    weight: [4, 6, 3],
    y: [2, 4, 7],
    grouped: [4, 3, 3],
    multiplyAdds: 2 * 4 * 7 * 6 * 3,
  },
  {
    name: "Conv2d",
    make: (options) => new Conv2d(6, 4, [3, 2], options),
    op: (x, { weight, bias }) => conv2d(x, weight, bias!),
    x: [2, 6, 9, 5],
    weight: [4, 6, 3, 2],
    y: [2, 4, 7, 4],
    grouped: [4, 3, 3, 2],
    multiplyAdds: 2 * 4 * 7 * 4 * 6 * 3 * 2,
  },
  {
    name: "ConvTranspose2d",
    make: (options) => new ConvTranspose2d(6, 4, [3, 2], options),
    op: (x, { weight, bias }) => convTranspose2d(x, weight, bias!),
    x: [2, 6, 9, 5],
    weight: [6, 4, 3, 2],
    y: [2, 4, 11, 6],
    grouped: [6, 2, 3, 2],
    multiplyAdds: 2 * 6 * 9 * 5 * 4 * 3 * 2,
  },
];

describe.each(kinds)("$name", ({ name, make, op, x: xShape, weight, y: yShape, grouped, multiplyAdds }) => {
  it("is its op with a weight and a bias of PyTorch's shapes and names", () => {
    const random = new RandomStream(1);
    const layer = make({ random });
    expect([...layer.stateDict()].map(([key, { shape }]) => [key, shape])).toEqual([
      ["weight", weight],
      ["bias", [4]],
    ]);
    const x = tensor(
      Float32Array.from({ length: xShape.reduce((n, side) => n * side, 1) }, () => random.normal()),
      { shape: xShape },
    );
    const y = layer.forward(x);
    expect(y.shape).toEqual(yShape);
    expect(y.data).toEqual(op(x, layer).data);
    y.backward(ones(yShape));
    expect([layer.weight.grad!.shape, layer.bias!.grad!.shape]).toEqual([weight, [4]]);
  });

  it("starts as PyTorch's does: weight and bias uniform within ±1/√fanIn, fanIn being all but the weight's first axis", () => {
    for (const groups of [1, 2]) {
      const layer = make({ random: new RandomStream(1), groups });
      const shape = groups === 1 ? weight : grouped;
      expect(layer.weight.shape).toEqual(shape);
      const bound = 1 / Math.sqrt(shape.slice(1).reduce((n, length) => n * length, 1));
      for (const values of [layer.weight.data, layer.bias!.data]) {
        expect(Math.max(...[...values].map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
      }
      // The largest of n uniform magnitudes stays below bound · (1 − 20 / n) with probability e⁻²⁰.
      expect(Math.max(...layer.weight.data)).toBeGreaterThan(bound * (1 - 40 / layer.weight.size));
    }
  });

  it("draws its weight, then its bias, from the stream it is given, and none where there is none", () => {
    const drawn = new RandomStream(5);
    const layer = make({ random: drawn });
    const other = new RandomStream(5);
    const bound = 1 / Math.sqrt(weight.slice(1).reduce((n, length) => n * length, 1));
    const wanted = Array.from({ length: layer.weight.size + 4 }, () =>
      Math.fround(-bound + 2 * bound * other.uniform()),
    );
    expect([...layer.weight.data, ...layer.bias!.data]).toEqual(wanted);
    expect(drawn.state()).toEqual(other.state());
    const without = make({ random: new RandomStream(5), bias: false });
    expect(without.bias).toBeNull();
    expect([...without.parameters().keys()]).toEqual(["weight"]);
    expect(without.weight.data).toEqual(layer.weight.data);
    expect(without.forward(zeros(xShape)).data.every((value) => value === 0)).toBe(true);
  });

  it("starts as it is told to, in the kernel set it is given", () => {
    expect(make({}).weight.kernels).toBe(float32);
    const layer = make({ init: (shape, options) => ones(shape, options), kernels: float64 });
    expect([...layer.weight.data]).toEqual(new Array(layer.weight.size).fill(1));
    expect([layer.weight.kernels, layer.bias!.kernels]).toEqual([float64, float64]);
    expect(layer.weight.requiresGrad).toBe(true);
  });

  it("counts a multiply-add for each tap of each window of each channel", () => {
    expect(make({}).multiplyAdds(xShape, yShape)).toBe(multiplyAdds);
    const [outer, inner] = [make({ groups: 2 }), make({ groups: 2 }).multiplyAdds(xShape, yShape)];
    expect(outer.weight.shape).toEqual(grouped);
    expect(inner).toBe(multiplyAdds / 2);
  });

  it.each<[message: string, options: unknown]>([
    ['unknown option "kernel"; possible are ', { kernel: 3 }],
    ["expected { stride, padding, ", null],
    ["groups must be a whole number of at least 1, got 1.5", { groups: 1.5 }],
    ["6 channels in do not fall into 4 equal groups", { groups: 4 }],
    ["4 channels out do not fall into 3 equal groups", { groups: 3 }],
    ["stride must be a whole number of at least 1, got 0", { stride: 0 }],
    ["padding must be a whole number of at least 0, got -1", { padding: -1 }],
    ['dilation must be a whole number of at least 1, got "2", a string', { dilation: "2" }],
    ["init must be a function such as kaimingUniform, got 3", { init: 3 }],
    ["expected random, a RandomStream, got 7", { random: 7 }],
  ])("says, when it is made: %s", (message, options) => {
    const call = (): unknown => make(wrong(options));
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(`${name}: ${message}`);
  });
});

describe("a convolution", () => {
  it.each<[message: string, call: () => unknown]>([
    ["Conv2d: in must be a whole number of at least 1, got 0", () => new Conv2d(0, 1, 3)],
    ["Conv2d: out must be a whole number of at least 1, got 1.5", () => new Conv2d(1, 1.5, 3)],
    ["Conv2d: kernel must be a whole number of at least 1, got 0", () => new Conv2d(1, 1, 0)],
    [
      "Conv2d: kernel must be one whole number of at least 1 or two, [vertical, horizontal], got [3, 0]",
      () => new Conv2d(1, 1, [3, 0]),
    ],
    [
      "Conv2d: kernel must be a whole number of at least 1, got undefined",
      () => new Conv2d(1, 1, wrong(undefined)),
    ],
    [
      'Conv2d: unknown option "outputPadding"; possible are stride, padding, dilation, groups, bias, init, random, kernels',
      () => new Conv2d(1, 1, 3, wrong({ outputPadding: 1 })),
    ],
    [
      "Conv1d: kernel must be a whole number of at least 1, got an array",
      () => new Conv1d(1, 1, wrong([3, 3])),
    ],
    [
      "ConvTranspose2d: outputPadding must be below stride or dilation, got 2 with stride 2 and dilation 1",
      () => new ConvTranspose2d(1, 1, 3, { stride: 2, outputPadding: 2 }),
    ],
    [
      'ConvTranspose2d: unknown option "output_padding"; possible are stride, padding, dilation, groups, outputPadding, bias, init, random, kernels',
      () => new ConvTranspose2d(1, 1, 3, wrong({ output_padding: 1 })),
    ],
    [
      "conv2d: expected x [samples, in, height, width] and weight [out, in, height, width], got x [4, 8, 8] and weight [1, 3, 3, 3]",
      () => new Conv2d(3, 1, 3).forward(zeros([4, 8, 8])),
    ],
  ])("says: %s", (message, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });

  it("passes its settings on", () => {
    const random = new RandomStream(2);
    const layer = new Conv2d(4, 2, 3, { stride: [2, 1], padding: 1, dilation: [1, 2], groups: 2, random });
    const x = ones([1, 4, 7, 8]);
    const settings = { stride: [2, 1], padding: [1, 1], dilation: [1, 2], groups: 2 } as const;
    expect(layer.settings).toEqual(settings);
    expect(layer.forward(x).data).toEqual(conv2d(x, layer.weight, layer.bias!, settings).data);

    const back = new ConvTranspose2d(4, 2, 3, {
      stride: 2,
      padding: 1,
      outputPadding: [1, 0],
      groups: 2,
      random,
    });
    expect(back.forward(x).shape).toEqual([1, 2, 14, 15]);
    const row = new Conv1d(4, 2, 3, { stride: 2, padding: 1, dilation: 2, groups: 2, random });
    expect(row.settings).toEqual({ stride: 2, padding: 1, dilation: 2, groups: 2 });
    expect(row.forward(ones([1, 4, 9])).shape).toEqual([1, 2, 4]);
  });

  it("keeps its own copy of settings", () => {
    const stride: [number, number] = [2, 1];
    const layer = new Conv2d(1, 1, 1, { stride });
    stride.fill(3);
    expect(layer.forward(ones([1, 1, 4, 4])).shape).toEqual([1, 1, 2, 4]);
  });

  it("takes a state as PyTorch's layers have it", () => {
    const model = new Sequential({
      conv: new Conv2d(1, 2, 2),
      up: new ConvTranspose2d(2, 1, 2, { stride: 2 }),
    });
    model.loadStateDict(
      new Map([
        [
          "conv.weight",
          tensor([
            [
              [
                [1, 0],
                [0, 1],
              ],
            ],
            [
              [
                [0, 1],
                [1, 0],
              ],
            ],
          ]),
        ],
        ["conv.bias", tensor([0, 10])],
        [
          "up.weight",
          tensor([
            [
              [
                [1, 0],
                [0, 0],
              ],
            ],
            [
              [
                [0, 0],
                [0, 1],
              ],
            ],
          ]),
        ],
        ["up.bias", tensor([0.5])],
      ]),
    );
    expect(
      model
        .forward(
          tensor([
            [
              [
                [1, 2],
                [3, 4],
              ],
            ],
          ]),
        )
        .toArray(),
    ).toEqual([
      [
        [
          [5.5, 0.5],
          [0.5, 15.5],
        ],
      ],
    ]);
  });

  it("trains workload W6 in float32 as in float64, on eight of its images", () => {
    const [single, double] = [float32, float64].map((kernels) => {
      const trainer = imageSupervisionOf(kernels);
      const eight = takeRows(imageBatchesOf(kernels)[0], [0, 1, 2, 3, 4, 5, 6, 7]);
      return [0, 1, 2].map(() => trainer.trainStep(eight).total);
    });
    // The tolerance of W1 and W5: γ₇₈₄ for the longest sum of a forward pass, losses of order 1.
    for (const [step, loss] of double.entries()) expect(Math.abs(single[step] - loss)).toBeLessThan(1e-4);
    expect(Math.abs(double[0] - Math.log(10))).toBeLessThan(0.2);
    expect(double[2]).toBeLessThan(double[0]);
  });

  it("learns to tell rows from columns, wherever they are", () => {
    const random = new RandomStream(3);
    const model = new Sequential({
      conv: new Conv2d(1, 4, 3, { padding: 1, random }),
      relu: new ReLU(),
      pool: new MaxPool2d(2),
      spread: new AvgPool2d(3),
      flat: new Flatten(),
      logits: new Linear(4, 2, { random }),
    });
    // Six images of a row, six of a column, of 6 × 6.
    const image = (n: number, i: number): number => Number(n < 6 ? Math.floor(i / 6) === n : i % 6 === n - 6);
    const x = tensor(
      Float32Array.from({ length: 12 * 36 }, (_, i) => image(Math.floor(i / 36), i % 36)),
      { shape: [12, 1, 6, 6] },
    );
    const labels = Int32Array.from({ length: 12 }, (_, n) => Number(n >= 6));
    const optimizer = new Adam(model.parameters(), { learningRate: 0.05 });
    const losses = Array.from({ length: 60 }, () => {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(x), labels);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    expect(losses[0]).toBeGreaterThan(0.5);
    expect(losses.at(-1)).toBeLessThan(0.05);
  });
});
