// @ts-check
/** The workloads as distilgrad runs them: each a function that takes one training step and returns its losses. */
import {
  Adam,
  Conv2d,
  FeatureDistillationTrainer,
  Flatten,
  KnowledgeDistillationTrainer,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  SGD,
  SupervisedTrainer,
  tensor,
} from "distilgrad";
import { batchesOf, layersOf, workloads } from "./workloads.js";

/** @typedef {import("distilgrad").Kernels} Kernels */
/** @typedef {import("./workloads.js").Workload} Workload */

/**
 * A workload's student or teacher with the weights it starts from.
 *
 * @param {Workload} workload
 * @param {"student" | "teacher"} role
 * @param {Kernels} [kernels] the default set where left out
 */
export function networkOf(workload, role, kernels) {
  const settings = kernels ? { kernels } : {};
  const values = layersOf(workload, role);
  /** @type {Record<string, import("distilgrad").Module>} */
  const parts = {};
  for (const [l, { shape, weight, bias }] of values.entries()) {
    const [out, inputs] = shape;
    const layer =
      shape.length === 4
        ? new Conv2d(inputs, out, 3, { padding: 1, ...settings })
        : new Linear(inputs, out, settings);
    layer.weight.update((data) => data.set(weight));
    layer.bias?.update((data) => data.set(bias));
    if (workload.images && l === 2) parts.flat = new Flatten();
    parts[`layer${l}`] = layer;
    if (l + 1 < values.length) parts[`relu${l}`] = new ReLU();
    if (shape.length === 4) parts[`pool${l}`] = new MaxPool2d(2);
  }
  return new Sequential(parts);
}

/**
 * A fresh trainer of a workload and its batches, as one function: the next step.
 *
 * @param {import("./workloads.js").WorkloadName} name
 * @param {Kernels} [kernels]
 * @returns {() => { total: number }}
 */
export function stepOf(name, kernels) {
  const workload = workloads[name];
  const student = networkOf(workload, "student", kernels);
  const optimizer =
    workload.rule === "adam"
      ? new Adam(student.parameters(), { learningRate: 1e-3 })
      : new SGD(student.parameters(), { learningRate: 0.01, momentum: 0.9 });
  const batches = batchesOf(workload).map(({ x, shape, labels }) => ({
    x: tensor(x, { shape, ...(kernels ? { kernels } : {}) }),
    labels,
  }));
  let steps = 0;
  const next = () => batches[steps++ % batches.length];

  if (workload.teacher === undefined) {
    const trainer = new SupervisedTrainer({ model: student, optimizer });
    return () => trainer.trainStep(next());
  }
  const teacher = networkOf(workload, "teacher", kernels);
  if (workload.features) {
    const features = /** @type {const} */ ([["relu0", "relu1"]]);
    const trainer = new FeatureDistillationTrainer({ student, teacher, optimizer, features });
    return () => trainer.trainStepWithFeatures(next());
  }
  const trainer = new KnowledgeDistillationTrainer({ student, teacher, optimizer });
  return () => trainer.trainStep(next());
}
