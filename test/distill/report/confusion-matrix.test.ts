import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confusionMatrix } from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { tensor, zeros } from "../../../src/factories.ts";
import { argmax, known, labelled, mean, permuted, runs, sum } from "./cases.ts";

const answers = (...classes: number[]) =>
  tensor(classes.map((named) => [0, 1, 2].map((c) => (c === named ? 1 : 0))));

describe("confusionMatrix", () => {
  it("counts true classes in rows and answers in columns, with what follows for each class", () => {
    const { counts, classes } = confusionMatrix(answers(0, 0, 1, 1, 1, 0), [0, 0, 0, 1, 2, -1]);
    expect(counts).toEqual([
      [2, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
    expect(classes).toEqual([
      { support: 3, predicted: 2, precision: 1, recall: 2 / 3, f1: 4 / 5 },
      { support: 1, predicted: 3, precision: 1 / 3, recall: 1, f1: 1 / 2 },
      { support: 1, predicted: 0, precision: null, recall: 0, f1: 0 },
    ]);
  });

  it("has no recall for a class without rows, and no F1 for one that is not named either", () => {
    const [, second, third] = confusionMatrix(answers(0, 1), [0, 0]).classes;
    expect(second).toEqual({ support: 0, predicted: 1, precision: 0, recall: null, f1: 0 });
    expect(third).toEqual({ support: 0, predicted: 0, precision: null, recall: null, f1: null });
  });

  it("is the naive count, and its rows, columns and sum are what they are called", () => {
    fc.assert(
      fc.property(labelled(), (drawn) => {
        const { counts, classes } = confusionMatrix(drawn.logits, drawn.labels);
        const rows = known(drawn);
        for (const [label, scores] of classes.entries()) {
          for (const answer of classes.keys()) {
            const naive = rows.filter(({ row, label: own }) => own === label && argmax(row) === answer);
            expect(counts[label][answer]).toBe(naive.length);
          }
          expect(scores.support).toBe(sum(counts[label]));
          expect(scores.predicted).toBe(sum(counts.map((row) => row[label])));
        }
        expect(sum(counts.map(sum))).toBe(rows.length);
        const right = mean(rows.map(({ row, label }) => (argmax(row) === label ? 1 : 0)));
        expect(sum(counts.map((row, label) => row[label])) / rows.length).toBe(right);
      }),
      runs,
    );
  });

  it("has an F1 that is the harmonic mean of precision and recall", () => {
    fc.assert(
      fc.property(labelled(), ({ logits, labels }) => {
        for (const { precision, recall, f1 } of confusionMatrix(logits, labels).classes) {
          if (!precision || !recall) continue;
          // Both sides round a handful of times.
          expect(Math.abs(f1! - 2 / (1 / precision + 1 / recall))).toBeLessThanOrEqual(8 * 2 ** -53);
        }
      }),
      runs,
    );
  });

  it("does not change when the rows change places", () => {
    fc.assert(
      fc.property(labelled(), (drawn) => {
        const { logits, labels } = permuted(drawn);
        expect(confusionMatrix(logits, labels)).toEqual(confusionMatrix(drawn.logits, drawn.labels));
      }),
      runs,
    );
  });

  it.each([
    [[0, 1], "confusionMatrix: expected one label for each of 3 rows, got 2"],
    [[0, 1, 3], "confusionMatrix: label 3 at row 2 is outside [0, 3)"],
    [[-1, -1, -1], "confusionMatrix: expected at least one labelled row"],
  ])("refuses the labels %j", (labels, message) => {
    expect(() => confusionMatrix(answers(0, 1, 2), labels)).toThrow(new DistilgradError("labels", message));
  });

  it("refuses what are no logits, and a row with NaN", () => {
    expect(() => confusionMatrix(zeros([3]), [0, 0, 0])).toThrow(
      new DistilgradError("shape", "predictLabels: expected logits [rows, classes], got [3]"),
    );
    expect(() => confusionMatrix(tensor([[0, Number.NaN]]), [0])).toThrow(
      new DistilgradError("nonfinite", "predictLabels: the logits of row 0 hold NaN, which names no class"),
    );
  });
});
