/** Tensors have the shape, the values and the set that is asked for, and shrink to a part with round values. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensors } from "../../../src/check/fast-check/index.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { simplest } from "./simplest.ts";

const runs = { seed: 1, numRuns: 300 };
const seeds = [1, 2, 3, 4, 5];
const plain = ({ shape, data }: Tensor): [shape: readonly number[], values: number[]] => [shape, [...data]];
const some =
  (fails: (x: number) => boolean) =>
  ({ data }: Tensor): boolean =>
    data.some(fails);

describe("tensors", () => {
  it("have one shape, or shapes within bounds", () => {
    for (const { shape } of fc.sample(tensors({ shape: [2, 0, 3] }), runs)) expect(shape).toEqual([2, 0, 3]);
    const drawn = fc.sample(tensors({ minRank: 1, maxRank: 2, minSize: 2, maxSize: 3 }), runs);
    expect(new Set(drawn.map(({ shape }) => shape.join()))).toEqual(
      new Set(["2", "3", "2,2", "2,3", "3,2", "3,3"]),
    );
  });

  it("have values in their range, in the set that is asked for", () => {
    for (const kernels of [float32, float64]) {
      for (const x of fc.sample(tensors({ min: 1, max: 2, gap: 0.25, kinks: [1.5], kernels }), runs)) {
        expect(x.kernels).toBe(kernels);
        expect(x.data.every((v) => v >= 1 && v <= 2 && Math.abs(v - 1.5) >= 0.25)).toBe(true);
      }
    }
    expect(fc.sample(tensors(), 1)[0].kernels).toBe(float32);
  });

  it.each(seeds)("shrink to a scalar of 0 where all fail, seed %d", (seed) => {
    expect(plain(simplest(tensors(), () => true, seed))).toEqual([[], [0]]);
  });

  it.each(seeds)("shrink to the one value that fails, wherever it stood, seed %d", (seed) => {
    const one = some((x) => x > 2);
    expect(plain(simplest(tensors(), one, seed))).toEqual([[], [3]]);
    expect(plain(simplest(tensors({ minRank: 2 }), one, seed))).toEqual([[1, 1], [3]]);
    const [shape, values] = plain(simplest(tensors({ minSize: 2, minRank: 1 }), one, seed));
    expect([shape, [...values].sort()]).toEqual([[2], [0, 3]]);
  });

  it.each(seeds)("shrink to two values where it takes two, seed %d", (seed) => {
    const [shape, values] = plain(
      simplest(tensors(), ({ data }) => data.filter((x) => x < -0.5).length > 1, seed),
    );
    expect([shape, values]).toEqual([[2], [-1, -1]]);
  });

  it.each(seeds)("keep a fixed shape, and become 0 wherever that still fails, seed %d", (seed) => {
    const [shape, values] = plain(
      simplest(
        tensors({ shape: [2, 3] }),
        some((x) => x > 2),
        seed,
      ),
    );
    expect(shape).toEqual([2, 3]);
    expect([...values].sort()).toEqual([0, 0, 0, 0, 0, 3]);
  });

  it.each(seeds)("shrink in few steps, however large they are, seed %d", (seed) => {
    const triesOf = (drawn: fc.Arbitrary<Tensor>, fails: (x: Tensor) => boolean): number => {
      let tries = 0;
      const counted = (x: Tensor): boolean => {
        const failed = fails(x);
        if (failed || tries > 0) tries++;
        return failed;
      };
      simplest(drawn, counted, seed);
      return tries;
    };
    expect(triesOf(tensors({ shape: [10, 10] }), () => true)).toBeLessThan(5);
    // By halves, in 7 steps of two tries, and a few more for the value that is left.
    const long = tensors({ minRank: 1, maxRank: 1, minSize: 1, maxSize: 100 });
    expect(triesOf(long, ({ data }) => data[0] > 2.5)).toBeLessThan(30);
    expect(triesOf(long, ({ data }) => data[data.length - 1] > 2.5)).toBeLessThan(30);
  });

  it("shrink together with the shape that they share", () => {
    const pairs = fc
      .array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 })
      .chain((shape) => fc.tuple(tensors({ shape }), tensors({ shape })));
    for (const seed of seeds) {
      expect(simplest(pairs, () => true, seed).map(plain)).toEqual([
        [[], [0]],
        [[], [0]],
      ]);
    }
  });

  it("print as tensors in a counterexample", () => {
    const found = fc.check(
      fc.property(tensors({ shape: [1, 2] }), () => false),
      runs,
    );
    expect(fc.stringify(found.counterexample)).toBe("[tensor([[0, 0]], [1, 2] float32)]");
  });
});
