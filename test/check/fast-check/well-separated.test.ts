/** Values that keep their distance, in any order, and also when they shrink. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wellSeparated } from "../../../src/check/fast-check/index.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { simplest } from "./simplest.ts";

const runs = { seed: 1, numRuns: 300 };
const seeds = [1, 2, 3, 4, 5];
const plain = ({ shape, data }: Tensor): [shape: readonly number[], values: number[]] => [shape, [...data]];

describe("wellSeparated", () => {
  const closest = ({ data }: Tensor): number => {
    const sorted = [...data].sort((a, b) => a - b);
    return Math.min(...[...sorted.keys()].slice(1).map((i) => sorted[i] - sorted[i - 1]));
  };

  it.each([0.05, 1, 1e-3])("has no two values within %d of each other", (gap) => {
    for (const kernels of [float32, float64]) {
      for (const x of fc.sample(wellSeparated({ gap, kernels }), runs)) {
        if (x.size > 1) expect(closest(x)).toBeGreaterThanOrEqual(gap);
        expect([...x.data]).toEqual([...x.data].map(Math.fround));
      }
    }
  });

  it("has values in every order, on both sides of 0, with all their bits", () => {
    const drawn = fc
      .sample(wellSeparated({ shape: [3], kernels: float64 }), runs)
      .map(({ data }) => [...data]);
    const order = (values: number[]): string =>
      values.map((x) => [...values].sort((a, b) => a - b).indexOf(x)).join();
    expect(new Set(drawn.map(order)).size).toBe(6);
    expect(drawn.every((values) => Math.min(...values) < 0 && Math.max(...values) > 0)).toBe(true);
    expect(new Set(drawn.flat()).size).toBeGreaterThan(100);
  });

  it.each(seeds)("shrinks to even distances, ascending if that fails, too, seed %d", (seed) => {
    const of = wellSeparated({ shape: [3], gap: 1, kernels: float64 });
    expect(plain(simplest(of, () => true, seed))[1]).toEqual([-1.5, 0, 1.5]);
    const largestFirst = simplest(of, ({ data }) => data[0] === Math.max(...data), seed);
    expect(largestFirst.data[0]).toBe(1.5);
    expect([...largestFirst.data].sort((a, b) => a - b)).toEqual([-1.5, 0, 1.5]);
  });

  it.each(seeds)("shrinks to two values where it takes two, still apart, seed %d", (seed) => {
    const [shape, values] = plain(simplest(wellSeparated({ gap: 1 }), ({ size }) => size > 1, seed));
    expect([shape, values]).toEqual([[2], [-1.5, 0]]);
  });
});
