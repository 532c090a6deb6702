/** Floor 6: which rows a sweep trains on, which it chooses by, and which it tests on. Knows labels only. */
import type { Recipe } from "./recipe.ts";
import { fewOf, type RowSplit, splitRows } from "./row-split.ts";

/** Which rows students are judged on: those that choose, or those that nothing has been chosen by. */
export type Judges = "validation" | "test";

/**
 * The split of a seed as `distill` has it, with the same test rows, but for validation rows that are taken from those to
 * train on.
 *
 * @param validation their share, in (0, 1)
 * @returns a split whose `test` holds the rows to judge on
 */
export function sweepSplit(
  labels: Int32Array,
  { test, labels: few }: Pick<Recipe, "test" | "labels">,
  validation: number,
  seed: number,
  judges: Judges,
): RowSplit {
  const whole = splitRows(labels, { test, labels: null }, seed);
  // In random order already, so that the first ones are as good as any.
  const count = validationRowCount(whole.train.length, validation);
  const train = whole.train.subarray(count);
  return {
    train,
    test: judges === "test" ? whole.test : whole.train.subarray(0, count),
    unlabelled: whole.unlabelled,
    few: fewOf(train.length, few, seed),
  };
}

/** How many of the rows to train on choose instead. */
export const validationRowCount = (rows: number, share: number): number => Math.round(rows * share);
