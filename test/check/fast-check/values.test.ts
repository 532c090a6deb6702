/** Values are float32 numbers where they are wanted, and shrink to round ones. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ValueOptions, values } from "../../../src/check/fast-check/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { simplest } from "./simplest.ts";

const runs = { seed: 1, numRuns: 1000 };

describe("values", () => {
  it.each<[what: string, options: ValueOptions]>([
    ["from −3 to 3", {}],
    ["from 0.25 to 8", { min: 0.25, max: 8 }],
    ["from 2 to 3, without 0 and ±1", { min: 2, max: 3 }],
    ["away from 0", { gap: 0.5 }],
    ["away from both kinks, but not from 0", { gap: 0.25, kinks: [-1.5, 2] }],
  ])("are float32 numbers %s", (_, options) => {
    const { min = -3, max = 3, gap = 0, kinks = [0] } = options;
    const drawn = fc.sample(values(options), runs);
    for (const x of drawn) {
      expect(Math.fround(x)).toBe(x);
      expect(x).toBeGreaterThanOrEqual(min);
      expect(x).toBeLessThanOrEqual(max);
      for (const kink of kinks) expect(Math.abs(x - kink)).toBeGreaterThanOrEqual(gap);
    }
    // Half of the numbers have the last bit of their mantissa: their sums and products are rounded.
    const odd = drawn.filter(
      (x) => x !== 0 && (x / 2 ** (Math.floor(Math.log2(Math.abs(x))) - 23)) % 2 !== 0,
    );
    expect(odd.length).toBeGreaterThan(runs.numRuns / 4);
  });

  it("are 0, 1 and −1 now and then, and small at times", () => {
    const drawn = fc.sample(values(), runs);
    for (const special of [0, 1, -1]) expect(drawn).toContain(special);
    expect(drawn.some((x) => x !== 0 && Math.abs(x) < 2 ** -11)).toBe(true);
  });

  it.each<[what: string, options: ValueOptions, fails: (x: number) => boolean, expected: number]>([
    ["whatever it is", {}, () => true, 0],
    ["what is above 2", {}, (x) => x > 2, 3],
    ["what is below −1", {}, (x) => x < -1, -2],
    ["what is large", { max: 100 }, (x) => x > 17, 18],
    ["what has a fraction", {}, (x) => x % 1 !== 0, 0.5],
    ["what lies between 0 and 1/4", {}, (x) => x > 0 && x < 0.25, 0.125],
    ["what is positive anyhow", { min: 0.25, max: 8 }, () => true, 1],
    ["what keeps off a kink", { gap: 0.75 }, (x) => Math.abs(x) < 1, 0.75],
    ["what keeps off another", { min: 0, gap: 0.25, kinks: [0, 1, 2, 3] }, () => true, 0.5],
  ])("shrink to the roundest number that fails: %s", (_, options, fails, expected) => {
    for (const seed of [1, 2, 3, 4, 5]) expect(simplest(values(options), fails, seed)).toBe(expected);
  });

  it("stay float32 numbers on the way", () => {
    const tried: number[] = [];
    simplest(values({ min: 0, max: 2 ** 30 }), (x) => tried.push(x) > 0 && x >= 2 ** 29 + 64);
    expect(tried.map(Math.fround)).toEqual(tried);
    expect(Math.min(...tried.filter((x) => x >= 2 ** 29 + 64))).toBe(2 ** 29 + 64);
  });

  it("shrink also what a user has given as an example", () => {
    const property = fc.property(values(), (x) => x <= 1);
    expect(fc.check(property, { ...runs, examples: [[2.71875]] }).counterexample).toEqual([2]);
    expect(fc.check(property, { ...runs, examples: [[7]] }).counterexample).toEqual([7]);
  });

  it.each<[options: ValueOptions, got: string]>([
    [{ min: 2, max: 1 }, "0 from every kink, got 2, 1 and kinks at [0]"],
    [{ min: 1, max: 1 }, "0 from every kink, got 1, 1 and kinks at [0]"],
    [{ min: -1, max: 1, gap: 1 }, "1 from every kink, got -1, 1 and kinks at [0]"],
    [{ min: 0, max: 2, gap: 1, kinks: [0, 2] }, "1 from every kink, got 0, 2 and kinks at [0, 2]"],
    [{ min: Number.NaN }, "0 from every kink, got NaN, 3 and kinks at [0]"],
  ])("refuse a range with nothing in it: %j", (options, got) => {
    expect(() => values(options)).toThrow(
      new DistilgradError("value", `values: expected min < max with something between that is ${got}`),
    );
  });
});
