/** Floor 6: whether a sweep makes sense, found out before any training starts. */
import { DistilgradError } from "../errors.ts";
import { checkTable, missingClasses, requireFewLabels } from "./check-job.ts";
import { counted, grouped, labelledRows } from "./model-names.ts";
import { layerWidths, parameterCount } from "./recipe.ts";
import { type Grid, settingsOf } from "./sweep-grid.ts";
import type { Sweep } from "./sweep-run.ts";
import { sweepSplit, validationRowCount } from "./sweep-split.ts";
import { takesTemperature, termOf, tryLoss } from "./term-settings.ts";
import { UsageError } from "./usage-error.ts";

/** How many runs a sweep may have. */
export const MOST_RUNS = 10_000;

/** @throws UsageError on a grid with too many runs, before it is made */
export function checkGrid(grid: Grid, seeds: number): void {
  const { students, losses, betas, alphas, temperatures } = grid;
  const settings = students.length * losses.length * betas.length * alphas.length * temperatures.length;
  const runs = (settings + students.length) * seeds;
  if (runs <= MOST_RUNS) return;
  throw new UsageError(
    `sweep: ${counted(settings, "setting")} and ${counted(students.length, "student")} alone, with ${counted(seeds, "seed")} each, are ${grouped(runs)} runs, and at most ${grouped(MOST_RUNS)} are possible; shorten a list`,
  );
}

/** Labelled rows of every seed: to train on, to choose by, to test on. */
export function sweepRows(sweep: Sweep): {
  readonly training: number;
  readonly validation: number;
  readonly test: number;
} {
  const { training, test } = labelledRows(sweep);
  const validation = validationRowCount(training, sweep.validation);
  return { training: training - validation, validation, test };
}

/**
 * Requires data that the sweep can be carried out on, for seeds 0 … seeds − 1.
 *
 * @returns what can be done but should be known by whoever reads the results
 * @throws UsageError on what cannot be done
 */
export function checkSweep(sweep: Sweep, grid: Grid, seeds: number): string[] {
  const { table, recipe } = sweep;
  checkTable(sweep);
  const { training, validation } = sweepRows(sweep);
  if (validation < 1 || training < 1) {
    throw new UsageError(
      `--validation must leave rows on both sides: ${sweep.validation} of ${training + validation} labelled rows is ${validation} to choose by and ${training} to train on`,
    );
  }
  requireFewLabels(recipe, training);
  for (const loss of grid.losses) requireLoss(loss, table.classNames.length);
  const split = (seed: number) => sweepSplit(table.labels, recipe, sweep.validation, seed, "validation");
  const notes = missingClasses(sweep, seeds, split);
  if (settingsOf(grid).some(({ alpha, beta }) => alpha === 1 && beta === 0)) {
    notes.push("alpha 1 with beta 0 ignores the teacher: such a setting is the student alone");
  }
  const teacher = parameterCount(layerWidths(table, recipe.teacher.hidden));
  for (const student of grid.students) {
    const own = parameterCount(layerWidths(table, student));
    if (own >= teacher) {
      notes.push(
        `student ${student.join("-")} is not smaller than the teacher: ${own} against ${teacher} parameters`,
      );
    }
  }
  return notes;
}

/** Requires a loss that can compare answers of so many classes. @throws UsageError */
function requireLoss(loss: string, classes: number): void {
  const term = termOf({ loss, options: takesTemperature(loss) ? { temperature: 1 } : {} }, []);
  if (term.kind !== "logits") throw new Error(`${loss} compares no answers`);
  try {
    tryLoss(term, 0, classes);
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    throw new UsageError(`--losses: ${error.message}`, { cause: error });
  }
}
