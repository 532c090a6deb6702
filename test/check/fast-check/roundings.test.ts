/** γₙ bounds n roundings in a row. */
import { expect, it } from "vitest";
import { gamma, unitRoundoff } from "../../../src/check/fast-check/index.ts";
import { smallest } from "../../../src/check/fast-check/roundings.ts";

it("a unit roundoff is half of the distance from 1 to the next float32", () => {
  expect(unitRoundoff).toBe(2 ** -24);
  expect(Math.fround(1 + unitRoundoff)).toBe(1);
  expect(Math.fround(1 + 1.001 * unitRoundoff)).toBe(1 + 2 * unitRoundoff);
});

it("nothing but 0 is smaller than the smallest number", () => {
  expect(smallest).toBe(2 ** -149);
  expect(Math.fround(smallest)).toBe(smallest);
  expect(Math.fround(smallest / 2)).toBe(0);
});

it("γₙ is a little more than n roundoffs, and bounds what n of them do to a number", () => {
  for (const n of [0, 1, 2, 10, 1000]) {
    expect(gamma(n)).toBeGreaterThanOrEqual(n * unitRoundoff);
    expect(gamma(n)).toBeLessThanOrEqual(n * unitRoundoff * 1.0001);
    // (1 + u)ⁿ − 1, by its first terms.
    expect(gamma(n)).toBeGreaterThanOrEqual(n * unitRoundoff + (n * (n - 1) * unitRoundoff ** 2) / 2);
  }
  expect(gamma(3, 2 ** -53)).toBe((3 * 2 ** -53) / (1 - 3 * 2 ** -53));
});
