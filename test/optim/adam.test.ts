import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { randn, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { mse, tanh } from "../../src/ops/index.ts";
import { Adam, type AdamOptions } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import { setGradient, stepAlong } from "./formula.ts";

const u = 2 ** -24;

interface State {
  w: number;
  m: number;
  v: number;
}

/** One step of one weight from the docstring's three lines, in float64, with powers by Math.pow. */
function reference({ w, m, v }: State, g: number, t: number, options: AdamOptions): State {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  const slope = g + weightDecay * w;
  const mean = beta1 * m + (1 - beta1) * slope;
  const square = beta2 * v + (1 - beta2) * slope * slope;
  const corrected = mean / (1 - beta1 ** t);
  const root = Math.sqrt(square / (1 - beta2 ** t));
  return { w: w - (learningRate * corrected) / (root + epsilon), m: mean, v: square };
}

const variants: readonly AdamOptions[] = [
  {},
  { learningRate: 0.01, beta1: 0.8, beta2: 0.99, epsilon: 1e-6 },
  { learningRate: 0.01, weightDecay: 0.1 },
  { learningRate: 0.01, beta1: 0, beta2: 0 },
];

describe("Adam", () => {
  it("moves every weight by its learning rate at the first step, whatever the gradient: the biases are corrected", () => {
    const w = tensor([1, 1, 1], { kernels: float64, requiresGrad: true });
    const optimizer = new Adam(new Map([["w", w]]), { learningRate: 0.1 });
    stepAlong(optimizer, w, [100, -1e-3, 3]);
    // |m̂| / (√v̂ + ε) = |g| / (|g| + ε) is 1 − ε/|g| with ε/|g| ≤ 1e-5.
    for (const [i, sign] of [1, -1, 1].entries()) {
      expect(Math.abs(w.data[i] - (1 - sign * 0.1))).toBeLessThanOrEqual(0.1 * 1.01e-5);
    }
  });

  it("has the defaults of its authors", () => {
    const w = tensor([0.5], { kernels: float64, requiresGrad: true });
    const same = tensor([0.5], { kernels: float64, requiresGrad: true });
    const byDefault = new Adam(new Map([["w", w]]));
    const spelled = new Adam(new Map([["w", same]]), {
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
    });
    for (const g of [1e-8, 0.3, -2]) {
      for (const [optimizer, parameter] of [
        [byDefault, w],
        [spelled, same],
      ] as const) {
        stepAlong(optimizer, parameter, [g]);
      }
    }
    expect(w.data).toEqual(same.data);
  });

  it("leaves a weight with a zero gradient and no memory where it is", () => {
    const w = tensor([1, -0], { requiresGrad: true });
    const optimizer = new Adam(new Map([["w", w]]));
    stepAlong(optimizer, w, [0, 0]);
    expect(w.toArray()).toEqual([1, -0]);
  });

  it.each(variants)("follows the float64 textbook over 100 steps with %j", (options) => {
    const random = new RandomStream(1);
    const start = Array.from({ length: 5 }, () => random.normal());
    const w = tensor(start, { kernels: float64, requiresGrad: true });
    const optimizer = new Adam(new Map([["w", w]]), options);
    let expected = start.map((value): State => ({ w: value, m: 0, v: 0 }));
    for (let t = 1; t <= 100; t++) {
      const gradient = start.map(() => random.normal());
      stepAlong(optimizer, w, gradient);
      expected = expected.map((state, i) => reference(state, gradient[i], t, options));
    }
    // Some 20 roundings a step, each relative to moves of less than 4 rates and weights of less than 4.
    for (const [i, state] of expected.entries()) {
      expect(Math.abs(w.data[i] - state.w)).toBeLessThanOrEqual(100 * 20 * 2 ** -53 * 4);
    }
  });

  it.each(variants)(
    "steps in float32 within its roundings of the float64 step from the same state, %j",
    (options) => {
      const { learningRate = 1e-3, beta1 = 0.9, weightDecay = 0 } = options;
      const size = 8;
      const random = new RandomStream(2);
      const w = randn([size], { random, requiresGrad: true });
      const optimizer = new Adam(new Map([["w", w]]), options);
      for (let t = 1; t <= 200; t++) {
        const before = optimizer.state();
        const weights = [...w.data];
        const gradient = Float32Array.from(
          { length: size },
          () => random.normal() * 10 ** (random.below(5) - 3),
        );
        stepAlong(optimizer, w, gradient);
        const after = optimizer.state();
        for (let i = 0; i < size; i++) {
          const from = { w: weights[i], m: before.buffers.get("m w")![i], v: before.buffers.get("v w")![i] };
          const exact = reference(from, gradient[i], t, options);
          const slope = Math.abs(gradient[i]) + weightDecay * Math.abs(weights[i]);
          // g' is off by 3u·slope. m: each of two products has a rounded factor and is rounded, then the sum; v likewise.
          const mean = beta1 * Math.abs(from.m) + (1 - beta1) * slope;
          expect(Math.abs(after.buffers.get("m w")![i] - exact.m)).toBeLessThanOrEqual(6.01 * u * mean);
          const wide = reference({ ...from, m: 0 }, slope, t, { ...options, weightDecay: 0 }).v;
          expect(Math.abs(after.buffers.get("v w")![i] - exact.v)).toBeLessThanOrEqual(12.01 * u * wide);
          // The move rate·m̂/(√v̂ + ε): m is off by 6u·mean, √v by at most √wide·6u in the worst case where g' cancels, and
          // rate, root, ε, two quotients, a root, a sum and a product round: eight more.
          const move = Math.abs(exact.w - from.w);
          const perMean = learningRate / (1 - beta1 ** t) / Math.max(Math.sqrt(exact.v), 1e-30);
          const spread = wide === 0 ? 0 : wide / Math.max(exact.v, 1e-60);
          const limit =
            u * (6.01 * mean * perMean + (6.01 * spread + 8.01) * move + Math.abs(exact.w) + move);
          expect(Math.abs(w.data[i] - exact.w), `step ${t}`).toBeLessThanOrEqual(limit);
        }
      }
    },
  );

  it("stays within 1e-5 of float64 over 1,000 steps down a real loss", () => {
    const target = randn([16], { random: new RandomStream(3) });
    const path = (kernels: typeof float32): Float64Array => {
      const w = tensor(randn([16], { random: new RandomStream(4) }).data, { kernels, requiresGrad: true });
      const goal = tensor(target.data, { kernels });
      const optimizer = new Adam(new Map([["w", w]]));
      for (let t = 0; t < 1000; t++) {
        optimizer.zeroGrad();
        mse(tanh(w), tanh(goal)).backward();
        optimizer.step();
      }
      return Float64Array.from(w.data);
    };
    const [narrow, wide] = [path(float32), path(float64)];
    expect(Math.max(...wide.map((w, i) => Math.abs(w - narrow[i])))).toBeLessThanOrEqual(1e-5);
    // The comparison is worth something only where there was a way to go.
    const start = randn([16], { random: new RandomStream(4) });
    expect(Math.max(...wide.map((w, i) => Math.abs(w - start.data[i])))).toBeGreaterThan(0.3);
  });

  it("corrects a parameter that is unfrozen late from its own first step", () => {
    const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
    const optimizer = new Adam(
      new Map([
        ["a", a],
        ["b", b],
      ]),
      { learningRate: 0.1 },
    );
    b.requiresGrad = false;
    for (let t = 0; t < 50; t++) stepAlong(optimizer, a, [1]);
    b.requiresGrad = true;
    optimizer.zeroGrad();
    setGradient(a, [1]);
    setGradient(b, [1]);
    optimizer.step();
    // A first step is one rate long; without its own count it would be a tenth of it, corrected by 1 − 0.9⁵¹.
    expect(b.data[0]).toBeCloseTo(0.9, 6);
    expect(optimizer.state().steps).toEqual(
      new Map([
        ["a", 51],
        ["b", 1],
      ]),
    );
  });

  it.each<[AdamOptions, string]>([
    [{ beta1: 1 }, "optimizer: beta1 must be in [0, 1), got 1"],
    [{ beta2: -0.5 }, "optimizer: beta2 must be in [0, 1), got -0.5"],
    [{ epsilon: -1 }, "optimizer: epsilon must be a finite number of at least 0, got -1"],
    [{ epsilon: 0 }, "optimizer: epsilon must be above 0, or a zero gradient gives 0 / 0"],
    [{ weightDecay: Number.NaN }, "optimizer: weightDecay must be a finite number of at least 0, got NaN"],
    [{ learningRate: -1 }, "optimizer: learningRate must be a finite number of at least 0, got -1"],
  ])("refuses %j", (options, message) => {
    const parameters = new Map([["w", tensor([1], { requiresGrad: true })]]);
    expect(() => new Adam(parameters, options)).toThrow(new DistilgradError("value", message));
  });
});
