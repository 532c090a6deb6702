import { describe, expect, it } from "vitest";
import { teacherFeatures, teacherLogits } from "../../src/distill/teacher.ts";
import { DistilgradError } from "../../src/errors.ts";
import { ones, randn, tensor } from "../../src/factories.ts";
import { noGrad } from "../../src/graph.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { BatchNorm1d, BatchNorm2d, Linear, Sequential, summary } from "../../src/nn/index.ts";
import { batchNorm, reshape } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";

const random = (): RandomStream => new RandomStream(1, "batch norm");
const drawn = (shape: Shape): Tensor => randn(shape, { random: random() });
const layers = [
  ["BatchNorm1d of rows", BatchNorm1d, [5, 3]],
  ["BatchNorm1d of sequences", BatchNorm1d, [2, 3, 4]],
  ["BatchNorm2d", BatchNorm2d, [2, 3, 2, 2]],
] as const;

/** The values of a channel in a batch. */
const channelOf = (x: Tensor, c: number): number[] => {
  const length = x.size / (x.shape[0] * x.shape[1]);
  return [...x.data].filter((_, i) => Math.floor(i / length) % x.shape[1] === c);
};

describe.each(layers)("%s", (_, Layer, shape) => {
  it("starts with ones, zeros, and running statistics of a standard normal", () => {
    const layer = new Layer(3);
    expect([...layer.parameters()].map(([name, { data }]) => [name, ...data])).toEqual([
      ["weight", 1, 1, 1],
      ["bias", 0, 0, 0],
    ]);
    expect([...layer.buffers()].map(([name, { data }]) => [name, ...data])).toEqual([
      ["runningMean", 0, 0, 0],
      ["runningVariance", 1, 1, 1],
    ]);
  });

  it("divides by the batch's own statistics while training", () => {
    const layer = new Layer(3, { epsilon: 0.2 });
    layer.weight!.update((data) => data.set([2, -1, 3]));
    layer.bias!.update((data) => data.set([1, 5, -2]));
    const x = drawn(shape);
    const { weight, bias } = layer;
    expect(layer.forward(x).data).toEqual(batchNorm(x, { weight, bias, epsilon: 0.2 }).data);
  });

  it("keeps running statistics by PyTorch's formula, step after step", () => {
    const layer = new Layer(3, { momentum: 0.3, kernels: float64 });
    const stream = random();
    const [means, variances] = [
      [0, 0, 0],
      [1, 1, 1],
    ];
    for (let step = 0; step < 4; step++) {
      const x = randn(shape, { random: stream, kernels: float64 });
      layer.forward(x);
      for (let c = 0; c < 3; c++) {
        const values = channelOf(x, c);
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
        means[c] = 0.7 * means[c] + 0.3 * mean;
        variances[c] = 0.7 * variances[c] + (0.3 * squares) / (values.length - 1);
        expect(Math.abs(layer.runningMean.data[c] - means[c])).toBeLessThan(1e-15);
        expect(Math.abs(layer.runningVariance.data[c] - variances[c])).toBeLessThan(1e-14);
      }
    }
  });

  it("uses the running statistics in evaluation mode, and writes nothing", () => {
    const layer = new Layer(3, { epsilon: 0.2 });
    const x = drawn(shape);
    layer.forward(x);
    layer.eval();
    const versions = [layer.runningMean.storage.version, layer.runningVariance.storage.version];
    const { weight, bias, runningMean: mean, runningVariance: variance } = layer;
    expect(layer.forward(x).data).toEqual(batchNorm(x, { weight, bias, epsilon: 0.2, mean, variance }).data);
    expect([mean.storage.version, variance.storage.version]).toEqual(versions);
  });

  it("learns nothing when it is told so, and keeps its statistics all the same", () => {
    const layer = new Layer(3, { affine: false });
    const x = drawn(shape);
    expect(layer.parameters().size).toBe(0);
    expect(layer.forward(x).data).toEqual(batchNorm(x).data);
    expect([...layer.runningMean.data]).not.toEqual([0, 0, 0]);
  });
});

describe("BatchNorm1d", () => {
  it("takes a tenth of each batch by default, and the unbiased variance", () => {
    const layer = new BatchNorm1d(1);
    layer.forward(tensor([[1], [3]]));
    expect(layer.runningMean.item()).toBe(Math.fround(0.2));
    expect(layer.runningVariance.item()).toBe(Math.fround(1.1)); // 0.9 · 1 + 0.1 · 2
  });

  it.each([
    [0, 0, 1],
    [1, 2, 2],
  ])("keeps all or nothing with momentum %d", (momentum, mean, variance) => {
    const layer = new BatchNorm1d(1, { momentum });
    layer.forward(tensor([[1], [3]]));
    expect([layer.runningMean.item(), layer.runningVariance.item()]).toEqual([mean, variance]);
  });

  it("has an epsilon of 1e-5 by default", () => {
    const y = new BatchNorm1d(1, { kernels: float64 }).forward(
      tensor([[-0.01], [0.01]], { kernels: float64 }),
    );
    expect(y.data[1]).toBeCloseTo(0.01 / Math.sqrt(1e-4 + 1e-5), 14);
  });

  it("writes its statistics under noGrad too, as PyTorch does", () => {
    const layer = new BatchNorm1d(1);
    noGrad(() => layer.forward(tensor([[1], [3]])));
    expect(layer.runningMean.item()).toBe(Math.fround(0.2));
  });

  it("can go back through several passes: what it writes is not what they saved", () => {
    const layer = new BatchNorm1d(1);
    const first = layer.forward(tensor([[1], [3]]));
    const second = layer.forward(tensor([[2], [9]]));
    layer.eval();
    const third = layer.forward(tensor([[2], [9]]));
    layer.train().forward(tensor([[2], [9]]));
    for (const y of [first, second, third]) {
      layer.bias!.zeroGrad();
      layer.weight!.zeroGrad();
      y.backward(tensor([[1], [2]]));
      expect(layer.bias!.grad!.item()).toBe(3);
      // Σ x̂ dy of a float64 x̂, which y is to one rounding: the weight is 1 and the bias 0.
      const [a, b] = [y.data[0], 2 * y.data[1]];
      const roundings = Math.abs(a) + Math.abs(b) + Math.abs(a + b);
      expect(Math.abs(layer.weight!.grad!.item() - (a + b))).toBeLessThanOrEqual(1.01 * 2 ** -24 * roundings);
    }
  });

  it("saves and loads its statistics with its state", () => {
    const [from, to] = [new BatchNorm1d(2), new BatchNorm1d(2)];
    from.forward(drawn([4, 2]));
    expect([...from.stateDict().keys()]).toEqual(["weight", "bias", "runningMean", "runningVariance"]);
    to.loadStateDict(from.stateDict());
    const x = drawn([1, 2]);
    expect(to.eval().forward(x).data).toEqual(from.eval().forward(x).data);
  });

  it("multiplies nothing that a summary counts, and its statistics are not learned", () => {
    const { multiplyAdds, parameters, buffers } = summary(new BatchNorm1d(5), [1, 5]);
    expect({ multiplyAdds, parameters, buffers }).toEqual({ multiplyAdds: 0, parameters: 10, buffers: 10 });
  });

  it("is left as it was by those who ask a teacher, whatever mode it is in", () => {
    const teacher = new Sequential({
      hidden: new Linear(3, 4, { random: random() }),
      norm: new BatchNorm1d(4),
      logits: new Linear(4, 2, { random: random() }),
    });
    const x = drawn([5, 3]);
    const before = teacher.stateDict();
    const logits = teacherLogits(teacher, x);
    expect(teacherFeatures(teacher, x).logits.data).toEqual(logits.data);
    // A single row has no statistics, but a teacher needs none.
    expect(teacherLogits(teacher, reshape(tensor(x.data.slice(0, 3)), [1, 3])).data).toEqual(
      logits.data.slice(0, 2),
    );
    expect(teacher.stateDict()).toEqual(before);
    expect(teacher.training).toBe(true);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
const wrong = (value: unknown): any => value;

describe("a layer of batch normalisation refuses", () => {
  it.each<[message: string, call: () => unknown]>([
    ["BatchNorm1d: channels must be a whole number of at least 1, got 0", () => new BatchNorm1d(0)],
    ["BatchNorm2d: channels must be a whole number of at least 1, got 1.5", () => new BatchNorm2d(1.5)],
    ["BatchNorm1d: momentum must be in [0, 1], got 1.1", () => new BatchNorm1d(2, { momentum: 1.1 })],
    ["BatchNorm1d: momentum must be in [0, 1], got -0.1", () => new BatchNorm1d(2, { momentum: -0.1 })],
    [
      "BatchNorm2d: momentum must be in [0, 1], got null",
      () => new BatchNorm2d(2, wrong({ momentum: null })),
    ],
    ["BatchNorm2d: epsilon must be a finite number above 0, got 0", () => new BatchNorm2d(2, { epsilon: 0 })],
    [
      'BatchNorm2d: unknown option "eps"; possible are epsilon, affine, kernels, momentum',
      () => new BatchNorm2d(2, wrong({ eps: 1 })),
    ],
    [
      "BatchNorm1d: expected x [samples, 2] or [samples, 2, length], got [2, 3]",
      () => new BatchNorm1d(2, { affine: false }).forward(ones([2, 3])),
    ],
    [
      "BatchNorm1d: expected x [samples, 2] or [samples, 2, length], got [4, 2, 3, 3]",
      () => new BatchNorm1d(2).forward(ones([4, 2, 3, 3])),
    ],
    [
      "BatchNorm1d: expected x [samples, 2] or [samples, 2, length], got [2]",
      () => new BatchNorm1d(2).forward(ones([2])),
    ],
    [
      "BatchNorm2d: expected x [samples, 2, height, width], got [4, 2, 3]",
      () => new BatchNorm2d(2).forward(ones([4, 2, 3])),
    ],
    [
      "BatchNorm2d: operand 0 must be a tensor, got 3; wrap it in tensor(…)",
      () => new BatchNorm2d(2).forward(wrong(3)),
    ],
    [
      "BatchNorm1d: operands live in two kernel sets, float64 and float32; make both with the same",
      () => new BatchNorm1d(2, { affine: false }).forward(ones([3, 2], { kernels: float64 })),
    ],
    [
      "batchNorm: expected more than one value a channel, got x [1, 2]; a batch of one has no statistics; where it is what is left of an epoch, drop it with dropLast",
      () => new BatchNorm1d(2).forward(ones([1, 2])),
    ],
  ])("%s", (message, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });

  it("a batch of one without having written anything", () => {
    const layer = new BatchNorm1d(2);
    expect(() => layer.forward(ones([1, 2]))).toThrow(DistilgradError);
    expect([...layer.runningMean.data, ...layer.runningVariance.data]).toEqual([0, 0, 1, 1]);
  });
});
