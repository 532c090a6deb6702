import { describe, expect, it } from "vitest";
import { splitRows } from "../../src/cli/row-split.ts";
import { sweepSplit } from "../../src/cli/sweep-split.ts";
import { clouds } from "./support/tiny.ts";

const { labels } = clouds(97, 10);
const recipe = { test: 0.25, labels: 9 };
const sorted = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b);

describe("the split of a sweep", () => {
  it.each([0, 1, 7])("tests on the rows that distill tests on, seed %i", (seed) => {
    const whole = splitRows(labels, recipe, seed);
    const { train, test, unlabelled } = sweepSplit(labels, recipe, 0.2, seed, "test");
    expect(test).toEqual(whole.test);
    expect(unlabelled).toEqual(whole.unlabelled);
    const { test: validation } = sweepSplit(labels, recipe, 0.2, seed, "validation");
    expect(sorted([...train, ...validation])).toEqual(sorted(whole.train));
  });

  it("chooses by a share of the rows that distill trains on, whoever judges in the end", () => {
    const whole = splitRows(labels, recipe, 3);
    const [chosenBy, testedOn] = (["validation", "test"] as const).map((judges) =>
      sweepSplit(labels, recipe, 0.2, 3, judges),
    );
    expect(chosenBy.test.length).toBe(Math.round(0.2 * whole.train.length));
    expect(chosenBy.train).toEqual(testedOn.train);
    expect(chosenBy.few).toEqual(testedOn.few);
  });

  it("takes few labels among the rows that are left to train on", () => {
    const { train, few } = sweepSplit(labels, recipe, 0.5, 1, "validation");
    expect(few.length).toBe(9);
    expect(new Set(few).size).toBe(9);
    expect(Math.max(...few)).toBeLessThan(train.length);
    expect(sweepSplit(labels, { ...recipe, labels: null }, 0.5, 1, "validation").few.length).toBe(0);
  });
});
