/** Logits with and without extremes, and labels for them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labels, logits } from "../../../src/check/fast-check/index.ts";
import { softmax } from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { simplest } from "./simplest.ts";

const runs = { seed: 1, numRuns: 300 };
const seeds = [1, 2, 3, 4, 5];
const plain = ({ shape, data }: Tensor): [shape: readonly number[], values: number[]] => [shape, [...data]];

describe("logits", () => {
  it("are rows of classes within bounds", () => {
    const drawn = fc.sample(
      logits({ minRows: 2, maxRows: 3, minClasses: 2, maxClasses: 3, min: -1, max: 1 }),
      runs,
    );
    expect(new Set(drawn.map(({ shape }) => shape.join()))).toEqual(new Set(["2,2", "2,3", "3,2", "3,3"]));
    expect(drawn.every(({ data }) => data.every((x) => Math.abs(x) <= 1))).toBe(true);
  });

  it("have extreme rows where these are asked for, and only there", () => {
    const rowsOf = (drawn: readonly Tensor[]): number[][] =>
      drawn.flatMap(({ shape: [rows, classes], data }) =>
        Array.from({ length: rows }, (_, r) => [...data.slice(r * classes, (r + 1) * classes)]),
      );
    const hasTie = (row: number[]): boolean => new Set(row).size < row.length;
    const extreme = rowsOf(fc.sample(logits({ extremes: true, minClasses: 3 }), runs));
    expect(extreme.some((row) => row.includes(1e4))).toBe(true);
    expect(extreme.some((row) => row.includes(-1e4))).toBe(true);
    expect(extreme.some((row) => new Set(row).size === 1 && row[0] % 1 !== 0)).toBe(true);
    expect(extreme.some((row) => hasTie(row) && new Set(row).size > 1)).toBe(true);
    const ordinary = rowsOf(fc.sample(logits({ minClasses: 3 }), runs));
    expect(ordinary.some((row) => row.some((x) => Math.abs(x) > 3))).toBe(false);
    expect([...extreme, ...ordinary].flat().every(Number.isFinite)).toBe(true);
  });

  it("have −∞ where it is asked for, beside a finite number", () => {
    const drawn = fc.sample(logits({ minusInfinity: true, extremes: true }), runs);
    expect(drawn.some(({ data }) => data.includes(Number.NEGATIVE_INFINITY))).toBe(true);
    for (const x of drawn) {
      for (const p of softmax(x).data) expect(p >= 0 && p <= 1).toBe(true);
    }
  });

  it.each(seeds)("shrink to one row of one class with the logit 0, seed %d", (seed) => {
    const all = logits({ extremes: true, minusInfinity: true });
    expect(plain(simplest(all, () => true, seed))).toEqual([[1, 1], [0]]);
    expect(plain(simplest(all, ({ data }) => data.includes(-1e4), seed))).toEqual([[1, 1], [-1e4]]);
    // Never alone in its row.
    const [shape, values] = plain(simplest(all, ({ data }) => data.includes(Number.NEGATIVE_INFINITY), seed));
    expect([shape, values.sort()]).toEqual([
      [1, 2],
      [Number.NEGATIVE_INFINITY, 0],
    ]);
  });
});

describe("labels", () => {
  it("are one for each row, of every class", () => {
    const drawn = fc.sample(labels({ rows: 4, classes: 3 }), runs);
    expect(drawn.every(({ length }) => length === 4)).toBe(true);
    expect([...new Set(drawn.flat())].sort()).toEqual([0, 1, 2]);
  });

  it.each(seeds)("shrink to class 0, or to the one that fails, seed %d", (seed) => {
    const drawn = labels({ rows: 3, classes: 5 });
    expect(simplest(drawn, () => true, seed)).toEqual([0, 0, 0]);
    expect(simplest(drawn, ([first]) => first >= 2, seed)).toEqual([2, 0, 0]);
  });
});
