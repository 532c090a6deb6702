import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { networkOf, stepOf } from "../../bench/steps.js";
import { batchesOf, flopOf, workloadNames, workloads } from "../../bench/workloads.js";
import type { Dataset } from "../../src/data/dataset.ts";
import { tensor } from "../../src/factories.ts";
import type { Floats } from "../../src/kernels/kernels.ts";
import * as reference from "../support/workloads.ts";

/** The set that serves where none is named, on both sides. */
const { kernels } = tensor([1]);

/** One of the test suite's own workloads, which are held to PyTorch's losses: its trainer, batches and networks. */
function referenceOf(name: keyof typeof workloads) {
  if (name === "W6") {
    const trainer = reference.imageSupervisionOf(kernels);
    const step = (batch: Dataset) => trainer.trainStep(batch);
    return { student: trainer.model, teacher: null, batches: reference.imageBatchesOf(kernels), step };
  }
  const workload: reference.Workload = reference.workloads[name];
  const batches = reference.batchesOf(workload, kernels);
  if (workload.teacher === undefined) {
    const trainer = reference.supervisionOf(workload, kernels);
    const step = (batch: Dataset) => trainer.trainStep(batch);
    return { student: trainer.model, teacher: null, batches, step };
  }
  const teacher = reference.teacherOf(workload, kernels);
  if (name === "W5") {
    const trainer = reference.featureDistillationOf(workload, kernels);
    const step = (batch: Dataset) => trainer.trainStepWithFeatures(batch);
    return { student: trainer.student, teacher, batches, step };
  }
  const trainer = reference.distillationOf(workload, kernels);
  const step = (batch: Dataset) => trainer.trainStep(batch);
  return { student: trainer.student, teacher, batches, step };
}

/** Millions of values in a line, so that a comparison doesn't take them one by one. */
const bits = (values: Floats) =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
const weights = (model: { parameters(): ReadonlyMap<string, { readonly data: Floats }> }) =>
  [...model.parameters().values()].map(({ data }) => bits(data));

describe.each(workloadNames)("the benchmark's %s", (name) => {
  const { student, teacher, batches, step } = referenceOf(name);

  it("starts from the tested workload's weights and batches, to the last bit", () => {
    expect(weights(networkOf(workloads[name], "student"))).toEqual(weights(student));
    expect(workloads[name].teacher !== undefined).toBe(teacher !== null);
    if (teacher !== null) expect(weights(networkOf(workloads[name], "teacher"))).toEqual(weights(teacher));
    expect(batchesOf(workloads[name]).map(({ x, shape, labels }) => [bits(x), shape, labels])).toEqual(
      batches.map(({ x, labels }) => [bits(x.data), x.shape, labels]),
    );
  });

  it("takes the same steps: three losses to the last bit, so that loss and update rule are the same", () => {
    const next = stepOf(name);
    for (let i = 0; i < 3; i++) expect(next()).toEqual(step(batches[i]));
  });
});

it("counts the operations of a step's products", () => {
  // Of W1: student 64·32 + 32·10 products forward and for the weights, 32·10 for the hidden layer, teacher forward only.
  const products = 2 * (64 * 32 + 32 * 10) + 32 * 10 + (64 * 128 + 128 * 128 + 128 * 10);
  expect(flopOf(workloads.W1)).toBe(2 * 32 * products);
  expect(workloadNames.map((name) => Math.round(flopOf(workloads[name]) / 1e6))).toEqual([
    2, 47, 1431, 1597, 41, 104,
  ]);
});
