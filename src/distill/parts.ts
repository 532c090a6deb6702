/** Floor 4: a batch in parts that are small enough to go through a model at once. */
import { type Dataset, rowsBetween, unlabelled } from "../data/dataset.ts";
import { requireLabels } from "../labels.ts";
import type { NamedTensors } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";

/** How much some rows count in the losses of their batch. The shares of all its parts add up to 1. */
export interface Share {
  /** Of its rows: what a mean over rows is multiplied with. */
  readonly rows: number;
  /** Of its labelled rows: what a mean over labelled rows is multiplied with. */
  readonly labelled: number;
}

export const whole: Share = { rows: 1, labelled: 1 };

/** Some rows of a batch, in their order. */
export interface Part extends Dataset {
  /** Where the first of them stands in the batch. */
  readonly start: number;
  readonly share: Share;
  /** A trainer that asks its teacher puts the answer here, so that a NaN in it can be traced to its row. */
  teacherLogits?: Tensor;
  /** What the teacher's layers computed, likewise. */
  teacherFeatures?: NamedTensors;
}

/**
 * All rows of a batch, at most `size` at a time; the batch itself where that is enough. Parts are as equal as can be: a
 * remainder of one row would have no variance to normalise by.
 */
export function* partsOf(batch: Dataset, rows: number, size: number): Generator<Part, void> {
  if (rows <= size) {
    yield { ...batch, start: 0, share: whole };
    return;
  }
  const { x, labels, teacherLogits } = batch;
  const labelled = countLabelled(labels);
  const count = Math.ceil(rows / size);
  for (let i = 0; i < count; i++) {
    const [start, end] = [i, i + 1].map((edge) => Math.floor((edge * rows) / count));
    const own = labels?.slice(start, end);
    yield {
      x: rowsBetween(x, start, end),
      ...(own && { labels: own }),
      ...(teacherLogits && { teacherLogits: rowsBetween(teacherLogits, start, end) }),
      start,
      share: { rows: (end - start) / rows, labelled: countLabelled(own) / Math.max(labelled, 1) },
    };
  }
}

/** Requires labels of the classes that the logits of a part have, or none; a wrong one is named by its row of the batch. */
export function requirePartLabels({ x, labels, start }: Part, logits: Tensor): void {
  if (labels === undefined) return;
  requireLabels("trainStep", labels, x.shape[0], logits.shape[logits.shape.length - 1], unlabelled, start);
}

function countLabelled(labels: Int32Array | undefined): number {
  let count = 0;
  for (const label of labels ?? []) if (label !== unlabelled) count++;
  return count;
}
