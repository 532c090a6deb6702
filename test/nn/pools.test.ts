import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { ones, tensor } from "../../src/factories.ts";
import { AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool2d, MaxPool2d, type Module } from "../../src/nn/index.ts";
import { adaptiveAvgPool2d, avgPool2d, globalAvgPool2d, maxPool2d } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
const wrong = (value: unknown): any => value;

const random = new RandomStream(1);
const x = tensor(
  Float32Array.from({ length: 2 * 3 * 7 * 9 }, () => random.normal()),
  { shape: [2, 3, 7, 9] },
);

describe("a pooling", () => {
  it.each<[name: string, layer: Module, op: (x: Tensor) => Tensor]>([
    ["MaxPool2d", new MaxPool2d(2), (t) => maxPool2d(t, { size: 2 })],
    [
      "MaxPool2d with a stride and a padding",
      new MaxPool2d([3, 2], { stride: [1, 3], padding: 1 }),
      (t) => maxPool2d(t, { size: [3, 2], stride: [1, 3], padding: 1 }),
    ],
    ["AvgPool2d", new AvgPool2d([2, 3]), (t) => avgPool2d(t, { size: [2, 3] })],
    [
      "AvgPool2d with all settings",
      new AvgPool2d(3, { stride: 2, padding: [1, 0], countPadding: false }),
      (t) => avgPool2d(t, { size: 3, stride: 2, padding: [1, 0], countPadding: false }),
    ],
    ["AdaptiveAvgPool2d", new AdaptiveAvgPool2d([2, 4]), (t) => adaptiveAvgPool2d(t, [2, 4])],
    ["GlobalAvgPool2d", new GlobalAvgPool2d(), globalAvgPool2d],
  ])("is its op, without a parameter: %s", (_, layer, op) => {
    const [y, wanted] = [layer.forward(x), op(x)];
    expect(y.shape).toEqual(wanted.shape);
    expect(y.data).toEqual(wanted.data);
    expect(layer.stateDict().size).toBe(0);
    expect(layer.multiplyAdds(x.shape, y.shape)).toBe(0);
  });

  it.each<[message: string, call: () => unknown]>([
    [
      "MaxPool2d: size must be a whole number of at least 1, got undefined",
      () => new MaxPool2d(wrong(undefined)),
    ],
    [
      'MaxPool2d: unknown option "size"; possible are stride, padding',
      () => new MaxPool2d(2, wrong({ size: 3 })),
    ],
    ["MaxPool2d: expected { stride, padding }, got 2", () => new MaxPool2d(2, wrong(2))],
    ["MaxPool2d: stride must be a whole number of at least 1, got 0", () => new MaxPool2d(2, { stride: 0 })],
    ["MaxPool2d: padding must be at most half of size 2, got 2", () => new MaxPool2d([4, 2], { padding: 2 })],
    [
      'AvgPool2d: unknown option "count_include_pad"; possible are stride, padding, countPadding',
      () => new AvgPool2d(2, wrong({ count_include_pad: false })),
    ],
    [
      "AvgPool2d: countPadding must be true or false, got 1",
      () => new AvgPool2d(2, wrong({ countPadding: 1 })),
    ],
    ["AvgPool2d: size must be a whole number of at least 1, got 1.5", () => new AvgPool2d(1.5)],
    [
      "AdaptiveAvgPool2d: size must be one whole number of at least 1 or two, [vertical, horizontal], got [2]",
      () => new AdaptiveAvgPool2d(wrong([2])),
    ],
    [
      "globalAvgPool2d: expected x [samples, channels, height, width] with at least one value in a plane, got [3, 4]",
      () => new GlobalAvgPool2d().forward(ones([3, 4])),
    ],
  ])("says: %s", (message, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
});
