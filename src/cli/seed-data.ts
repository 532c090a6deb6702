/** Floor 6: the rows of one seed as datasets, on one scale. */
import { type Dataset, takeRows } from "../data/dataset.ts";
import { Standardizer } from "../data/standardizer.ts";
import { tensor } from "../factories.ts";
import type { Job } from "./recipe.ts";
import { type RowSplit, splitRows } from "./row-split.ts";

export interface SeedData {
  /** All rows to train on: the labelled ones first, then those without a label. */
  readonly everything: Dataset;
  /** How many of them have a label. */
  readonly labelled: number;
  /** Which of the labelled ones the students with few labels see. */
  readonly few: Uint32Array;
  readonly test: Dataset;
  /** What brought the features to one scale; null where they are as they were. */
  readonly scale: Standardizer | null;
}

export const seedData = (job: Job, seed: number): SeedData =>
  datasetsOf(job, splitRows(job.table.labels, job.recipe, seed));

/** The rows of a split as datasets, with the teacher's answers where they are stored. */
export function datasetsOf(
  { table, recipe, answers }: Pick<Job, "table" | "recipe" | "answers">,
  { train, test, unlabelled, few }: RowSplit,
): SeedData {
  const all: Dataset = {
    x: tensor(table.values, { shape: [table.rows, table.features] }),
    labels: table.labels,
    ...(answers && {
      teacherLogits: tensor(answers.logits, { shape: [table.rows, table.classNames.length] }),
    }),
  };
  const everything = takeRows(all, [...train, ...unlabelled]);
  const tested = takeRows(all, test);
  const labelled = train.length;
  if (!recipe.standardize) return { everything, labelled, few, test: tested, scale: null };
  const scale = new Standardizer(everything.x);
  return {
    everything: { ...everything, x: scale.apply(everything.x) },
    labelled,
    few,
    test: { ...tested, x: scale.apply(tested.x) },
    scale,
  };
}
