/** LayerNorm, RMSNorm and GroupNorm: layers that are the same in both modes. */
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { ones, randn, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { GroupNorm, LayerNorm, type Module, RMSNorm, summary } from "../../src/nn/index.ts";
import { groupNorm, layerNorm, rmsNorm } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const x = randn([2, 4, 3], { random: new RandomStream(1) });

/** Each layer with settings of its own, and the op that it stands for. */
const layers: readonly (readonly [
  name: string,
  make: (options: object) => Module & { weight: Tensor | null; bias?: Tensor | null },
  shape: readonly number[],
  op: (x: Tensor, weight: Tensor | null, bias: Tensor | null, epsilon?: number) => Tensor,
])[] = [
  [
    "LayerNorm",
    (options) => new LayerNorm(3, options),
    [3],
    (t, weight, bias, epsilon) => layerNorm(t, { weight, bias, epsilon }),
  ],
  [
    "LayerNorm over two axes",
    (options) => new LayerNorm([4, 3], options),
    [4, 3],
    (t, weight, bias, epsilon) =>
      layerNorm(t, { weight: weight ?? ones([4, 3], { kernels: t.kernels }), bias, epsilon }),
  ],
  [
    "LayerNorm without an offset",
    (options) => new LayerNorm(3, { ...options, bias: false }),
    [3],
    (t, weight, _, epsilon) => layerNorm(t, { weight, epsilon }),
  ],
  [
    "RMSNorm",
    (options) => new RMSNorm(3, options),
    [3],
    (t, weight, _, epsilon) => rmsNorm(t, { weight, epsilon }),
  ],
  [
    "GroupNorm",
    (options) => new GroupNorm(2, 4, options),
    [4],
    (t, weight, bias, epsilon) => groupNorm(t, 2, { weight, bias, epsilon }),
  ],
];

describe.each(layers)("%s", (name, make, shape, op) => {
  it("starts with ones and zeros", () => {
    const layer = make({});
    expect(layer.weight!.shape).toEqual(shape);
    expect(new Set(layer.weight!.data)).toEqual(new Set([1]));
    if (name === "RMSNorm" || name === "LayerNorm without an offset")
      expect([...layer.parameters().keys()]).toEqual(["weight"]);
    else {
      expect([...layer.parameters().keys()]).toEqual(["weight", "bias"]);
      expect(layer.bias!.shape).toEqual(shape);
      expect(new Set(layer.bias!.data)).toEqual(new Set([0]));
    }
    expect(layer.buffers().size).toBe(0);
  });

  it("is its op with its parameters and its epsilon, in both modes", () => {
    const layer = make({ epsilon: 0.3 });
    for (const parameter of layer.parameters().values()) {
      parameter.update((data) => {
        for (let i = 0; i < data.length; i++) data[i] = i - 1.5;
      });
    }
    const y = op(x, layer.weight, layer.bias ?? null, 0.3);
    expect(layer.forward(x).data).toEqual(y.data);
    expect(layer.eval().forward(x).data).toEqual(y.data);
    expect(make({}).forward(x).data).toEqual(op(x, null, null).data);
  });

  it("learns nothing when it is told so", () => {
    const layer = make({ affine: false, epsilon: 0.3 });
    expect(layer.parameters().size).toBe(0);
    expect(layer.forward(x).data).toEqual(op(x, null, null, 0.3).data);
    expect(layer.forward(x).shape).toEqual([2, 4, 3]);
    const empty = ones([0, 4, 3]);
    expect(layer.forward(empty).shape).toEqual([0, 4, 3]);
  });

  it("lives in the kernel set it is given, float32 by default", () => {
    expect(make({}).weight!.kernels).toBe(float32);
    expect(make({ kernels: float64 }).weight!.kernels).toBe(float64);
  });

  it("multiplies nothing that a summary counts", () => {
    expect(summary(make({}), [2, 4, 3]).multiplyAdds).toBe(0);
  });
});

describe("LayerNorm", () => {
  it("keeps its own copy of a shape", () => {
    const shape = [4, 3];
    const layer = new LayerNorm(shape);
    shape.fill(9);
    expect(layer.shape).toEqual([4, 3]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
const wrong = (value: unknown): any => value;

describe("a layer of normalisation refuses", () => {
  it.each<[message: string, call: () => unknown]>([
    ["LayerNorm: a size must be a whole number of at least 1, got 0", () => new LayerNorm(0)],
    ["LayerNorm: a size must be a whole number of at least 1, got 0", () => new LayerNorm([4, 0])],
    ["LayerNorm: sizes are whole numbers of at least 0, got [1.5]", () => new LayerNorm(1.5)],
    ['LayerNorm: expected a shape such as [2, 3], got "3", a string', () => new LayerNorm(wrong("3"))],
    ["LayerNorm: expected at least one axis, got []", () => new LayerNorm([])],
    ["LayerNorm: epsilon must be a finite number above 0, got 0", () => new LayerNorm(3, { epsilon: 0 })],
    [
      "LayerNorm: epsilon must be a finite number above 0, got Infinity",
      () => new LayerNorm(3, { epsilon: Number.POSITIVE_INFINITY }),
    ],
    [
      'LayerNorm: unknown option "eps"; possible are epsilon, affine, kernels, bias',
      () => new LayerNorm(3, wrong({ eps: 1 })),
    ],
    ["LayerNorm: expected x […, 4], got [2, 4, 3]", () => new LayerNorm(4).forward(x)],
    ["LayerNorm: expected x […, 4], got [2, 4, 3]", () => new LayerNorm(4, { affine: false }).forward(x)],
    ["LayerNorm: expected x […, 2, 4, 3], got [4, 3]", () => new LayerNorm([2, 4, 3]).forward(ones([4, 3]))],
    [
      "LayerNorm: operand 0 must be a tensor, got 3; wrap it in tensor(…)",
      () => new LayerNorm(4).forward(wrong(3)),
    ],
    ["RMSNorm: width must be a whole number of at least 1, got 0", () => new RMSNorm(0)],
    ["RMSNorm: epsilon must be a finite number above 0, got -1", () => new RMSNorm(3, { epsilon: -1 })],
    [
      'RMSNorm: unknown option "bias"; possible are epsilon, affine, kernels',
      () => new RMSNorm(3, wrong({ bias: true })),
    ],
    ["RMSNorm: expected x […, 4], got [2, 4, 3]", () => new RMSNorm(4, { affine: false }).forward(x)],
    [
      "RMSNorm: operand 0 must be a tensor, got 3; wrap it in tensor(…)",
      () => new RMSNorm(4).forward(wrong(3)),
    ],
    ["GroupNorm: groups must be a whole number of at least 1, got 0", () => new GroupNorm(0, 4)],
    ["GroupNorm: channels must be a whole number of at least 1, got 0.5", () => new GroupNorm(1, 0.5)],
    ["GroupNorm: 4 channels in all do not fall into 3 equal groups", () => new GroupNorm(3, 4)],
    [
      "GroupNorm: epsilon must be a finite number above 0, got NaN",
      () => new GroupNorm(1, 4, { epsilon: Number.NaN }),
    ],
    [
      'GroupNorm: unknown option "bias"; possible are epsilon, affine, kernels',
      () => new GroupNorm(1, 4, wrong({ bias: false })),
    ],
    [
      "GroupNorm: expected x [samples, 8, …], got [2, 4, 3]",
      () => new GroupNorm(2, 8, { affine: false }).forward(x),
    ],
    [
      "GroupNorm: operand 0 must be a tensor, got 3; wrap it in tensor(…)",
      () => new GroupNorm(2, 8).forward(wrong(3)),
    ],
  ])("%s", (message, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });

  it("a tensor of another kernel set", () => {
    expect(() => new LayerNorm(3).forward(tensor([[1, 2, 3]], { kernels: float64 }))).toThrow(
      new DistilgradError(
        "kernels",
        "layerNorm: operands live in two kernel sets, float64 and float32; make both with the same",
      ),
    );
  });
});
