/** Floor 6: the rows of one seed as datasets, on one scale. */
import { type Dataset, takeRows } from "../data/dataset.ts";
import { Standardizer } from "../data/standardizer.ts";
import { tensor } from "../factories.ts";
import type { Job } from "./recipe.ts";
import { splitRows } from "./row-split.ts";

export interface SeedData {
  /** All rows to train on: the labelled ones first, then those without a label. */
  readonly everything: Dataset;
  /** How many of them have a label. */
  readonly labelled: number;
  /** Which of the labelled ones the students with few labels see. */
  readonly few: Uint32Array;
  readonly test: Dataset;
}

export function seedData({ table, recipe }: Job, seed: number): SeedData {
  const { train, test, unlabelled, few } = splitRows(table.labels, recipe, seed);
  const all: Dataset = {
    x: tensor(table.values, { shape: [table.rows, table.features] }),
    labels: table.labels,
  };
  const everything = takeRows(all, [...train, ...unlabelled]);
  const tested = takeRows(all, test);
  const labelled = train.length;
  if (!recipe.standardize) return { everything, labelled, few, test: tested };
  const scale = new Standardizer(everything.x);
  return {
    everything: { ...everything, x: scale.apply(everything.x) },
    labelled,
    few,
    test: { ...tested, x: scale.apply(tested.x) },
  };
}
