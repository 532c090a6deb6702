import { describe, expect, it } from "vitest";
import { meanAndDeviation, pairedGain } from "../../src/distill/index.ts";
import { tQuantile975 } from "../../src/distill/paired-gain.ts";
import { DistilgradError } from "../../src/errors.ts";

describe("meanAndDeviation", () => {
  it("divides by n − 1, and gives 0 for a single value", () => {
    // Mean 5, squares 9 1 1 1 0 0 4 16, sum 32, over 7.
    const { mean, deviation } = meanAndDeviation([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(mean).toBe(5);
    expect(deviation).toBe(Math.sqrt(32 / 7));
    expect(meanAndDeviation([3])).toEqual({ mean: 3, deviation: 0 });
  });

  it("refuses no values", () => {
    expect(() => meanAndDeviation([])).toThrow(
      new DistilgradError("value", "meanAndDeviation: expected at least one value"),
    );
  });
});

describe("pairedGain", () => {
  it("equals an example computed by hand", () => {
    // Differences 1, 2, 3, 4, 5: mean 3, variance 10/4, standard error √0.5, t(0.975, 4) = 2.776445.
    const gain = pairedGain([11, 22, 33, 44, 55], [10, 20, 30, 40, 50]);
    expect(gain.mean).toBe(3);
    const half = 2.776445 * Math.sqrt(0.5);
    expect(gain.interval![0]).toBeCloseTo(3 - half, 12);
    expect(gain.interval![1]).toBeCloseTo(3 + half, 12);
  });

  it("is what pairing is for: what the pairs have in common leaves no trace in the interval", () => {
    const gain = pairedGain([0.5, 0.75, 1], [0.25, 0.5, 0.75]);
    expect(gain).toEqual({ mean: 0.25, interval: [0.25, 0.25] });
  });

  it("turns its sign with its roles", () => {
    const [there, back] = [pairedGain([1, 5, 2], [0, 1, 4]), pairedGain([0, 1, 4], [1, 5, 2])];
    expect(back.mean).toBe(-there.mean);
    expect(back.interval![0]).toBeCloseTo(-there.interval![1], 14);
  });

  it("claims no interval from a single seed", () => {
    expect(pairedGain([0.9], [0.8]).interval).toBeNull();
  });

  it.each([
    [[1, 2], [1], 2, 1],
    [[], [], 0, 0],
  ])("refuses %j against %j", (treated, twins, a, b) => {
    expect(() => pairedGain(treated, twins)).toThrow(
      new DistilgradError(
        "value",
        `pairedGain: expected as many results as twins and at least one pair, got ${a} and ${b}`,
      ),
    );
  });
});

describe("what is no result", () => {
  it.each<[unknown, unknown, string]>([
    [0.9, [0.8], "results as a list of finite numbers, got 0.9"],
    [[0.9], undefined, "twins as a list of finite numbers, got undefined"],
    [[0.9, Number.NaN], [0.8, 0.7], "results as a list of finite numbers, got NaN at position 1"],
    [[0.9, 0.8], [0.8, undefined], "twins as a list of finite numbers, got undefined at position 1"],
  ])("is refused: %j against %j", (treated, twins, message) => {
    expect(() => pairedGain(treated as number[], twins as number[])).toThrow(
      new DistilgradError("value", `pairedGain: expected ${message}`),
    );
  });
});

describe("the 97.5 % quantile of Student's t", () => {
  // Published tables: Abramowitz & Stegun 26.10 to three decimals, extended; ∞ is the normal quantile.
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [5, 2.571],
    [10, 2.228],
    [20, 2.086],
    [30, 2.042],
    [31, 2.04],
    [40, 2.021],
    [60, 2.0],
    [100, 1.984],
    [120, 1.98],
    [1000, 1.962],
    [1e9, 1.96],
  ])("is for %d degrees of freedom %d", (freedom, published) => {
    expect(Math.abs(tQuantile975(freedom) - published)).toBeLessThanOrEqual(5e-4);
  });

  it("is what the distribution says: 2.5 % of it lies beyond, for every entry of the table and after it", () => {
    for (let freedom = 1; freedom <= 60; freedom++) {
      // The table has six decimals, and the density there is below 0.07.
      expect(Math.abs(tail(tQuantile975(freedom), freedom) - 0.025)).toBeLessThanOrEqual(1e-7);
    }
  });

  it("falls with the degrees of freedom, across the seam of table and expansion too", () => {
    for (let freedom = 1; freedom < 200; freedom++) {
      expect(tQuantile975(freedom + 1)).toBeLessThan(tQuantile975(freedom));
    }
  });
});

/** P(T > t) by the finite sums of Abramowitz & Stegun 26.7.3 and 26.7.4. */
function tail(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const square = Math.cos(angle) ** 2;
  let term = freedom % 2 ? Math.cos(angle) : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = freedom % 2 ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= (square * (k - 1)) / k;
    sum += term;
  }
  const inside = freedom % 2 ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return (1 - inside) / 2;
}
