/** variance of values that are far from 0, equal, huge or infinite. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { mean, variance } from "../../src/ops/index.ts";
import type { Tensor } from "../../src/tensor.ts";
import { in64, operand } from "../support/arbitraries.ts";

const { POSITIVE_INFINITY: infinity } = Number;
const runs = { seed: 1, numRuns: 60 };
const parameter = (values: number[]): Tensor => tensor(values, { kernels: float64, requiresGrad: true });
const gradient = (x: Tensor): number[] => [...(x.grad?.data ?? [])];

describe("variance", () => {
  it("has the correction 1 where none is given", () => {
    const x = in64({ shape: [4], values: [1, 2, 4, 9] });
    // Mean 4, squares 9 + 4 + 0 + 25 = 38.
    expect(variance(x).item()).toBe(38 / 3);
    expect(variance(x, 0, { correction: 0 }).item()).toBe(38 / 4);
    expect(variance(x, undefined, { correction: 2, keepAxes: true }).toArray()).toEqual([19]);
  });

  it("keeps its digits where the mean is large", () => {
    const x = in64({ shape: [3], values: [1e15, 1e15 + 1, 1e15 + 2] });
    expect(variance(x).item()).toBe(1);
    const leaf = parameter([1e15, 1e15 + 1, 1e15 + 2]);
    variance(leaf).backward();
    expect(gradient(leaf)).toEqual([-1, 0, 1]);
  });

  it("is exactly 0 for equal values, with a gradient of exactly 0", () => {
    for (const value of [0.1, 1 / 3, 1e30, -7e-30, 2 ** -149]) {
      const x = tensor(new Float32Array(1000).fill(value), { requiresGrad: true });
      const y = variance(x);
      expect(y.item()).toBe(0);
      y.backward();
      expect(gradient(x).every((g) => g === 0)).toBe(true);
    }
  });

  it("is not moved by a constant that is added exactly, and grows with the square of a factor", () => {
    fc.assert(
      fc.property(operand([2, 5]), fc.integer({ min: -8, max: 8 }), (x, c) => {
        const eighths = x.values.map((value) => Math.round(8 * value) / 8);
        const of = (f: (value: number) => number): Tensor =>
          variance(in64({ shape: [2, 5], values: eighths.map(f) }), 0);
        const [still, moved, doubled] = [of((v) => v), of((v) => v + c), of((v) => 2 * v)];
        expect(moved.toArray()).toEqual(still.toArray());
        expect([...doubled.data]).toEqual([...still.data].map((y) => 4 * y));
      }),
      runs,
    );
  });

  it("has a gradient that sums to 0: a constant changes nothing", () => {
    fc.assert(
      fc.property(operand([6]), (x) => {
        const leaf = in64(x);
        leaf.requiresGrad = true;
        variance(leaf).backward();
        const total = gradient(leaf).reduce((a, b) => a + b, 0);
        expect(Math.abs(total)).toBeLessThanOrEqual(2 ** -46);
      }),
      runs,
    );
  });

  it("is 0 over no axes without a correction: each value is its own mean", () => {
    expect(variance(in64({ shape: [2], values: [3, -2] }), [], { correction: 0 }).toArray()).toEqual([0, 0]);
  });

  it("is NaN for infinities", () => {
    expect(variance(tensor([1, infinity])).item()).toBeNaN();
  });

  it("squares what float32 could not", () => {
    const x = tensor([1e30, 1e30, 1e30, -1e30]);
    const value = Math.fround(1e30);
    // Mean ½ v, squares 3 (½ v)² + (3/2 v)² = 3 v²: the sum is no infinity before it is rounded, and its root is.
    expect(variance(x, 0).item()).toBe(infinity);
    expect(mean(x).item()).toBe(Math.fround(value / 2));
    const leaf = tensor([1e30, 1e30, 1e30, -1e30], { requiresGrad: true });
    variance(leaf, 0).backward();
    const slope = Math.fround((value / 2) * (2 / 3));
    expect(gradient(leaf)).toEqual([slope, slope, slope, Math.fround(-value)]);
  });
});
