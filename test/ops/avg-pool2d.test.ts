/** Poolings by mean: what they count, how they round, and what they are of each other. */
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { adaptiveAvgPool2d, avgPool2d, globalAvgPool2d, mean, sum } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";

const round = Math.fround;
const plane = (values: number[][]): Tensor => tensor([[values]], { requiresGrad: true });
const planeOf = (x: Tensor | null): unknown => (x!.toArray() as number[][][][])[0][0];

function normal(shape: Shape, seed: number): Tensor {
  const random = new RandomStream(seed);
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
    { shape, requiresGrad: true },
  );
}

describe("avgPool2d", () => {
  it("counts its padding as zeros, or not at all", () => {
    const x = plane([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const options = { size: [2, 3], stride: [2, 2], padding: [1, 1] } as const;
    expect(planeOf(avgPool2d(x, options))).toEqual([
      [round(3 / 6), round(5 / 6)],
      [round(9 / 6), round(11 / 6)],
    ]);
    const counted = avgPool2d(x, { ...options, countPadding: false });
    expect(planeOf(counted)).toEqual([
      [1.5, 2.5],
      [4.5, 5.5],
    ]);
    sum(counted).backward();
    expect(planeOf(x.grad)).toEqual([
      [0.5, 1, 0.5],
      [0.5, 1, 0.5],
    ]);
  });

  it("leaves a plane of equal values what it is, with padding that does not count", () => {
    const x = plane(Array.from({ length: 5 }, () => new Array<number>(4).fill(0.1)));
    const y = avgPool2d(x, { size: 3, stride: 1, padding: 1, countPadding: false });
    expect(planeOf(y)).toEqual(planeOf(x));
  });

  it("sums in float64 and rounds once, forward and backward", () => {
    // In float32 each of the ones would be lost beside 2²⁴.
    const x = plane([[2 ** 24, 1, 1, 1, 1]]);
    expect(avgPool2d(x, { size: [1, 5] }).item()).toBe(round((2 ** 24 + 4) / 5));
    avgPool2d(x, { size: [1, 3], stride: 1 }).backward(tensor([[[[3 * 2 ** 24, 3, 3]]]]));
    expect(planeOf(x.grad)).toEqual([[2 ** 24, 2 ** 24, 2 ** 24 + 2, 2, 1]]);
  });

  it("drops what no window reaches, and adds up where windows overlap", () => {
    const x = plane([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    const y = avgPool2d(x, { size: [1, 2], stride: [2, 1] });
    expect(planeOf(y)).toEqual([[1.5, 2.5, 3.5]]);
    y.backward(tensor([[[[2, 4, 8]]]]));
    expect(planeOf(x.grad)).toEqual([
      [1, 3, 6, 4],
      [0, 0, 0, 0],
    ]);
  });

  it("shows NaN in the windows that hold it, and in no other", () => {
    const y = avgPool2d(plane([[Number.NaN, 1, 2, 3]]), { size: [1, 2] });
    expect(planeOf(y)).toEqual([[Number.NaN, 2.5]]);
  });
});

describe("adaptiveAvgPool2d", () => {
  it("is avgPool2d where its size divides the planes", () => {
    const [x, same] = [normal([2, 3, 6, 8], 1), normal([2, 3, 6, 8], 1)];
    const [y, wanted] = [adaptiveAvgPool2d(x, [3, 2]), avgPool2d(same, { size: [2, 4] })];
    expect(y.shape).toEqual(wanted.shape);
    expect(y.data).toEqual(wanted.data);
    const dy = normal(y.shape, 2).detach();
    y.backward(dy);
    wanted.backward(dy);
    expect(x.grad!.data).toEqual(same.grad!.data);
  });

  it("shares positions between neighbours where it does not", () => {
    const x = plane([[1, 2, 4, 8, 16]]);
    const y = adaptiveAvgPool2d(x, [1, 3]);
    // Positions 0–1, 1–3, 3–4.
    expect(planeOf(y)).toEqual([[1.5, round(14 / 3), 12]]);
    y.backward(tensor([[[[2, 3, 4]]]]));
    expect(planeOf(x.grad)).toEqual([[1, 2, 1, 3, 2]]);
  });

  it("repeats values where the result is larger than the plane", () => {
    const x = plane([[1], [2]]);
    const y = adaptiveAvgPool2d(x, [5, 2]);
    expect(planeOf(y)).toEqual([
      [1, 1],
      [1, 1],
      [1.5, 1.5],
      [2, 2],
      [2, 2],
    ]);
    sum(y).backward();
    expect(planeOf(x.grad)).toEqual([[5], [5]]);
  });

  it("leaves planes of the wanted size as they are", () => {
    const x = normal([2, 2, 3, 4], 3);
    expect(adaptiveAvgPool2d(x, [3, 4]).data).toEqual(x.data);
  });
});

describe("globalAvgPool2d", () => {
  it("is the mean over the last two axes, and adaptiveAvgPool2d of one value, to the last bit", () => {
    const leaves = [1, 2, 3].map(() => normal([3, 4, 5, 3], 4));
    const results = [globalAvgPool2d(leaves[0]), mean(leaves[1], [2, 3]), adaptiveAvgPool2d(leaves[2], 1)];
    expect(results.map(({ shape }) => shape)).toEqual([
      [3, 4],
      [3, 4],
      [3, 4, 1, 1],
    ]);
    const dy = normal([3, 4], 5).data;
    for (const [i, y] of results.entries()) {
      expect(y.data).toEqual(results[0].data);
      y.backward(tensor(dy, { shape: y.shape }));
      expect(leaves[i].grad!.data).toEqual(leaves[0].grad!.data);
    }
  });
});

describe("a pooling by mean", () => {
  it.each<[name: string, pool: (x: Tensor) => Tensor]>([
    ["avgPool2d", (x) => avgPool2d(x, { size: 3, stride: 2, padding: 1 })],
    ["adaptiveAvgPool2d", (x) => adaptiveAvgPool2d(x, [2, 4])],
    ["globalAvgPool2d", globalAvgPool2d],
  ])("computes a sample in a batch to the same bits as alone: %s", (_, pool) => {
    const x = normal([3, 2, 5, 7], 6);
    const whole = pool(x);
    for (let n = 0; n < 3; n++) {
      const alone = pool(tensor(x.data.slice(n * 70, (n + 1) * 70), { shape: [1, 2, 5, 7] }));
      expect(alone.data).toEqual(whole.data.slice(n * alone.size, (n + 1) * alone.size));
    }
  });
});
