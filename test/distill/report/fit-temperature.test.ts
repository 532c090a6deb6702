import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitTemperature } from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { randn, tensor } from "../../../src/factories.ts";
import { crossEntropy } from "../../../src/ops/cross-entropy.ts";
import { scale } from "../../../src/ops/scale.ts";
import { RandomStream } from "../../../src/random.ts";
import {
  known,
  labelled,
  logits64,
  mean,
  permuted,
  type Row,
  rowsOf,
  runs,
  softmax,
  sum,
  u64,
} from "./cases.ts";

type Known = ReturnType<typeof known>;

/** What a row adds to L′(β): Σ pᵢ (zᵢ − z_label). */
const terms = ({ row, label }: Known[number], beta: number): number[] =>
  softmax(row.map((z) => beta * z)).map((p, i) => p * (row[i] - row[label]));

const slopeAt = (rows: Known, beta: number): number => mean(rows.map((row) => sum(terms(row, beta))));

/** How far a naive slope may be off: roundings of every term, of the power of each by the rounding of β z, and of sums. */
const slopeError = (rows: Known, beta: number): number =>
  mean(
    rows.map(({ row, label }) =>
      sum(
        terms({ row, label }, beta).map(
          (term, i) => Math.abs(term) * (32 + 4 * beta * Math.abs(row[i])) + 16 * Math.abs(term),
        ),
      ),
    ),
  ) * u64;

const curvatureAt = (rows: Known, beta: number): number =>
  mean(
    rows.map(({ row }) => {
      const p = softmax(row.map((z) => beta * z));
      const centre = sum(p.map((share, i) => share * row[i]));
      return sum(p.map((share, i) => share * (row[i] - centre) ** 2));
    }),
  );

describe("fitTemperature", () => {
  it("is what a pencil finds for two classes: m / log(a / (1 − a)), the logits m apart, a share a right", () => {
    for (const [m, right] of [
      [2, 3],
      [0.01, 3],
      [50, 3],
      [7, 2.5],
    ]) {
      // Of 4 rows, or of 8.
      const rows = right % 1 === 0 ? 4 : 8;
      const labels = Array.from({ length: rows }, (_, row) => (row < (right * rows) / 4 ? 0 : 1));
      const logits = logits64(labels.map(() => [m, 0]));
      const share = right / 4;
      const T = m / Math.log(share / (1 - share));
      const expected = Math.min(Math.max(T, 0.01), 100);
      expect(Math.abs(fitTemperature(logits, labels) / expected - 1)).toBeLessThanOrEqual(1e-13);
    }
  });

  it("makes the derivative of the loss 0, or has it point out of the interval", () => {
    let inside = 0;
    fc.assert(
      fc.property(labelled({ minClasses: 2 }), (drawn) => {
        const T = fitTemperature(drawn.logits, drawn.labels);
        expect(T).toBeGreaterThanOrEqual(0.01);
        expect(T).toBeLessThanOrEqual(100);
        const rows = known(drawn);
        const slope = slopeAt(rows, 1 / T);
        // 1/T itself is known to some roundings.
        const off = slopeError(rows, 1 / T) + (16 * u64 * curvatureAt(rows, 1 / T)) / T;
        if (T === 0.01) expect(slope).toBeLessThanOrEqual(off);
        else if (T === 100) expect(slope).toBeGreaterThanOrEqual(-off);
        else {
          inside++;
          expect(Math.abs(slope)).toBeLessThanOrEqual(off);
        }
      }),
      { ...runs, numRuns: 500 },
    );
    expect(inside).toBeGreaterThan(100);
  });

  it("has the smallest loss of all temperatures", () => {
    fc.assert(
      fc.property(labelled({ minClasses: 2 }), ({ logits, labels }) => {
        const loss = (T: number): number =>
          crossEntropy(scale(logits, 1 / T), labels, { ignoredLabel: -1 }).item();
        const T = fitTemperature(logits, labels);
        for (const other of [0.01, 0.1, 0.9 * T, 1, 1.1 * T, 10, 100]) {
          if (other < 0.01 || other > 100) continue;
          expect(loss(T)).toBeLessThanOrEqual(loss(other) * (1 + 64 * u64));
        }
      }),
      runs,
    );
  });

  it("grows with the logits: twice the logits, twice the temperature", () => {
    const drawn = labelledBy(new RandomStream(1, "labels"), 200, 3, 1);
    const doubled = logits64(rowsOf(drawn.logits).map((row) => row.map((z) => 2 * z)));
    const [once, twice] = [drawn.logits, doubled].map((logits) => fitTemperature(logits, drawn.labels));
    expect(Math.abs(twice / once - 2)).toBeLessThanOrEqual(1e-13);
  });

  it("finds the temperature that labels were drawn at, within four standard errors", () => {
    for (const T of [0.5, 1, 3]) {
      const { logits, labels } = labelledBy(new RandomStream(2, "labels"), 4000, 5, T);
      const rows = known({ logits, labels });
      const deviation = 1 / Math.sqrt(labels.length * curvatureAt(rows, 1 / T)); // of the estimate of 1/T
      expect(Math.abs(1 / fitTemperature(logits, labels) - 1 / T)).toBeLessThanOrEqual(4 * deviation);
    }
  });

  it("runs to 0.01 where every row is right, to 100 where the logits are no better than chance", () => {
    expect(
      fitTemperature(
        logits64([
          [1, 0],
          [0, 2],
        ]),
        [0, 1],
      ),
    ).toBe(0.01);
    expect(
      fitTemperature(
        logits64([
          [1e6, 0],
          [1e-6, 0],
        ]),
        [0, 0],
      ),
    ).toBe(0.01);
    expect(
      fitTemperature(
        logits64([
          [1, 0],
          [0, 2],
        ]),
        [1, 0],
      ),
    ).toBe(100);
    expect(
      fitTemperature(
        logits64([
          [1, 0],
          [1, 0],
        ]),
        [1, 0],
      ),
    ).toBe(100);
  });

  it("is 1 where the temperature changes nothing", () => {
    expect(
      fitTemperature(
        logits64([
          [0, 0],
          [5, 5],
        ]),
        [0, 1],
      ),
    ).toBe(1);
    expect(fitTemperature(logits64([[3], [4]]), [0, 0])).toBe(1);
  });

  it("copes with a curvature that is all but 0 where the search begins", () => {
    // At T = 1 all is decided: the curvature is of the order e⁻⁹⁰, and Newton's step leaves the interval.
    const logits = logits64(Array.from({ length: 101 }, (_, row) => [row === 0 ? 90 : 100, 0]));
    const labels = Array.from({ length: 101 }, (_, row) => (row === 0 ? 1 : 0));
    const T = fitTemperature(logits, labels);
    // 90 σ(90/T) = 100 · 100 σ(−100/T)
    const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
    expect(T).toBeGreaterThan(20);
    expect(Math.abs((10_000 * logistic(-100 / T)) / (90 * logistic(90 / T)) - 1)).toBeLessThanOrEqual(1e-13);
  });

  it("does not change when the rows change places, nor for rows without a label, whatever they hold", () => {
    fc.assert(
      fc.property(labelled({ minClasses: 2 }), (drawn) => {
        const T = fitTemperature(drawn.logits, drawn.labels);
        const rows = known(drawn);
        const alone = fitTemperature(
          logits64(rows.map(({ row }) => row)),
          rows.map(({ label }) => label),
        );
        expect(alone).toBe(T);
        const other = permuted(drawn);
        const off = slopeError(rows, 1 / T) / curvatureAt(rows, 1 / T);
        const moved = Math.abs(1 / fitTemperature(other.logits, other.labels) - 1 / T);
        expect(moved).toBeLessThanOrEqual((Number.isNaN(off) ? 0 : 2 * off) + (16 * u64) / T);
      }),
      runs,
    );
    const diverged = tensor([
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [Number.NaN, 0],
    ]);
    expect(Math.abs(fitTemperature(diverged, [0, 0, 0, 1, -1]) * Math.log(3) - 2)).toBeLessThanOrEqual(1e-13);
  });

  it("refuses labels that do not fit, none at all, and logits that are not finite in labelled rows", () => {
    const logits = tensor([
      [0, 1],
      [0, Number.NEGATIVE_INFINITY],
    ]);
    expect(() => fitTemperature(logits, [0, 0])).toThrow(
      new DistilgradError(
        "nonfinite",
        "fitTemperature: expected finite logits, got -Infinity at row 1, class 1",
      ),
    );
    expect(() => fitTemperature(logits, [0])).toThrow(
      new DistilgradError("labels", "fitTemperature: expected one label for each of 2 rows, got 1"),
    );
    expect(() => fitTemperature(logits, [-1, -1])).toThrow(
      new DistilgradError("labels", "fitTemperature: expected at least one labelled row"),
    );
    expect(() => fitTemperature(tensor([[[1]]]), [0])).toThrow(
      new DistilgradError(
        "shape",
        "fitTemperature: expected logits [rows, classes] with at least one row, got [1, 1, 1]; reshape them to [1, 1]",
      ),
    );
  });
});

/** Logits of deviation 2, and labels drawn from softmax(logits / T). */
function labelledBy(random: RandomStream, rows: number, classes: number, T: number) {
  const drawn: Row[] = rowsOf(scale(randn([rows, classes], { random }), 2));
  const labels = drawn.map((row) => {
    let left = random.uniform();
    const shares = softmax(row.map((z) => z / T));
    const found = shares.findIndex((share) => {
      left -= share;
      return left < 0;
    });
    return found === -1 ? classes - 1 : found;
  });
  return { logits: logits64(drawn), labels };
}
