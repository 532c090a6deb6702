import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gainOnRows, gainOnRowsSentence } from "../../src/cli/gain-on-rows.ts";

/** Two models of which `first` alone has so many rows right, `second` alone so many, and both the rest. */
const counted = (first: number, second: number, rows: number) =>
  gainOnRows(
    Array.from({ length: rows }, (_, row) => row >= second),
    Array.from({ length: rows }, (_, row) => row < second || row >= second + first),
  );

describe("gainOnRows", () => {
  it("gives the interval of R's PropCIs, diffpropci.mp(b = 40, c = 20, n = 160, conf.level = 0.95)", () => {
    const { firstAlone, secondAlone, difference, interval, verdict } = counted(20, 40, 160);
    expect([firstAlone, secondAlone, difference, verdict]).toEqual([20, 40, -20 / 160, "below"]);
    // R printed eight decimals.
    expect(Math.abs(interval[0] - -0.21601726)).toBeLessThanOrEqual(0.5e-8);
    expect(Math.abs(interval[1] - -0.03089632)).toBeLessThanOrEqual(0.5e-8);
  });

  it("says the opposite of exchanged models", () => {
    const count = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(count, count, count, (first, second, both) => {
        fc.pre(first + second + both > 0);
        const [one, other] = [
          counted(first, second, first + second + both),
          counted(second, first, first + second + both),
        ];
        // + 0 turns −0 into 0
        expect(other.interval.map((end) => -end + 0).reverse()).toEqual(one.interval.map((end) => end + 0));
        expect(other.difference + one.difference).toBe(0);
        const opposite = { above: "below", below: "above", "no difference": "no difference" };
        expect(other.verdict).toBe(opposite[one.verdict]);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("has a width where both models are right on the same rows, which few rows would be", () => {
    const [low, high] = counted(0, 0, 100).interval;
    // z √1 / 102
    expect(high).toBeCloseTo(1.959963984540054 / 102, 15);
    expect(low).toBe(-high);
  });

  it("stays within what a difference can be", () => {
    expect(counted(1, 0, 1).interval[1]).toBe(1);
    expect(counted(0, 1, 1).interval[0]).toBe(-1);
  });

  it("says in a sentence what was found, and what it does not cover", () => {
    const chance = "; this is one training of each, and another seed may end otherwise.";
    expect(gainOnRowsSentence(counted(20, 40, 160))).toBe(
      `On these 160 rows the model is 12.5 points below its twin (95 % interval over rows −21.6 … −3.1)${chance}`,
    );
    expect(gainOnRowsSentence(counted(40, 20, 1600))).toBe(
      `On these 1,600 rows the model is 1.3 points above its twin (95 % interval over rows +0.3 … +2.2)${chance}`,
    );
    expect(gainOnRowsSentence(counted(0, 0, 1))).toBe(
      `No difference that 1 row can show: the model is level with its twin (95 % interval over rows −65.3 … +65.3)${chance}`,
    );
  });
});
