/** Floor 4: what a model answers, and how good that is. */

import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { type Dataset, rowCount, rowsBetween, unlabelled } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import { withinStep } from "../graph.ts";
import { ordinary } from "../kernels/ordinary.ts";
import { argmaxRow } from "../kernels/rows.ts";
import { requireLabels } from "../labels.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { formatShape, sameShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import {
  mayKeepAnswers,
  requireAnswering,
  requireTemperatureOf,
  type Teacher,
  teacherLogits,
} from "./teacher.ts";

export interface EvaluateOptions {
  /** Rows that go through the model at once; it changes memory, not results. Default 256. */
  readonly batchSize?: number;
}

/**
 * The logits of every row, in evaluation mode and without a graph: `[rows, classes]`. A module gets its modes back.
 */
export function predictLogits(model: Teacher, x: Tensor, options: EvaluateOptions = {}): Tensor {
  requireAnswering("predictLogits", "model", model);
  requireOptions("predictLogits", options, ["batchSize"]);
  const { batchSize = 256 } = options;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new DistilgradError(
      "value",
      `predictLogits: batchSize must be a whole number of at least 1, got ${kindOf(batchSize)}`,
    );
  }
  const rows = rowCount("predictLogits", { x });
  if (rows === 0) {
    throw new DistilgradError(
      "data",
      `predictLogits: expected at least one row, got ${formatShape(x.shape)}`,
    );
  }
  let logits: Tensor | undefined;
  for (let start = 0; start < rows; start += batchSize) {
    const asked = rowsBetween(x, start, Math.min(start + batchSize, rows));
    const ask = (): Tensor => {
      const answer = teacherLogits(model, asked);
      const classes = logits?.shape[1] ?? answer.shape[1];
      if (!sameShape(answer.shape, [asked.shape[0], classes])) {
        throw new DistilgradError(
          "shape",
          `predictLogits: expected logits [${asked.shape[0]}, ${logits ? classes : "classes"}] for ${asked.shape[0]} rows, got ${formatShape(answer.shape)}`,
        );
      }
      const all = logits ?? new Tensor(ordinary(x.kernels, rows * classes), [rows, classes], x.kernels);
      all.data.set(answer.data, start * classes);
      return all;
    };
    // What may keep its answers would find them void after a step.
    logits = mayKeepAnswers(model) ? ask() : withinStep(x.kernels, ask);
  }
  return logits!;
}

/**
 * The most likely class of every row: the first of equals.
 *
 * @throws on a row with NaN, which has none: a model that diverged must not score
 */
export function predictLabels(logits: Tensor): Int32Array {
  requireInstance("predictLabels", "logits, a tensor", logits, Tensor);
  const [rows, classes] = logits.shape;
  if (logits.shape.length !== 2 || classes === 0) {
    throw new DistilgradError(
      "shape",
      `predictLabels: expected logits [rows, classes], got ${formatShape(logits.shape)}`,
    );
  }
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = argmaxRow(logits.data, row * classes, classes);
    if (Number.isNaN(logits.data[at])) {
      throw new DistilgradError(
        "nonfinite",
        `predictLabels: the logits of row ${row} hold NaN, which names no class`,
      );
    }
    labels[row] = at - row * classes;
  }
  return labels;
}

/** The share of labelled rows whose most likely class is their label. @throws when no row has a label */
export function accuracy(logits: Tensor, labels: ArrayLike<number>): number {
  const predicted = predictLabels(logits);
  requireLabels("accuracy", labels, predicted.length, logits.shape[1], unlabelled);
  let right = 0;
  let count = 0;
  for (let row = 0; row < predicted.length; row++) {
    if (labels[row] === unlabelled) continue;
    count++;
    if (predicted[row] === labels[row]) right++;
  }
  if (count === 0) throw new DistilgradError("labels", "accuracy: expected at least one labelled row");
  return right / count;
}

/** The share of rows on which two models name the same class. */
export function agreement(a: Tensor, b: Tensor): number {
  if (!sameShape(a.shape, b.shape)) {
    throw new DistilgradError(
      "shape",
      `agreement: logits must have the same shape, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  return accuracy(a, predictLabels(b));
}

export interface Evaluation {
  /** Of the labelled rows, in [0, 1]. */
  readonly accuracy: number;
  /** Cross-entropy, the mean over labelled rows, in nats. */
  readonly loss: number;
}

/** Accuracy and loss on labelled data. The model keeps its modes, and nothing is learned. */
export function evaluate(model: Teacher, dataset: Dataset, options: EvaluateOptions = {}): Evaluation {
  requireAnswering("evaluate", "model", model);
  requireTemperatureOf("evaluate", "the model", model, 1);
  rowCount("evaluate", dataset);
  const { x, labels } = dataset;
  if (labels === undefined) throw new DistilgradError("labels", "evaluate: the data has no labels");
  const logits = predictLogits(model, x, options);
  return {
    accuracy: accuracy(logits, labels),
    loss: crossEntropy(logits, labels, { ignoredLabel: unlabelled }).item(),
  };
}
