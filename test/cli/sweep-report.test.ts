import { describe, expect, it } from "vitest";
import { plain } from "../../src/cli/paint.ts";
import { printSweep } from "../../src/cli/print-sweep.ts";
import type { Grid, Setting, SweepRun } from "../../src/cli/sweep-grid.ts";
import {
  aloneReports,
  defaultSetting,
  ranking,
  type ScoreOf,
  settingReports,
  sweepReport,
  testReport,
} from "../../src/cli/sweep-report.ts";
import { tinyGrid, tinySweep } from "./support/tiny-sweep.ts";

const sweep = tinySweep();
/** As 90 rows, of which a quarter is tested on and a quarter of the rest validates. */
const VALIDATION = 17;

function reportsOf(grid: Grid, seeds: number, right: (setting: SweepRun["pupil"], seed: number) => number) {
  const scoreOf: ScoreOf = ({ pupil, seed }) => ({
    accuracy: right(pupil, seed) / VALIDATION,
    loss: 1 + seed,
    divergence: 2 + seed,
  });
  const alone = aloneReports(sweep, grid, seeds, scoreOf);
  return { alone, results: settingReports(sweep, grid, alone, seeds, scoreOf) };
}

describe("the ranking of a sweep", () => {
  const grid: Grid = { ...tinyGrid, losses: ["softTargetLoss"], betas: [0], students: [[4], [3]] };

  it("puts most right answers first, over all seeds", () => {
    const { results } = reportsOf(grid, 2, (pupil, seed) =>
      pupil.loss !== null && pupil.alpha === 0.7 && pupil.temperature === 1 && pupil.student[0] === 4
        ? 9 + seed
        : 9,
    );
    expect(results[2].setting).toEqual({
      student: [4],
      loss: "softTargetLoss",
      beta: 0,
      alpha: 0.7,
      temperature: 1,
    });
    expect(ranking(results, VALIDATION)[0]).toBe(2);
  });

  it("takes of equals the smaller student, then the first of the grid", () => {
    const { results } = reportsOf(grid, 2, () => 9);
    expect(results.map(({ parameters }) => parameters)).toEqual([27, 27, 27, 27, 21, 21, 21, 21]);
    expect(ranking(results, VALIDATION)).toEqual([4, 5, 6, 7, 0, 1, 2, 3]);
  });

  it("takes as many right answers as equal in whatever order the seeds give them", () => {
    // 1/17 + 12/17 + 16/17 and the same from behind differ in the last bit.
    const shares = [1, 12, 16];
    const sum = (rights: readonly number[]) => rights.reduce((total, right) => total + right / VALIDATION, 0);
    expect(sum(shares)).not.toBe(sum([16, 12, 1]));
    for (const turned of [true, false]) {
      const { results } = reportsOf({ ...grid, students: [[4]] }, 3, (pupil, seed) =>
        pupil.loss !== null && (pupil.temperature === 1) === turned ? shares[seed] : shares[2 - seed],
      );
      expect(ranking(results, VALIDATION)).toEqual([0, 1, 2, 3]);
    }
  });
});

describe("the report of a sweep", () => {
  it("has means over seeds, and gains over the twin of the same widths", () => {
    const { alone, results } = reportsOf(tinyGrid, 2, ({ student, loss }, seed) =>
      loss === null ? student.length : 5 + student.length + 2 * seed,
    );
    expect(alone.map(({ validation }) => validation.accuracies)).toEqual([
      [1 / VALIDATION, 1 / VALIDATION],
      [2 / VALIDATION, 2 / VALIDATION],
    ]);
    for (const { setting, validation } of results) {
      expect(validation.loss).toBe(1.5);
      expect(validation.divergence).toBe(2.5);
      expect(validation.gain.mean).toBeCloseTo(6 / VALIDATION, 12);
      expect(validation.mean).toBeCloseTo((6 + setting.student.length) / VALIDATION, 12);
      expect(validation.deviation).toBeCloseTo(Math.SQRT2 / VALIDATION, 12);
    }
  });

  it("knows the default only where the grid has it, with the widths that were asked for", () => {
    const [first, second] = tinyGrid.students;
    expect(defaultSetting(tinyGrid, second)).toEqual({
      student: second,
      loss: "softTargetLoss",
      beta: 0,
      alpha: 0.7,
      temperature: 4,
    });
    for (const without of [
      { temperatures: [1, 2] },
      { alphas: [0.5] },
      { betas: [1] },
      { losses: ["reverseKlLoss"] },
    ]) {
      expect(defaultSetting({ ...tinyGrid, ...without }, first)).toBe(null);
    }
  });

  const printed = (grid: Grid, seeds: number) => {
    const { alone, results } = reportsOf(grid, seeds, (pupil) =>
      pupil.loss === null ? 8 : Math.min(8 + grid.temperatures.indexOf(pupil.temperature!), VALIDATION),
    );
    const [chosen] = ranking(results, VALIDATION);
    const test = (setting: Setting) =>
      testReport(
        setting,
        Array.from({ length: seeds }, (_, seed) => 0.9 + seed / 100),
        new Array(seeds).fill(0.8),
      );
    const unchanged = defaultSetting(grid, results[chosen].setting.student);
    const report = sweepReport(sweep, grid, {
      seeds,
      teachers: new Array(seeds).fill(0.95),
      alone,
      results,
      chosen,
      tested: { chosen: test(results[chosen].setting), default: unchanged && test(unchanged) },
      notes: ["something odd"],
    });
    return printSweep(report, plain, "By somebody");
  };

  it("is a table with the axes that vary, the best first, what was chosen, and the verdict on test rows", () => {
    const grid = {
      ...tinyGrid,
      students: [[4]],
      losses: ["softTargetLoss"],
      betas: [0],
      temperatures: [1, 4],
    };
    expect(printed(grid, 2)).toMatchInlineSnapshot(`
      "clouds: 90 rows, 2 features, 3 classes
      2 seeds, each with a split of its own: 50 rows to train on, 17 to choose by, 23 to test on
      teacher 8-8: 95.0 ± 0.0 % on validation rows; kernels float32 SIMD
      every setting: student 4, loss softTargetLoss, beta 0

                validation  gain over its twin,  validation  divergence from
      alpha  T  accuracy %        points [95 %]        loss      its teacher
      ──────────────────────────────────────────────────────────────────────
        0.2  4  52.9 ± 0.0    +5.9 [+5.9, +5.9]       1.500            2.500
        0.7  4  52.9 ± 0.0    +5.9 [+5.9, +5.9]       1.500            2.500
        0.2  1  47.1 ± 0.0       0.0 [0.0, 0.0]       1.500            2.500
        0.7  1  47.1 ± 0.0       0.0 [0.0, 0.0]       1.500            2.500
      ──────────────────────────────────────────────────────────────────────
      student 4, alone: 47.1 ± 0.0 % on validation rows, loss 1.500
      alpha weighs the hard loss, 1 − alpha the soft one, beta the one between the last hidden layers;
      accuracy: mean ± sd over seeds; loss: cross-entropy in nats; divergence: KL(teacher ‖ student) at T
      1 in nats

      Chosen: student 4, softTargetLoss, alpha 0.2, T 4
                                     test  gain over its twin,
      on test rows             accuracy %        points [95 %]
      ────────────────────────────────────────────────────────
      chosen                   90.5 ± 0.7  +10.5 [+4.1, +16.9]
      its twin, alone          80.0 ± 0.0
      default, T 4, alpha 0.7  90.5 ± 0.7  +10.5 [+4.1, +16.9]
      ────────────────────────────────────────────────────────

      On test rows: Distillation helped: the taught student is 10.5 points above its twin that learned
      alone (95 % interval +4.1 … +16.9).
      The choice was made on validation rows: most right answers, of equals the one with fewer parameters,
      then the first of the grid. Test rows had no part in it, so what they say of it is not flattered by
      the choice.
      Note: something odd

      By somebody
      "
    `);
  });

  it("names at most 30 settings and counts the rest", () => {
    const temperatures = Array.from({ length: 33 }, (_, i) => 100 + i);
    const lines = printed(
      { ...tinyGrid, losses: ["softTargetLoss"], betas: [0], alphas: [0.5], students: [[4]], temperatures },
      1,
    ).split("\n");
    expect(lines.filter((line) => /^1\d\d {2}/.test(line)).length).toBe(30);
    expect(lines).toContain("and 3 more; --json has all");
    expect(lines[3]).toBe("every setting: student 4, loss softTargetLoss, beta 0, alpha 0.5");
  });

  it("stays within 100 columns with every axis varied", () => {
    const grid = {
      students: [[512, 256, 128], [4]],
      losses: ["decoupledDistillationLoss", "pearsonCorrelationLoss"],
      betas: [0, 0.125],
      alphas: [0.25, 0.75],
      temperatures: [1.5, 12],
    };
    for (const line of printed(grid, 2).split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});
