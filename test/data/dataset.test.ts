import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dataset, rowCount, rowsBetween, split, takeRows, unlabelled } from "../../src/data/dataset.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor, zeros } from "../../src/factories.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

/** Rows that know their number: x is [i, −i], the label i mod 3, the teacher's logits [i, 2i]. */
function numbered(rows: number): Required<Dataset> {
  const range = Array.from({ length: rows }, (_, i) => i);
  return {
    x: tensor(Float32Array.from(range.flatMap((i) => [i, -i])), { shape: [rows, 2] }),
    labels: Int32Array.from(range, (i) => i % 3),
    teacherLogits: tensor(Float32Array.from(range.flatMap((i) => [i, 2 * i])), { shape: [rows, 2] }),
  };
}

/** The numbers of the rows, after checking that x, label and teacher logits are still of the same row. */
function numbersOf({ x, labels, teacherLogits }: Dataset): number[] {
  const rows = x.shape[0];
  expect([labels!.length, teacherLogits!.shape[0]]).toEqual([rows, rows]);
  return Array.from({ length: rows }, (_, row) => {
    const i = x.data[2 * row];
    expect([x.data[2 * row + 1] + i, labels![row]]).toEqual([0, i % 3]);
    expect([...teacherLogits!.data.subarray(2 * row, 2 * row + 2)]).toEqual([i, 2 * i]);
    return i;
  });
}

describe("takeRows", () => {
  it("takes rows in the order asked for, again and again if asked so, everything about a row together", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 20 }), (indices) => {
        expect(numbersOf(takeRows(numbered(10), indices))).toEqual(indices);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("keeps the shape of a row, and copies: the source cannot change what was taken", () => {
    const x = tensor(
      Float32Array.from({ length: 12 }, (_, i) => i),
      { shape: [3, 2, 2] },
    );
    const taken = takeRows({ x }, [2]);
    expect(taken.x.toArray()).toEqual([
      [
        [8, 9],
        [10, 11],
      ],
    ]);
    x.update((data) => data.fill(0));
    expect(taken.x.data[0]).toBe(8);
  });

  it("has no labels and no teacher logits where the source has none", () => {
    expect(Object.keys(takeRows({ x: zeros([2, 1]) }, [0]))).toEqual(["x"]);
  });

  it("takes nothing from nothing", () => {
    expect(takeRows({ x: zeros([0, 3]) }, []).x.shape).toEqual([0, 3]);
  });

  it.each([
    [[0, 3], "takeRows: indices are whole numbers in [0, 3), got 3 at position 1"],
    [[-1], "takeRows: indices are whole numbers in [0, 3), got -1 at position 0"],
    [[0.5], "takeRows: indices are whole numbers in [0, 3), got 0.5 at position 0"],
    [[Number.NaN], "takeRows: indices are whole numbers in [0, 3), got NaN at position 0"],
  ])("refuses the rows %j of three", (indices, message) => {
    expect(() => takeRows(numbered(3), indices)).toThrow(new DistilgradError("data", message));
  });
});

describe("rowCount", () => {
  it("is the number of samples", () => {
    expect(rowCount("here", numbered(4))).toBe(4);
  });

  it.each<[string, Dataset, string]>([
    [
      "x that is no tensor",
      { x: [[1]] as unknown as Tensor },
      "here: expected a dataset { x, labels } with x [rows, …], got x an array",
    ],
    ["x without rows", { x: tensor(1) }, "here: expected a dataset { x, labels } with x [rows, …], got x []"],
    [
      "labels that are not one a row",
      { ...numbered(3), labels: new Int32Array(2) },
      "here: expected one label for each of 3 rows, got 2",
    ],
    [
      "teacher logits that are not one a row",
      { ...numbered(3), teacherLogits: zeros([4, 2]) },
      "here: expected teacherLogits [3, classes], got [4, 2]",
    ],
  ])("refuses %s", (_, dataset, message) => {
    expect(() => rowCount("here", dataset)).toThrow(
      expect.objectContaining({ name: "DistilgradError", message }),
    );
  });
});

describe("rowsBetween", () => {
  it("shares the values of the rows it shows", () => {
    const { x } = numbered(5);
    const part = rowsBetween(x, 1, 3);
    expect(part.toArray()).toEqual([
      [1, -1],
      [2, -2],
    ]);
    expect(part.data.buffer).toBe(x.data.buffer);
    expect(rowsBetween(zeros([0, 4]), 0, 0).shape).toEqual([0, 4]);
  });
});

describe("split", () => {
  it("gives every row to exactly one part, test its share rounded to the nearest", () => {
    const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 12, max: 60 }), share, fc.nat(1000), (rows, test, seed) => {
        const parts = split(numbered(rows), { test, random: new RandomStream(seed) });
        const [train, held] = [numbersOf(parts.train), numbersOf(parts.test)];
        expect(held).toHaveLength(Math.round(rows * test));
        expect([...train, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("is the same for the same seed, another for another, and not the order of the data", () => {
    const held = (seed: number): number[] =>
      numbersOf(split(numbered(50), { test: 0.2, random: new RandomStream(seed) }).test);
    expect(held(1)).toEqual(held(1));
    expect(held(1)).not.toEqual(held(2));
    expect(held(1)).not.toEqual([...held(1)].sort((a, b) => a - b));
  });

  it.each([
    [10, 0],
    [10, 1],
    [10, 0.01],
    [10, 0.99],
    [10, -0.5],
    [10, Number.NaN],
    [1, 0.5],
    [0, 0.5],
  ])("refuses to take a share that leaves a part empty: of %d rows %d", (rows, test) => {
    const random = new RandomStream(1);
    const before = random.state();
    expect(() => split(numbered(rows), { test, random })).toThrow(
      new DistilgradError(
        "data",
        `split: test must be a share in (0, 1) that leaves both parts a row, got ${test} of ${rows} rows`,
      ),
    );
    expect(random.state()).toEqual(before);
  });
});

describe("a row without a label", () => {
  it("is labelled −1", () => {
    expect(unlabelled).toBe(-1);
  });
});
