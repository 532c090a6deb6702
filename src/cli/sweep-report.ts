/** Floor 6: what the results of a sweep say, as plain data: the document that `--json` prints. */
import { meanAndDeviation } from "../distill/paired-gain.ts";
import { compareWithTwin, type TwinComparison } from "../distill/report/compare-with-twin.ts";
import { sweepRows } from "./check-sweep.ts";
import { layerWidths, parameterCount, type Recipe } from "./recipe.ts";
import { kernelsName } from "./report.ts";
import { type Alone, type Grid, type Pupil, type Setting, type SweepRun, settingsOf } from "./sweep-grid.ts";
import type { Score, Sweep } from "./sweep-run.ts";

/** On how many rows a student is right: mean over the seeds, with one share a seed. */
export interface Accuracy {
  readonly accuracies: readonly number[];
  readonly mean: number;
  /** Sample standard deviation; null with one seed. */
  readonly deviation: number | null;
}

/** On validation rows; means over the seeds. */
export interface Validated extends Accuracy {
  /** Cross-entropy in nats. */
  readonly loss: number;
  /** KL(teacher ‖ student) at temperature 1, in nats. */
  readonly divergence: number;
}

export interface AloneReport {
  readonly student: readonly number[];
  readonly parameters: number;
  readonly validation: Validated;
}

export interface SettingReport {
  readonly setting: Setting;
  readonly parameters: number;
  readonly validation: Validated & { readonly gain: TwinComparison };
}

/** A setting on test rows, beside its twin that learned alone. */
export interface TestReport {
  readonly setting: Setting;
  readonly taught: Accuracy;
  readonly alone: Accuracy;
  readonly gain: TwinComparison;
}

export interface SweepReport {
  readonly data: {
    readonly name: string;
    readonly rows: number;
    readonly features: number;
    readonly classes: number;
    readonly trainingRows: number;
    readonly validationRows: number;
    readonly testRows: number;
  };
  readonly settings: Pick<Recipe, "teacher" | "batch" | "test" | "labels" | "standardize"> & {
    readonly student: Omit<Recipe["student"], "hidden">;
    readonly validation: number;
    readonly seeds: number;
    readonly kernels: string;
  };
  readonly grid: Grid;
  /** On validation rows. */
  readonly teacher: Accuracy;
  readonly alone: readonly AloneReport[];
  /** In the order of the grid. */
  readonly results: readonly SettingReport[];
  /** The place of the chosen one in `results`. */
  readonly chosen: number;
  readonly tested: {
    readonly chosen: TestReport;
    /** T 4 and α 0.7 with the chosen widths; null where the grid lacks them. */
    readonly default: TestReport | null;
  };
  readonly verdict: readonly string[];
  readonly notes: readonly string[];
}

/** What a run came to on validation rows. */
export type ScoreOf = (run: SweepRun) => Score;

/** Every setting on validation rows, in the order of the grid. */
export function settingReports(
  sweep: Sweep,
  grid: Grid,
  alone: readonly AloneReport[],
  seeds: number,
  scoreOf: ScoreOf,
): SettingReport[] {
  const twins = new Map(alone.map(({ student, validation }) => [student, validation]));
  return settingsOf(grid).map((setting) => {
    const validation = validated(setting, seeds, scoreOf);
    const twin = twins.get(setting.student)!;
    const gain = compareWithTwin(validation.accuracies, twin.accuracies);
    return { setting, parameters: parametersOf(sweep, setting), validation: { ...validation, gain } };
  });
}

/** The students that learn alone, on validation rows. */
export const aloneReports = (
  sweep: Sweep,
  { students }: Grid,
  seeds: number,
  scoreOf: ScoreOf,
): AloneReport[] =>
  students.map((student) => {
    const pupil: Alone = { student, loss: null };
    return { student, parameters: parametersOf(sweep, pupil), validation: validated(pupil, seeds, scoreOf) };
  });

/** How settings that are as good are told apart, in words. */
export const tieRule = "of equals the one with fewer parameters, then the first of the grid";

/**
 * Places of the settings, the best first: by right answers on validation rows over all seeds, then by fewer parameters,
 * then by their order.
 */
export function ranking(reports: readonly SettingReport[], validationRows: number): number[] {
  // Whole numbers: sums of shares may differ where as many answers are right.
  const right = ({ validation }: SettingReport): number =>
    validation.accuracies.reduce((sum, share) => sum + Math.round(share * validationRows), 0);
  return [...reports.keys()].sort(
    (a, b) => right(reports[b]) - right(reports[a]) || reports[a].parameters - reports[b].parameters || a - b,
  );
}

/** What stands for not having tried anything: T 4, α 0.7, the soft loss alone. */
export function defaultSetting(grid: Grid, student: readonly number[]): Setting | null {
  const found = settingsOf(grid).find(
    (each) =>
      each.student === student &&
      each.loss === "softTargetLoss" &&
      each.beta === 0 &&
      each.alpha === 0.7 &&
      each.temperature === 4,
  );
  return found ?? null;
}

export interface SweepFacts {
  readonly seeds: number;
  /** Accuracies of the teachers on validation rows. */
  readonly teachers: readonly number[];
  readonly results: readonly SettingReport[];
  readonly alone: readonly AloneReport[];
  readonly chosen: number;
  readonly tested: SweepReport["tested"];
  readonly notes: readonly string[];
}

export function sweepReport(sweep: Sweep, grid: Grid, facts: SweepFacts): SweepReport {
  const { name, table, recipe, validation } = sweep;
  const rows = sweepRows(sweep);
  const { teacher, student, batch, test, labels, standardize } = recipe;
  const { hidden: _, ...studentSettings } = student;
  const { seeds, results, alone, chosen, tested, notes } = facts;
  return {
    data: {
      name,
      rows: table.rows,
      features: table.features,
      classes: table.classNames.length,
      trainingRows: rows.training,
      validationRows: rows.validation,
      testRows: rows.test,
    },
    settings: {
      seeds,
      teacher,
      student: studentSettings,
      batch,
      test,
      validation,
      labels,
      standardize,
      kernels: kernelsName(),
    },
    grid,
    teacher: accuracyOf(facts.teachers),
    alone,
    results,
    chosen,
    tested,
    verdict: [
      `On test rows: ${tested.chosen.gain.sentence}`,
      `The choice was made on validation rows: most right answers, ${tieRule}. Test rows had no part in it, so what they say of it is not flattered by the choice.`,
    ],
    notes,
  };
}

/** A setting and its twin on test rows, one share a seed. */
export function testReport(
  setting: Setting,
  taught: readonly number[],
  alone: readonly number[],
): TestReport {
  return {
    setting,
    taught: accuracyOf(taught),
    alone: accuracyOf(alone),
    gain: compareWithTwin(taught, alone),
  };
}

function validated(pupil: Pupil, seeds: number, scoreOf: ScoreOf): Validated {
  const scores = Array.from({ length: seeds }, (_, seed) => scoreOf({ seed, pupil }));
  return {
    ...accuracyOf(scores.map(({ accuracy }) => accuracy)),
    loss: meanAndDeviation(scores.map(({ loss }) => loss)).mean,
    divergence: meanAndDeviation(scores.map(({ divergence }) => divergence)).mean,
  };
}

function accuracyOf(accuracies: readonly number[]): Accuracy {
  const { mean, deviation } = meanAndDeviation(accuracies);
  return { accuracies, mean, deviation: accuracies.length === 1 ? null : deviation };
}

const parametersOf = ({ table }: Sweep, { student }: Pupil): number =>
  parameterCount(layerWidths(table, student));
