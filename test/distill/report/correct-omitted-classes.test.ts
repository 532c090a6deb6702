import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensors } from "../../../src/check/fast-check/index.ts";
import { type ClassFrequencies, correctOmittedClasses } from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { ones, randn, tensor } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { crossEntropy } from "../../../src/ops/cross-entropy.ts";
import { RandomStream } from "../../../src/random.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { logits64, mean, type Row, rowsOf, runs, softmax, sum, u64 } from "./cases.ts";

const shifted = (logits: Tensor, offsets: Row): Tensor =>
  logits64(rowsOf(logits).map((row) => row.map((z, c) => z + offsets[c])));

/** How often the model expects a class. */
const massOf = (logits: Tensor, label: number): number =>
  mean(rowsOf(logits).map((row) => softmax(row)[label]));

/** What the search stops at, and for the roundings of at most 12 rows on either side. */
const close = 1e-12 + 64 * u64;

/** Logits, omitted classes, and a frequency above 0 for each, that leave something to the others. */
const cases = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 2, max: 6 }))
  .chain(([rows, classes]) =>
    fc.record({
      logits: tensors({ shape: [rows, classes], min: -5, max: 5, kernels: float64 }),
      omitted: fc.shuffledSubarray([...new Array(classes).keys()], {
        minLength: 1,
        maxLength: classes - 1,
      }),
      weights: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: classes, maxLength: classes }),
    }),
  )
  .map(({ logits, omitted, weights }) => ({
    logits,
    omitted,
    frequencies: omitted.map(
      (_, i) => weights[i] / (sum(weights.slice(0, omitted.length)) + weights.at(-1)!),
    ),
  }));

describe("correctOmittedClasses", () => {
  it("is what a pencil finds where all rows are alike: log(π / (1 − π)) − (z_omitted − lse of the others)", () => {
    const logits = logits64([
      [1, -6, 0],
      [1, -6, 0],
    ]);
    const [a, b, c] = correctOmittedClasses(logits, [1], { frequencies: [0.1] });
    const expected = Math.log(0.1 / 0.9) + 6 + Math.log(Math.E + 1);
    expect([a, c]).toEqual([0, 0]);
    // The slope of the mass is 0.1 · 0.9.
    expect(Math.abs(b - expected)).toBeLessThanOrEqual(close / 0.09);
  });

  it("gives every omitted class its frequency, and leaves the others' offsets at 0", () => {
    fc.assert(
      fc.property(cases, ({ logits, omitted, frequencies }) => {
        const offsets = correctOmittedClasses(logits, omitted, { frequencies });
        expect(offsets.length).toBe(logits.shape[1]);
        for (const [label, offset] of offsets.entries()) if (!omitted.includes(label)) expect(offset).toBe(0);
        const corrected = shifted(logits, offsets);
        for (const [i, label] of omitted.entries()) {
          expect(Math.abs(massOf(corrected, label) - frequencies[i])).toBeLessThanOrEqual(close);
        }
      }),
      { ...runs, numRuns: 500 },
    );
  });

  it("takes the frequencies from labels, and no notice of rows without one", () => {
    const logits = randn([30, 4], { random: new RandomStream(1, "logits") });
    const labels = Array.from({ length: 30 }, (_, row) => (row % 5) - 1); // −1, 0, 1, 2, 3
    const offsets = correctOmittedClasses(logits, [3, 1], { labels });
    const known = logits64(rowsOf(logits).filter((_, row) => labels[row] !== -1));
    expect(offsets).toEqual(correctOmittedClasses(known, [3, 1], { frequencies: [0.25, 0.25] }));
    expect(Math.abs(massOf(shifted(known, offsets), 3) - 0.25)).toBeLessThanOrEqual(close);
    const withNaN = logits64(
      rowsOf(logits).map((row, i) => (labels[i] === -1 ? row.map(() => Number.NaN) : row)),
    );
    expect(correctOmittedClasses(withNaN, [3, 1], { labels })).toEqual(offsets);
  });

  it("has the smallest cross-entropy of all offsets of these classes", () => {
    const logits = randn([60, 5], { random: new RandomStream(2, "logits"), kernels: float64 });
    const labels = Array.from({ length: 60 }, (_, row) => (row * row) % 5);
    const omitted = [0, 4];
    const offsets = correctOmittedClasses(logits, omitted, { labels });
    const loss = (moved: Row): number => crossEntropy(shifted(logits, moved), labels).item();
    const least = loss(offsets);
    for (const label of omitted) {
      for (const by of [-1, -0.01, 0.01, 1]) {
        expect(loss(offsets.map((offset, c) => (c === label ? offset + by : offset)))).toBeGreaterThan(least);
      }
    }
  });

  it("undoes what is subtracted from the logits of a class", () => {
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: -20, max: 20 }),
        ({ logits, omitted: [label], frequencies }, by) => {
          const known = { frequencies: frequencies.slice(0, 1) };
          const lowered = shifted(
            logits,
            Array.from({ length: logits.shape[1] }, (_, c) => (c === label ? -by : 0)),
          );
          const [before, after] = [logits, lowered].map((z) => correctOmittedClasses(z, [label], known));
          const masses = rowsOf(shifted(logits, before)).map((row) => softmax(row)[label]);
          const slope = mean(masses.map((p) => p * (1 - p)));
          // Both stop within the tolerance of the frequency; the logits moved by a rounding each.
          expect(Math.abs(after[label] - before[label] - by)).toBeLessThanOrEqual((3 * close) / slope);
        },
      ),
      runs,
    );
  });

  it("does not care for the order of the classes", () => {
    fc.assert(
      fc.property(cases, ({ logits, omitted, frequencies }) => {
        const there = correctOmittedClasses(logits, omitted, { frequencies });
        const back = correctOmittedClasses(logits, [...omitted].reverse(), {
          frequencies: [...frequencies].reverse(),
        });
        const [one, two] = [shifted(logits, there), shifted(logits, back)];
        for (const label of omitted) {
          expect(Math.abs(massOf(one, label) - massOf(two, label))).toBeLessThanOrEqual(2 * close);
        }
      }),
      runs,
    );
  });

  it("corrects nothing where nothing is amiss", () => {
    expect(correctOmittedClasses(logits64([[0, 0, 0, 0]]), [2], { frequencies: [0.25] })).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it("finds classes that are far away, one that is too likely, and two that only compete with each other", () => {
    const rows = Array.from({ length: 40 }, (_, row) => {
      const own = row < 20; // of the kept classes
      return [own ? 30 : -30, 0, -2000 + (row % 7), -2000 + (row % 5), 900];
    });
    const known: [number[], number[]] = [
      [2, 3, 4],
      [0.2, 0.25, 0.05],
    ];
    const offsets = correctOmittedClasses(logits64(rows), known[0], { frequencies: known[1] });
    const corrected = shifted(logits64(rows), offsets);
    for (const [i, label] of known[0].entries()) {
      expect(Math.abs(massOf(corrected, label) - known[1][i])).toBeLessThanOrEqual(close);
    }
  });

  it("finds them for logits so far apart that almost every row is sure, of omitted classes or of others", () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(-1, 1, 2), fc.constantFrom(10, 50, 200), (drawn, raised, by) => {
        const { logits, omitted, frequencies } = drawn;
        const far = logits64(
          rowsOf(logits).map((row) => row.map((z, c) => by * (z + (omitted.includes(c) ? raised : 0)))),
        );
        const corrected = shifted(far, correctOmittedClasses(far, omitted, { frequencies }));
        for (const [i, label] of omitted.entries()) {
          expect(Math.abs(massOf(corrected, label) - frequencies[i])).toBeLessThanOrEqual(close);
        }
      }),
      { ...runs, numRuns: 300 },
    );
  });

  it.each<[string, number[], ClassFrequencies, string]>([
    ["no class", [], {}, "expected a list of omitted classes, at least one and not all, got 0 of 3"],
    ["all", [0, 1, 2], {}, "expected a list of omitted classes, at least one and not all, got 3 of 3"],
    [
      "none",
      1 as unknown as number[],
      {},
      "expected a list of omitted classes, at least one and not all, got 1",
    ],
    ["a class", [3], {}, "omitted classes are whole numbers in [0, 3), each once, got 3 at position 0"],
    ["a half", [0.5], {}, "omitted classes are whole numbers in [0, 3), each once, got 0.5 at position 0"],
    ["one twice", [1, 1], {}, "omitted classes are whole numbers in [0, 3), each once, got 1 at position 1"],
    ["nothing known", [1], undefined as unknown as object, "expected { labels, frequencies }, got undefined"],
    ["neither", [1], {}, "expected labels or frequencies, got neither"],
    ["both", [1], { labels: [0, 1], frequencies: [0.1] }, "expected labels or frequencies, got both"],
    ["too few", [1, 2], { frequencies: [0.1] }, "expected a frequency for each of 2 omitted classes, got 1"],
    [
      "a number",
      [1],
      { frequencies: 0.1 as unknown as number[] },
      "expected a frequency for each of 1 omitted classes, got 0.1",
    ],
    [
      "nothing",
      [1],
      { frequencies: [0] },
      "the frequency of class 1 must be above 0, got 0; no finite offset gives that",
    ],
    [
      "no row",
      [2],
      { labels: [0, 1] },
      "the frequency of class 2 must be above 0, got 0; no finite offset gives that",
    ],
    [
      "everything",
      [1, 2],
      { frequencies: [0.5, 0.5] },
      "the frequencies of omitted classes must sum to less than 1, got 1; the others need a share",
    ],
    [
      "all rows",
      [1],
      { labels: [1, 1] },
      "the frequencies of omitted classes must sum to less than 1, got 1; the others need a share",
    ],
    [
      "another option",
      [1],
      { prior: [1] } as object,
      'unknown option "prior"; possible are labels, frequencies',
    ],
  ])("refuses %s", (_, classes, known, message) => {
    expect(() => correctOmittedClasses(ones([2, 3]), classes, known)).toThrow(
      new DistilgradError("value", `correctOmittedClasses: ${message}`),
    );
  });

  it("refuses labels that do not fit, logits that are not finite, and what is no matrix", () => {
    const diverged = tensor([
      [0, 1],
      [Number.NaN, 0],
    ]);
    for (const known of [{ labels: [0, 1] }, { frequencies: [0.1] }]) {
      expect(() => correctOmittedClasses(diverged, [0], known)).toThrow(
        new DistilgradError(
          "nonfinite",
          "correctOmittedClasses: expected finite logits, got NaN at row 1, class 0",
        ),
      );
    }
    expect(() => correctOmittedClasses(ones([2, 3]), [0], { labels: [0] })).toThrow(
      new DistilgradError("labels", "correctOmittedClasses: expected one label for each of 2 rows, got 1"),
    );
    expect(() => correctOmittedClasses(ones([3]), [0], { frequencies: [0.1] })).toThrow(
      new DistilgradError(
        "shape",
        "correctOmittedClasses: expected logits [rows, classes] with at least one row, got [3]",
      ),
    );
  });

  it("says so where no offsets give the frequencies, as numbers that large know no fractions", () => {
    expect(() =>
      correctOmittedClasses(
        logits64([
          [0, -1e17],
          [0, 0],
        ]),
        [1],
        { frequencies: [0.75] },
      ),
    ).toThrow(
      new DistilgradError(
        "value",
        "correctOmittedClasses: found no offsets that give these frequencies to within 1e-12; the logits are too far apart: divide them by a temperature",
      ),
    );
  });
});
