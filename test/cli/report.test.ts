import { describe, expect, it } from "vitest";
import { counted, grouped } from "../../src/cli/model-names.ts";
import { colours, plain } from "../../src/cli/paint.ts";
import { printReport } from "../../src/cli/print-report.ts";
import type { ModelId } from "../../src/cli/recipe.ts";
import { type Report, reportOn } from "../../src/cli/report.ts";
import { tableLines } from "../../src/cli/table.ts";
import { type Comparison, verdictSentence } from "../../src/cli/verdict.ts";
import type { Finding } from "../../src/distill/lint.ts";
import { verdictOf } from "../../src/distill/report/compare-with-twin.ts";
import { tinyJob } from "./support/tiny.ts";

/** A report of seeds in which every model has the accuracies given. */
function reportWith(
  accuracies: Partial<Record<ModelId, number[]>>,
  job = tinyJob(),
  findings: Partial<Record<ModelId, Finding[][]>> = {},
): Report {
  const seeds = Object.values(accuracies)[0].length;
  const ids = Object.keys(accuracies) as ModelId[];
  const results = Array.from({ length: seeds }, (_, seed) => ({
    seed,
    models: ids.map((id) => ({
      id,
      accuracy: accuracies[id]![seed],
      agreement: 0.5,
      trainingAccuracy: 1,
      assessment: {
        rows: 40,
        labelledRows: 40,
        accuracy: accuracies[id]![seed],
        loss: 0.25 + seed / 4,
        calibration: { error: 0.01 * (seed + 1), bins: [] },
        confusion: null,
        agreement: 0.5,
        divergence: id === "teacher" ? null : 0.125,
        teacherAccuracy: id === "teacher" ? null : 0.98,
        accuracyRetained: id === "teacher" ? null : 0.99,
      },
      history: [],
      findings: findings[id]?.[seed] ?? [],
      microseconds: 10 + seed,
    })),
  }));
  return reportOn(job, results, { processes: 2, seconds: 12.3, notes: ["a note"] });
}

const measured = reportWith({
  teacher: [0.98, 0.97, 0.99],
  fewAlone: [0.8, 0.75, 0.85],
  fewTaught: [0.9, 0.87, 0.94],
  unlabelled: [0.96, 0.97, 0.98],
  allAlone: [0.97, 0.96, 0.98],
});

describe("the verdict", () => {
  const sentence = (gain: Omit<Comparison, "over" | "verdict">, labels = 50, twinLabels = 50) =>
    verdictSentence(
      { labels, gain: { over: "fewAlone", ...gain, verdict: verdictOf(gain) } },
      { labels: twinLabels },
      gain.interval === null ? 1 : 5,
    );

  it("is that distillation helped when the interval is above 0", () => {
    expect(sentence({ mean: 0.097, interval: [0.047, 0.146] })).toBe(
      "Distillation helped: with 50 labels, the taught student is 9.7 points above its twin that learned alone (95 % interval +4.7 … +14.6).",
    );
  });

  it("is that it hurt when the interval is below 0", () => {
    expect(sentence({ mean: -0.023, interval: [-0.04, -0.006] })).toBe(
      "Distillation hurt: with 50 labels, the taught student is 2.3 points below its twin that learned alone (95 % interval −4.0 … −0.6).",
    );
  });

  it("does not blame a teacher that cannot replace the labels", () => {
    expect(sentence({ mean: -0.02, interval: [-0.03, -0.01] }, 0, 1438)).toBe(
      "The teacher did not make up for the labels: without any label, the taught student is 2.0 points below its twin that had 1,438 labels (95 % interval −3.0 … −1.0).",
    );
  });

  it("is that there is no difference to be shown when the interval holds 0, its ends included", () => {
    expect(sentence({ mean: 0.003, interval: [-0.004, 0.01] }, 0, 1438)).toBe(
      "No difference that 5 seeds can show: without any label, the taught student is 0.3 points above its twin that had 1,438 labels (95 % interval −0.4 … +1.0).",
    );
    expect(sentence({ mean: 0, interval: [0, 0] })).toBe(
      "No difference that 5 seeds can show: with 50 labels, the taught student is level with its twin that learned alone (95 % interval 0.0 … 0.0).",
    );
    expect(verdictOf({ mean: 0.1, interval: [0, 0.2] })).toBe("no difference");
    expect(verdictOf({ mean: -0.1, interval: [-0.2, 0] })).toBe("no difference");
  });

  it("is that one seed says nothing, however large the gain", () => {
    expect(sentence({ mean: 0.3, interval: null })).toBe(
      "One seed says nothing about chance: with 50 labels, the taught student is 30.0 points above its twin that learned alone.",
    );
  });
});

describe("the report", () => {
  it("compares each taught student with its own twin, pair by pair", () => {
    const gains = measured.models.map(({ id, gain }) => [id, gain?.over, gain?.verdict]);
    expect(gains).toEqual([
      ["teacher", undefined, undefined],
      ["fewAlone", undefined, undefined],
      ["fewTaught", "fewAlone", "helped"],
      ["unlabelled", "allAlone", "no difference"],
      ["allAlone", undefined, undefined],
    ]);
    expect(measured.models[2].gain!.mean).toBeCloseTo(0.31 / 3, 12);
  });

  it("says what alpha weighs, with both weights, readable", () => {
    expect(measured.settings.weights).toEqual({ hard: 0.7, soft: 0.3 });
    expect(printReport(measured, plain)).toContain(
      "\nT 4, alpha 0.7: alpha weighs the hard loss (hard 0.7, soft 0.3); kernels float32 SIMD\n",
    );
  });

  it("counts parameters, bytes and compression", () => {
    const [teacher, student] = measured.models;
    expect(teacher).toMatchObject({ layers: [2, 8, 8, 3], parameters: 123, bytes: 492, compression: 1 });
    expect(student).toMatchObject({ layers: [2, 4, 3], parameters: 27, bytes: 108, compression: 123 / 27 });
  });

  it("has no deviation and no interval with one seed", () => {
    const one = reportWith({
      teacher: [0.9],
      fewAlone: [0.5],
      fewTaught: [0.6],
      unlabelled: [0.8],
      allAlone: [0.8],
    });
    expect(one.models[2]).toMatchObject({ deviation: null, gain: { interval: null, verdict: "one seed" } });
    expect(printReport(one, plain)).toMatch(/^9 labels, taught +60\.0 +\+10\.0 +50\.0 /m);
  });

  it("prints as this, within 100 columns", () => {
    const text = printReport(measured, plain, "Attribution.");
    expect(text).toBe(`clouds: 90 rows, 2 features, 3 classes (red: 30, green: 30, blue: 30)
3 seeds, each with a split of its own: 67 labelled rows to train on, 23 to test on
teacher 2-8-8-3, dropout 0.1; students 2-4-3
T 4, alpha 0.7: alpha weighs the hard loss (hard 0.7, soft 0.3); kernels float32 SIMD

                         test  gain over its twin,  agrees                     µs per    times
model              accuracy %        points [95 %]       %  parameters  bytes   row *  smaller
──────────────────────────────────────────────────────────────────────────────────────────────
teacher            98.0 ± 1.0                                      123    492    11.0
9 labels, alone    80.0 ± 5.0                         50.0          27    108    11.0     4.6×
9 labels, taught   90.3 ± 3.5  +10.3 [+6.5, +14.1]    50.0          27    108    11.0     4.6×
no labels, taught  97.0 ± 1.0     0.0 [−2.5, +2.5]    50.0          27    108    11.0     4.6×
67 labels, alone   97.0 ± 1.0                         50.0          27    108    11.0     4.6×
──────────────────────────────────────────────────────────────────────────────────────────────
                    test  calibration  divergence from    accuracy
model               loss      error %      its teacher  retained %
──────────────────────────────────────────────────────────────────
teacher            0.500          2.0
9 labels, alone    0.500          2.0            0.125        99.0
9 labels, taught   0.500          2.0            0.125        99.0
no labels, taught  0.500          2.0            0.125        99.0
67 labels, alone   0.500          2.0            0.125        99.0
──────────────────────────────────────────────────────────────────
taught: by the teacher's answers; no labels, taught: by these alone, on all rows (alpha 0)
accuracy: mean ± sd over seeds; agrees: with the teacher, on the test rows; bytes: float32
loss: cross-entropy in nats; calibration error: how far confidence is from accuracy; divergence:
KL(teacher ‖ student) at T 1 in nats; all on the test rows, means over seeds
* median; the only figures here that differ from run to run

Distillation helped: with 9 labels, the taught student is 10.3 points above its twin that learned
alone (95 % interval +6.5 … +14.1).
No difference that 3 seeds can show: without any label, the taught student is level with its twin
that had 67 labels (95 % interval −2.5 … +2.5).
Note: a note

Attribution.
`);
  });

  it("stays within 100 columns for large numbers, and aligned", () => {
    const wide = [
      "5",
      "123,456 labels, taught",
      "−100.0 [−100.0, +100.0]",
      "12,345,678",
      "49,382,712",
      "12345.6",
      "1234.5×",
    ];
    const columns = wide.map((_, j) => ({ title: ["", `c${j}`] as const, align: "right" as const }));
    const lines = tableLines(columns, [wide, wide.map(() => "1")], 100, plain);
    expect(new Set(lines.slice(2).map((line) => line.length)).size).toBe(1);
    expect(lines[2].length).toBeLessThanOrEqual(100);
  });

  it("paints only where it is asked to, and says the same", () => {
    const painted = printReport(measured, colours);
    expect(painted).toContain("\u001b[32m+10.3 [+6.5, +14.1]\u001b[39m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
    expect(painted.replace(/\u001b\[\d+m/g, "").replace(/ +$/gm, "")).toBe(printReport(measured, plain));
  });

  it("keeps what steers a terminal out of the names it prints", () => {
    const job = tinyJob();
    const classNames = ["a\u001b[31m", "b\n", `${"c".repeat(40)} of the last kind`];
    const report = reportWith(
      { teacher: [1], fewAlone: [1], fewTaught: [1], unlabelled: [1], allAlone: [1] },
      { ...job, table: { ...job.table, classNames } },
    );
    expect(printReport(report, plain).split("\n").slice(0, 2).join(" ")).toBe(
      `clouds: 90 rows, 2 features, 3 classes (a�[31m: 30, b�: 30, ${"c".repeat(24)}…of the last kind: 30)`,
    );
  });

  it("counts one thing as one", () => {
    expect([0, 1, 1000].map((count) => counted(count, "row"))).toEqual(["0 rows", "1 row", "1,000 rows"]);
    expect(counted(2, "class", "classes")).toBe("2 classes");
    const job = tinyJob({ labels: 1 });
    const featureNames = ["x"];
    const report = reportWith(
      { teacher: [1], fewAlone: [1], fewTaught: [1], unlabelled: [1], allAlone: [1] },
      { ...job, table: { ...job.table, features: 1, featureNames } },
    );
    const text = printReport(report, plain);
    expect(text).toContain("clouds: 90 rows, 1 feature, 3 classes");
    expect(text).toMatch(/^1 label, taught /m);
    expect(text).toContain("with 1 label, the taught student");
  });

  it("groups thousands", () => {
    expect([0, 999, 1000, 1234567].map(grouped)).toEqual(["0", "999", "1,000", "1,234,567"]);
  });
});
