/** Datasets, mini-batches, augmentation, scales, generated sets. The digits are a module of their own: `distilgrad/data/digits`. */
export type { Augmentation } from "./augmentation.ts";
export { Batches, type BatchesOptions, type BatchesState } from "./batches.ts";
export { type Dataset, rowCount, rowsBetween, split, takeRows, unlabelled } from "./dataset.ts";
export { ImageAugmentation, type ImageAugmentationOptions } from "./image-augmentation.ts";
export { type MoonsOptions, moons } from "./moons.ts";
export { type ShapesOptions, shapeNames, shapes } from "./shapes.ts";
export { type SpiralsOptions, spirals } from "./spirals.ts";
export { type Scale, Standardizer } from "./standardizer.ts";
