/** Floor 6: which rows a seed trains on and which it is tested on. Knows labels only, so that it can be checked beforehand. */
import { unlabelled } from "../data/dataset.ts";
import { RandomStream } from "../random.ts";
import type { Recipe } from "./recipe.ts";

/** Row numbers. Every labelled row is in one of `train` and `test`. */
export interface RowSplit {
  /** Labelled rows to train on, in random order. */
  readonly train: Uint32Array;
  /** Labelled rows that no model sees before it is tested. */
  readonly test: Uint32Array;
  /** Rows without a label: they are never tested. */
  readonly unlabelled: Uint32Array;
  /** Places within `train`: the rows of the students with few labels; empty where a recipe has none. */
  readonly few: Uint32Array;
}

export function splitRows(
  labels: Int32Array,
  { test, labels: few }: Pick<Recipe, "test" | "labels">,
  seed: number,
): RowSplit {
  const labelled: number[] = [];
  const without: number[] = [];
  for (const [row, label] of labels.entries()) (label === unlabelled ? without : labelled).push(row);
  const order = new RandomStream(seed, "split").permutation(labelled.length).map((i) => labelled[i]);
  const count = testRowCount(labelled.length, test);
  const train = order.subarray(count);
  return {
    train,
    test: order.subarray(0, count),
    unlabelled: Uint32Array.from(without),
    few: fewOf(train.length, few, seed),
  };
}

/** Places among so many rows: those of the students with few labels. */
export const fewOf = (rows: number, few: number | null, seed: number): Uint32Array =>
  new RandomStream(seed, "few labels").permutation(rows).subarray(0, few ?? 0);

/** How many of the labelled rows are tested on. */
export const testRowCount = (labelled: number, share: number): number => Math.round(labelled * share);
