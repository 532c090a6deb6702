import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitRows } from "../../src/cli/row-split.ts";
import { tinyRecipe } from "./support/tiny.ts";

describe("splitRows", () => {
  const labels = fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 1, maxLength: 60 });

  it("puts every row in one place, and rows without a label never among those that are tested", () => {
    fc.assert(
      fc.property(
        labels,
        fc.nat(1000),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        (list, seed, test) => {
          const split = splitRows(Int32Array.from(list), { ...tinyRecipe, test }, seed);
          const all = [...split.train, ...split.test, ...split.unlabelled];
          expect(all.sort((a, b) => a - b)).toEqual(list.map((_, row) => row));
          expect([...split.unlabelled].every((row) => list[row] === -1)).toBe(true);
          expect([...split.test, ...split.train].every((row) => list[row] >= 0)).toBe(true);
        },
      ),
    );
  });

  it("takes the few labels from the rows to train on, each once", () => {
    const list = Int32Array.from({ length: 100 }, (_, row) => row % 3);
    const { few, train } = splitRows(list, { ...tinyRecipe, labels: 12 }, 4);
    expect(new Set(few).size).toBe(12);
    expect(Math.max(...few)).toBeLessThan(train.length);
    expect(splitRows(list, { ...tinyRecipe, labels: null }, 4).few.length).toBe(0);
  });

  it("is the same for a seed whatever else is chosen, and another for another seed", () => {
    const list = Int32Array.from({ length: 100 }, (_, row) => row % 3);
    const split = (seed: number, few: number) => splitRows(list, { ...tinyRecipe, labels: few }, seed);
    expect(split(1, 5).train).toEqual(split(1, 50).train);
    expect(split(1, 5).few).toEqual(split(1, 50).few.subarray(0, 5));
    expect(split(1, 5).test).not.toEqual(split(2, 5).test);
  });
});
