/** The walk that broadcasting and reductions share. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forEachRun } from "../../src/ops/broadcasting.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import { shape, thinned } from "../support/arbitraries.ts";
import { broadcastIndex } from "./reference.ts";

/** [large, small] for every entry, as they are visited. */
function visited(small: Shape, large: Shape): [large: number, small: number][] {
  const found: [number, number][] = [];
  forEachRun(small, large, (start, at, length, step) => {
    for (let i = 0; i < length; i++) found.push([start + i, at + i * step]);
  });
  return found;
}

function runs(small: Shape, large: Shape): number[] {
  const lengths: number[] = [];
  forEachRun(small, large, (_start, _at, length) => lengths.push(length));
  return lengths;
}

describe("forEachRun", () => {
  it("visits every entry once, in row-major order, beside the entry that it repeats", () => {
    fc.assert(
      fc.property(
        shape({ maxRank: 5 }).chain((large) => fc.tuple(fc.constant(large), thinned(large))),
        ([large, small]) => {
          const expected = Array.from({ length: sizeOf(large) }, (_, i) => [
            i,
            broadcastIndex(i, large, small),
          ]);
          expect(visited(small, large)).toEqual(expected);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it.each<[what: string, small: Shape, large: Shape, lengths: number[]]>([
    ["everything, where nothing is repeated", [2, 3, 4], [2, 3, 4], [24]],
    ["everything, where one value is", [], [2, 3, 4], [24]],
    ["an axis of length 1 with its neighbours", [2, 1, 3], [2, 1, 3], [6]],
    ["an axis of length 1 at the end likewise", [2, 3, 1], [2, 3, 1], [6]],
    ["two repeated axes, once for each of the axis before", [2, 1, 1], [2, 3, 4], [12, 12]],
    ["two axes in step, once for each repetition", [3, 4], [2, 3, 4], [12, 12]],
    ["alternating axes alone", [2, 1, 2], [2, 2, 2], [2, 2, 2, 2]],
    ["nothing, where there is nothing", [1, 3], [0, 3], []],
    ["a scalar", [], [], [1]],
  ])("takes in one run %s", (_, small, large, lengths) => {
    expect(runs(small, large)).toEqual(lengths);
  });
});
