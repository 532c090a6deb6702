/** Datasets, mini-batches, scales. The digits are a module of their own: `distilgrad/data/digits`. */
export { Batches, type BatchesOptions, type BatchesState } from "./batches.ts";
export { type Dataset, rowCount, rowsBetween, split, takeRows, unlabelled } from "./dataset.ts";
export { Standardizer } from "./standardizer.ts";
