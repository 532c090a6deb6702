import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calibration } from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { tensor } from "../../../src/factories.ts";
import {
  argmax,
  known,
  type Labelled,
  labelled,
  logits64,
  mean,
  permuted,
  runs,
  softmax,
  sum,
  u64,
} from "./cases.ts";

const bins = fc.constantFrom(1, 2, 3, 10, 15);

/** Equation 3 as it is printed. */
function naive(drawn: Labelled, count: number): number {
  const rows = known(drawn).map(({ row, label }) => {
    return { confidence: Math.max(...softmax(row)), right: argmax(row) === label ? 1 : 0 };
  });
  const within = Array.from({ length: count }, (_, m) =>
    rows.filter(({ confidence }) => confidence > m / count && confidence <= (m + 1) / count),
  );
  const parts = within.filter((bin) => bin.length > 0);
  return sum(
    parts.map(
      (bin) =>
        (bin.length / rows.length) *
        Math.abs(mean(bin.map(({ right }) => right)) - mean(bin.map(({ confidence }) => confidence))),
    ),
  );
}

describe("calibration", () => {
  it("equals an example computed by hand", () => {
    // Confidences ¾ (two rows, one right) and ½ (one row, right): (2 · |½ − ¾| + |1 − ½|) / 3.
    const sure = [Math.log(3), 0];
    const { error, bins } = calibration(logits64([sure, sure, [0, 0], sure]), [0, 1, 0, -1], { bins: 4 });
    expect(Math.abs(error - 1 / 3)).toBeLessThanOrEqual(8 * u64);
    expect(bins.map(({ low, high }) => [low, high])).toEqual([
      [0, 0.25],
      [0.25, 0.5],
      [0.5, 0.75],
      [0.75, 1],
    ]);
    expect(bins[0]).toEqual({ low: 0, high: 0.25, count: 0, confidence: null, accuracy: null });
    expect(bins[1]).toEqual({ low: 0.25, high: 0.5, count: 1, confidence: 0.5, accuracy: 1 });
    expect(sum(bins.slice(2).map(({ count }) => count))).toBe(2);
  });

  it("is the expected calibration error as it is defined, in 15 bins unless told otherwise", () => {
    fc.assert(
      fc.property(labelled(), bins, (drawn, count) => {
        const { error, bins } = calibration(drawn.logits, drawn.labels, { bins: count });
        expect(bins.length).toBe(count);
        // At most 12 confidences in [0, 1], each known to some roundings on either side, and their sums.
        expect(Math.abs(error - naive(drawn, count))).toBeLessThanOrEqual(64 * u64);
        expect(calibration(drawn.logits, drawn.labels)).toEqual(
          calibration(drawn.logits, drawn.labels, { bins: 15 }),
        );
      }),
      runs,
    );
  });

  it("lies in [0, 1], and its table adds up to it", () => {
    fc.assert(
      fc.property(labelled({ max: 300 }), bins, ({ logits, labels }, count) => {
        const { error, bins } = calibration(logits, labels, { bins: count });
        expect(error).toBeGreaterThanOrEqual(0);
        expect(error).toBeLessThanOrEqual(1);
        const rows = labels.filter((label) => label !== -1).length;
        expect(sum(bins.map(({ count }) => count))).toBe(rows);
        const filled = bins.filter(({ count }) => count > 0);
        const parts = filled.map((bin) => (bin.count / rows) * Math.abs(bin.accuracy! - bin.confidence!));
        expect(Math.abs(sum(parts) - error)).toBeLessThanOrEqual(64 * u64);
        for (const { low, high, confidence } of filled) {
          // A mean of at most 12 values may be off by as many roundings.
          expect(confidence).toBeGreaterThanOrEqual(low - 12 * u64);
          expect(confidence).toBeLessThanOrEqual(high + 12 * u64);
        }
      }),
      runs,
    );
  });

  it("is 0 where a model is right as often as it believes, bit for bit where the confidences are exact", () => {
    const half = [0, 0];
    const sure = [800, 0]; // its other class has probability 0
    const logits = logits64([half, half, half, half, sure, sure]);
    expect(calibration(logits, [0, 1, 1, 0, 0, 0]).error).toBe(0);
  });

  it("is 1 for a model that is sure and always wrong", () => {
    expect(
      calibration(
        logits64([
          [800, 0],
          [0, 800],
        ]),
        [1, 0],
      ).error,
    ).toBe(1);
  });

  it("puts a confidence on an edge into the bin below, for every edge that k equal logits reach", () => {
    for (let classes = 1; classes <= 60; classes++) {
      const { bins } = calibration(logits64([new Array<number>(classes).fill(0)]), [0], { bins: 60 });
      const [bin] = bins.filter(({ count }) => count > 0);
      expect(1 / classes).toBeGreaterThan(bin.low);
      expect(1 / classes).toBeLessThanOrEqual(bin.high);
      expect(bin.confidence).toBe(1 / classes);
    }
  });

  it("does not change when the rows change places, nor for rows without a label", () => {
    fc.assert(
      fc.property(labelled(), (drawn) => {
        const other = permuted(drawn);
        const [one, two] = [drawn, other].map(({ logits, labels }) => calibration(logits, labels));
        expect(two.bins.map(({ count }) => count)).toEqual(one.bins.map(({ count }) => count));
        expect(Math.abs(two.error - one.error)).toBeLessThanOrEqual(24 * u64);
        const rows = known(drawn);
        const alone = calibration(
          logits64(rows.map(({ row }) => row)),
          rows.map(({ label }) => label),
        );
        expect(alone).toEqual(one);
      }),
      runs,
    );
  });

  it("computes in float64 from float32 logits: three rows of confidence 1/3 add up to 1", () => {
    const logits = tensor(new Array(3).fill([0, 0, 0]));
    expect(calibration(logits, [0, 1, 2]).error).toBe(0);
  });

  it("refuses labels that do not fit, none at all, and logits that are not finite in labelled rows", () => {
    const logits = tensor([
      [0, 1],
      [Number.NaN, 0],
    ]);
    expect(() => calibration(logits, [0, 0])).toThrow(
      new DistilgradError("nonfinite", "calibration: expected finite logits, got NaN at row 1, class 0"),
    );
    expect(calibration(logits, [0, -1]).error).toBeGreaterThan(0.5);
    expect(() => calibration(tensor([[0, Number.POSITIVE_INFINITY]]), [0])).toThrow(
      new DistilgradError("nonfinite", "calibration: expected finite logits, got Infinity at row 0, class 1"),
    );
    expect(() => calibration(logits, [0])).toThrow(
      new DistilgradError("labels", "calibration: expected one label for each of 2 rows, got 1"),
    );
    expect(() => calibration(logits, [0, 2])).toThrow(
      new DistilgradError("labels", "calibration: label 2 at row 1 is outside [0, 2)"),
    );
    expect(() => calibration(logits, [-1, -1])).toThrow(
      new DistilgradError("labels", "calibration: expected at least one labelled row"),
    );
    expect(() => calibration(tensor([0, 1]), [0, 0])).toThrow(
      new DistilgradError(
        "shape",
        "calibration: expected logits [rows, classes] with at least one row, got [2]",
      ),
    );
  });

  it("refuses a number of bins that is none, and options that it does not have", () => {
    const logits = tensor([[0, 1]]);
    for (const bins of [0, 1.5, -1]) {
      expect(() => calibration(logits, [0], { bins })).toThrow(
        new DistilgradError("value", `calibration: bins must be a whole number of at least 1, got ${bins}`),
      );
    }
    expect(() => calibration(logits, [0], { bin: 3 } as object)).toThrow(
      new DistilgradError("value", 'calibration: unknown option "bin"; possible are bins'),
    );
  });
});
