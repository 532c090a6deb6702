/** Shapes are within their bounds, broadcast where they should, and shrink to the smallest that fails. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { broadcastPairs, shapes, shapesBroadcastingTo, sizes } from "../../../src/check/fast-check/index.ts";
import { broadcastShapes, sizeOf } from "../../../src/shape.ts";
import { simplest } from "./simplest.ts";

const runs = { seed: 1, numRuns: 300 };
const seeds = [1, 2, 3, 4, 5];

describe("sizes", () => {
  it("are all of 0 to 3, or of what is asked for", () => {
    expect([...new Set(fc.sample(sizes(), runs))].sort()).toEqual([0, 1, 2, 3]);
    expect([...new Set(fc.sample(sizes({ minSize: 2, maxSize: 4 }), runs))].sort()).toEqual([2, 3, 4]);
    expect(fc.sample(sizes({ minSize: 1, maxSize: 1 }), { seed: 1, numRuns: 3 })).toEqual([1, 1, 1]);
  });

  it.each(seeds)("shrink to the smallest that fails, seed %d", (seed) => {
    expect(simplest(sizes(), () => true, seed)).toBe(0);
    expect(simplest(sizes(), (size) => size >= 2, seed)).toBe(2);
    expect(simplest(sizes({ minSize: 1 }), () => true, seed)).toBe(1);
  });
});

describe("shapes", () => {
  it("have ranks and sizes within their bounds, and reach them", () => {
    const drawn = fc.sample(shapes({ minRank: 1, maxRank: 3, minSize: 1, maxSize: 2 }), runs);
    expect([...new Set(drawn.map(({ length }) => length))].sort()).toEqual([1, 2, 3]);
    expect([...new Set(drawn.flat())].sort()).toEqual([1, 2]);
    expect([...new Set(fc.sample(shapes(), runs).map(({ length }) => length))].sort()).toEqual([
      0, 1, 2, 3, 4,
    ]);
  });

  it.each(seeds)("shrink to fewer axes, then to smaller ones, seed %d", (seed) => {
    expect(simplest(shapes(), () => true, seed)).toEqual([]);
    expect(simplest(shapes(), ({ length }) => length >= 2, seed)).toEqual([0, 0]);
    expect(simplest(shapes({ minRank: 1, minSize: 1 }), () => true, seed)).toEqual([1]);
    expect(simplest(shapes({ maxRank: 1 }), (shape) => sizeOf(shape) > 1, seed)).toEqual([2]);
  });
});

describe("shapes that broadcast", () => {
  it("broadcast to the common one, in pairs and alone", () => {
    fc.assert(
      fc.property(broadcastPairs(), ([a, b, common]) => {
        expect(broadcastShapes("test", a, b)).toEqual(common);
      }),
      runs,
    );
    fc.assert(
      fc.property(shapesBroadcastingTo([2, 1, 3]), (shape) => {
        expect(broadcastShapes("test", shape, [2, 1, 3])).toEqual([2, 1, 3]);
      }),
      runs,
    );
  });

  it("are each the large one at times, and each the small one", () => {
    const drawn = fc.sample(broadcastPairs(), runs);
    expect(drawn.some(([a, b]) => sizeOf(a) > sizeOf(b))).toBe(true);
    expect(drawn.some(([a, b]) => sizeOf(a) < sizeOf(b))).toBe(true);
    expect(drawn.some(([a, b]) => a.length > b.length)).toBe(true);
    expect(drawn.some(([a, b, common]) => sizeOf(a) < sizeOf(common) && sizeOf(b) < sizeOf(common))).toBe(
      true,
    );
  });

  it.each(seeds)("shrink to two scalars, or to a scalar and what it is repeated to, seed %d", (seed) => {
    expect(simplest(broadcastPairs(), () => true, seed)).toEqual([[], [], []]);
    const [a, b, common] = simplest(broadcastPairs(), ([left, , to]) => sizeOf(left) < sizeOf(to), seed);
    expect([sizeOf(a), b, common]).toEqual([1, [2], [2]]);
  });
});
