import { describe, expect, it } from "vitest";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Module } from "../../src/nn/module.ts";
import {
  batchesOf,
  distillationOf,
  featureDistillationOf,
  studentOf,
  teacherOf,
  workloads,
} from "../support/workloads.ts";
import { golden, type WorkloadCase } from "./golden.ts";

/** PyTorch's name for a parameter of `linear0`, `linear1`, … */
const torchName = (name: string): string => name.replace("linear", "layers.");

const steps = 20;

/** The largest |got − expected| / max(1, |expected|): relative for what is large, absolute for what is small. */
function distance(got: readonly number[], expected: readonly number[]): number {
  expect(got).toHaveLength(expected.length);
  return Math.max(
    ...got.map((value, i) => Math.abs(value - expected[i]) / Math.max(1, Math.abs(expected[i]))),
  );
}

/** The largest difference of each parameter's gradient, relative to the largest entry of that gradient. */
function gradientDistances(model: Module, expected: WorkloadCase["grad_after_first_backward"]): number[] {
  return [...model.parameters()].map(([name, parameter]) => {
    const wanted = expected[torchName(name)];
    const got = parameter.grad!.data;
    expect(got).toHaveLength(wanted.length);
    const largest = wanted.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
    return wanted.reduce((max, g, i) => Math.max(max, Math.abs(g - got[i])), 0) / largest;
  });
}

const sets = [
  // Two float32 runs differ in the order of their sums: γ₇₈₄ = 4.7e-5 is what the longest sum can lose against the sum
  // of its magnitudes, and the losses are of order 1. (Seen: 1e-7.)
  { kernels: float32, losses: ["losses", "losses_float64"] as const, tolerance: 1e-4 },
  // In float64 the same bound is γ₇₈₄ = 8.7e-14 a step; 20 steps and two runs give less than 1e-11. (Seen: 1e-15.)
  { kernels: float64, losses: ["losses_float64"] as const, tolerance: 1e-11 },
];

describe("workload W1", () => {
  const expected = golden("W1");
  const workload = workloads.W1;

  it("starts with PyTorch's weights and batches to the last bit, from the hash alone", () => {
    for (const [name, parameter] of studentOf(workload).parameters()) {
      expect([...parameter.data], name).toEqual(expected.init![torchName(name)].map(Math.fround));
    }
    for (const [name, parameter] of teacherOf(workload).parameters()) {
      expect([...parameter.data], name).toEqual(expected.teacher_init![torchName(name)].map(Math.fround));
    }
    for (const [k, { x, labels }] of batchesOf(workload).entries()) {
      expect([...x.data]).toEqual(expected.inputs![k].x.map(Math.fround));
      expect([...labels!]).toEqual(expected.inputs![k].y);
    }
  });

  it.each(sets)(
    "loses what PyTorch loses at each of 20 steps in $kernels.name",
    ({ kernels, losses, tolerance }) => {
      const trainer = distillationOf(workload, kernels);
      const batches = batchesOf(workload, kernels);
      const got = Array.from({ length: steps }, (_, step) => trainer.trainStep(batches[step % 4]));
      for (const reference of losses) {
        for (const part of ["total", "hard", "soft"] as const) {
          const difference = distance(
            got.map((step) => step[part]),
            expected[reference][part],
          );
          expect(difference, `${part} against ${reference}`).toBeLessThanOrEqual(tolerance);
        }
      }
    },
  );

  it.each([float32, float64])("has PyTorch's gradients after the first backward in $name", (kernels) => {
    const trainer = distillationOf(workload, kernels);
    const [{ x, labels }] = batchesOf(workload, kernels);
    const teacher = teacherOf(workload, kernels);
    trainer
      .distillationLoss(trainer.student.forward(x), teacher.forward(x).detach(), labels)
      .total.backward();
    for (const difference of gradientDistances(trainer.student, expected.grad_after_first_backward)) {
      expect(difference).toBeLessThanOrEqual(1e-5);
    }
  });
});

describe("workload W5", () => {
  const expected = golden("W5");
  const workload = workloads.W5;

  it("starts with PyTorch's weights, as far as they were recorded", () => {
    for (const [name, parameter] of studentOf(workload).parameters()) {
      const { shape, sum, l2, absmax, first } = expected.init_stats[torchName(name)];
      const values = [...parameter.data];
      expect(parameter.shape).toEqual(shape);
      expect(values.slice(0, first.length)).toEqual(first.map(Math.fround));
      expect(Math.max(...values.map(Math.abs))).toBe(absmax);
      // Two float64 sums of n terms in different orders: 2 γₙ Σ|x|, and squares and root add two roundings more.
      const gamma = 2 * (values.length + 2) * 2 ** -53;
      const absolute = values.reduce((total, w) => total + Math.abs(w), 0);
      expect(Math.abs(values.reduce((total, w) => total + w, 0) - sum)).toBeLessThanOrEqual(gamma * absolute);
      const norm = Math.sqrt(values.reduce((total, w) => total + w * w, 0));
      expect(Math.abs(norm - l2)).toBeLessThanOrEqual(gamma * l2);
    }
  });

  it.each(sets)(
    "loses what PyTorch loses at each of 20 steps in $kernels.name",
    ({ kernels, losses, tolerance }) => {
      const trainer = featureDistillationOf(workload, kernels);
      const batches = batchesOf(workload, kernels);
      const got = Array.from({ length: steps }, (_, step) =>
        trainer.trainStepWithFeatures(batches[step % 4]),
      );
      for (const reference of losses) {
        for (const part of ["total", "hard", "soft", "feature"] as const) {
          const difference = distance(
            got.map((step) => step[part]),
            expected[reference][part],
          );
          expect(difference, `${part} against ${reference}`).toBeLessThanOrEqual(tolerance);
        }
      }
    },
  );

  it.each([float32, float64])("has PyTorch's gradients after the first backward in $name", (kernels) => {
    const trainer = featureDistillationOf(workload, kernels);
    // With a rate of 0 a step leaves its gradients behind and moves nothing.
    trainer.optimizer.learningRate = 0;
    trainer.trainStep(batchesOf(workload, kernels)[0]);
    for (const difference of gradientDistances(trainer.student, expected.grad_after_first_backward)) {
      expect(difference).toBeLessThanOrEqual(1e-5);
    }
  });
});
