import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { SGD, type SGDOptions } from "../../src/optim/index.ts";
import { stepAlong } from "./formula.ts";

/** The textbook, in float64, from the docstring's three lines. */
function reference(start: readonly number[], gradients: readonly (readonly number[])[], options: SGDOptions) {
  const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  const w = [...start];
  const v = w.map(() => 0);
  let largestWeight = Math.max(...w.map(Math.abs));
  let largestMove = 0;
  for (const g of gradients) {
    for (const i of w.keys()) {
      const slope = g[i] + weightDecay * w[i];
      v[i] = momentum * v[i] + slope;
      const move = learningRate * (nesterov ? slope + momentum * v[i] : v[i]);
      w[i] -= move;
      // What is subtracted to make v and the move, not the difference, is what rounding is relative to.
      const magnitude = Math.abs(g[i]) + weightDecay * Math.abs(w[i]) + momentum * Math.abs(v[i]);
      largestMove = Math.max(largestMove, learningRate * magnitude * 2);
      largestWeight = Math.max(largestWeight, Math.abs(w[i]));
    }
  }
  return { w, largestWeight, largestMove };
}

function run(
  start: readonly number[],
  gradients: readonly (readonly number[])[],
  options: SGDOptions,
  kernels: Kernels,
): number[] {
  const w = tensor(start, { kernels, requiresGrad: true });
  const optimizer = new SGD(new Map([["w", w]]), options);
  for (const gradient of gradients) stepAlong(optimizer, w, gradient);
  return [...w.data];
}

const value = fc.float({ min: -2, max: 2, noNaN: true, noDefaultInfinity: true });
const vector = fc.array(value, { minLength: 3, maxLength: 3 });
const paths = fc.tuple(vector, fc.array(vector, { minLength: 1, maxLength: 8 }));

const variants: readonly SGDOptions[] = [
  { learningRate: 0.1 },
  { learningRate: 0.1, momentum: 0.9 },
  { learningRate: 0.05, momentum: 0.5, nesterov: true },
  { learningRate: 0.1, weightDecay: 0.01 },
  { learningRate: 0.02, momentum: 0.9, nesterov: true, weightDecay: 0.1 },
];

describe("SGD", () => {
  it("takes the step of the textbook: w − ηg", () => {
    expect(run([1, 2, 3], [[1, -2, 4]], { learningRate: 0.5 }, float64)).toEqual([0.5, 3, 1]);
  });

  it("keeps a share of the last step with momentum, and looks ahead with Nesterov", () => {
    const gradients = [[1], [1]];
    // v: 1, 1.5; moves 1, 1.5.
    expect(run([0], gradients, { learningRate: 1, momentum: 0.5 }, float64)).toEqual([-2.5]);
    // Moves g + μv: 1.5, 1.75.
    expect(run([0], gradients, { learningRate: 1, momentum: 0.5, nesterov: true }, float64)).toEqual([-3.25]);
  });

  it("decays weights through the gradient: g + λw", () => {
    expect(run([2], [[1]], { learningRate: 0.5, weightDecay: 0.25 }, float64)).toEqual([1.25]);
  });

  it.each(variants)("follows the float64 textbook with %j", (options) => {
    fc.assert(
      fc.property(paths, ([start, gradients]) => {
        const expected = reference(start, gradients, options);
        // Each of t steps rounds w once and a move at most eight times; a rounding of v lives for t steps, one of w feeds
        // back through the decay, by less than it was. Float64 rounds in the same places as the reference or nearby.
        const t = gradients.length;
        const units = t * (expected.largestWeight + 8 * t * expected.largestMove);
        for (const [kernels, u] of [
          [float32, 2 ** -24],
          [float64, 2 ** -53],
        ] as const) {
          const got = run(start, gradients, options, kernels);
          for (const [i, w] of expected.w.entries()) {
            expect(Math.abs(got[i] - w)).toBeLessThanOrEqual(2 * u * units);
          }
        }
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it("changes nothing with a rate of 0 and finite gradients, not even a sign of 0", () => {
    fc.assert(
      fc.property(fc.constantFrom(...variants), paths, (options, [start, gradients]) => {
        for (const kernels of [float32, float64]) {
          const got = run(
            [...start, -0, 1e-45],
            gradients.map((g) => [...g, 1, -1]),
            { ...options, learningRate: 0 },
            kernels,
          );
          const expected = tensor([...start, -0, 1e-45], { kernels });
          for (const [i, w] of expected.data.entries()) expect(Object.is(got[i], w)).toBe(true);
        }
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it("keeps a velocity for each parameter only with momentum", () => {
    const parameters = new Map([["w", tensor([1], { requiresGrad: true })]]);
    expect([...new SGD(parameters, { learningRate: 1 }).state().buffers.keys()]).toEqual([]);
    expect([...new SGD(parameters, { learningRate: 1, momentum: 0.9 }).state().buffers.keys()]).toEqual([
      "v w",
    ]);
  });

  it.each<[SGDOptions, string]>([
    [{ learningRate: -1 }, "optimizer: learningRate must be a finite number of at least 0, got -1"],
    [{ learningRate: Number.NaN }, "optimizer: learningRate must be a finite number of at least 0, got NaN"],
    [
      { learningRate: Number.POSITIVE_INFINITY },
      "optimizer: learningRate must be a finite number of at least 0, got Infinity",
    ],
    [{ learningRate: 1, momentum: 1 }, "optimizer: momentum must be in [0, 1), got 1"],
    [{ learningRate: 1, momentum: -0.1 }, "optimizer: momentum must be in [0, 1), got -0.1"],
    [
      { learningRate: 1, weightDecay: -1 },
      "optimizer: weightDecay must be a finite number of at least 0, got -1",
    ],
    [{ learningRate: 1, nesterov: true }, "optimizer: nesterov needs a momentum above 0"],
  ])("refuses %j", (options, message) => {
    const parameters = new Map([["w", tensor([1], { requiresGrad: true })]]);
    expect(() => new SGD(parameters, options)).toThrow(new DistilgradError("value", message));
  });
});
