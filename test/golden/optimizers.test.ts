import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { mul } from "../../src/ops/mul.ts";
import { sum } from "../../src/ops/sum.ts";
import { Adagrad, Adam, AdamW, type Optimizer, RMSProp, SGD } from "../../src/optim/index.ts";
import type { Tensor } from "../../src/tensor.ts";
import { golden, type OptimizerCase } from "./golden.ts";

const number = (golden: OptimizerCase, name: string): number => golden.defaults[name] as number;

const sgd = (parameters: Map<string, Tensor>, golden: OptimizerCase): Optimizer =>
  new SGD(parameters, {
    learningRate: number(golden, "lr"),
    momentum: number(golden, "momentum"),
    nesterov: golden.defaults.nesterov as boolean,
    weightDecay: number(golden, "weight_decay"),
  });

function adamOptions(golden: OptimizerCase) {
  const [beta1, beta2] = golden.defaults.betas as [number, number];
  return {
    learningRate: number(golden, "lr"),
    beta1,
    beta2,
    epsilon: number(golden, "eps"),
    weightDecay: number(golden, "weight_decay"),
  };
}

const adam: typeof sgd = (parameters, golden) => new Adam(parameters, adamOptions(golden));
const adamw: typeof sgd = (parameters, golden) => new AdamW(parameters, adamOptions(golden));

const rmsprop: typeof sgd = (parameters, golden) =>
  new RMSProp(parameters, {
    learningRate: number(golden, "lr"),
    smoothing: number(golden, "alpha"),
    epsilon: number(golden, "eps"),
    momentum: number(golden, "momentum"),
    centered: golden.defaults.centered as boolean,
    weightDecay: number(golden, "weight_decay"),
  });

const adagrad: typeof sgd = (parameters, golden) =>
  new Adagrad(parameters, {
    learningRate: number(golden, "lr"),
    rateDecay: number(golden, "lr_decay"),
    epsilon: number(golden, "eps"),
    initialAccumulator: number(golden, "initial_accumulator_value"),
    weightDecay: number(golden, "weight_decay"),
  });

const u = 2 ** -24;
const steps = 10;
const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

/** The largest weight of a trajectory, and the largest move of one in a step. */
function sizes({ p0, after_each_step }: OptimizerCase): { weight: number; move: number } {
  const path = [p0, ...after_each_step];
  const moves = after_each_step.map((row, t) => largest(row.map((w, i) => w - path[t][i])));
  return { weight: Math.max(...path.map(largest)), move: Math.max(...moves) };
}

/**
 * What ten float32 steps of SGD may lose. Every step rounds w once (u·weight), rate, rate·v and Nesterov's sum (3u·move).
 * v is a geometric sum, each term rounded three times and kept by less than 10 steps: 30u of it. And λ w feeds at most the
 * errors of w back, by less than rate·λ·10/(1 − μ) < 1.
 */
const sgdBound = (golden: OptimizerCase): number => {
  const { weight, move } = sizes(golden);
  return 2 * steps * u * (weight + (3 + 3 * steps) * move);
};

/**
 * What ten float32 steps of Adam may lose. Write G for the largest gradient so far. m is off by 3tu·G, v by a factor of
 * 4tu, root by u; v̂ is nearly a plain mean of t squares, so √v̂ ≥ G/√t. One move is then off by rate·√t·(3t + 2t + 6)u, and
 * w is rounded. As above, λ w feeds back less than what there is.
 */
const adamBound = (golden: OptimizerCase): number => {
  const { weight } = sizes(golden);
  return 2 * steps * u * (weight + number(golden, "lr") * Math.sqrt(steps) * (5 * steps + 6));
};

/** The same, and the factor 1 − ηλ is rounded and rounds w: 2u·weight a step. */
const adamwBound = (golden: OptimizerCase): number =>
  adamBound(golden) + 2 * steps * u * 2 * sizes(golden).weight;

/**
 * What ten float32 steps of RMSProp or Adagrad may lose. The mean or sum of t squares is off by a factor of (3 + t)u,
 * its root by half of that and a rounding; a ratio g / (√v + ε), its rate and their product round five times more. Every
 * move is off by (8 + t)u of itself, and w is rounded.
 */
const ratioBound = (golden: OptimizerCase): number => {
  const { weight, move } = sizes(golden);
  return 2 * steps * u * (weight + (8 + steps) * move);
};

const rules = {
  sgd: { make: sgd, bound: sgdBound },
  sgd_momentum: { make: sgd, bound: sgdBound },
  sgd_nesterov_wd: { make: sgd, bound: sgdBound },
  adam: { make: adam, bound: adamBound },
  adam_wd: { make: adam, bound: adamBound },
  adamw: { make: adamw, bound: adamwBound },
  rmsprop: { make: rmsprop, bound: ratioBound },
  adagrad: { make: adagrad, bound: ratioBound },
};

const cases = golden("optimizers");

function trajectory(golden: OptimizerCase, make: typeof sgd, kernels: Kernels): Float64Array[] {
  const w = tensor(golden.p0, { kernels, requiresGrad: true });
  const optimizer = make(new Map([["w", w]]), golden);
  return golden.grads.map((gradient) => {
    optimizer.zeroGrad();
    sum(mul(w, tensor(gradient, { kernels }))).backward();
    optimizer.step();
    return Float64Array.from(w.data);
  });
}

describe("PyTorch's golden optimizers", () => {
  it("are all compared, but for those that do not exist here yet", () => {
    expect(cases).toHaveLength(9);
    expect(cases.map(({ optimizer }) => optimizer).filter((name) => !(name in rules))).toEqual([
      "adam_amsgrad",
    ]);
  });

  it.each(Object.entries(rules))("%s takes the same ten steps", (name, { make, bound }) => {
    const golden = cases.find(({ optimizer }) => optimizer === name)!;
    expect(golden.after_each_step).toHaveLength(steps);
    // One engine's roundings against the truth; two engines in float32 have them twice.
    const limit = bound(golden);
    for (const [kernels, engines] of [
      [float64, 1],
      [float32, 2],
    ] as const) {
      for (const [t, w] of trajectory(golden, make, kernels).entries()) {
        for (const [i, value] of golden.after_each_step[t].entries()) {
          expect(Math.abs(w[i] - value), `step ${t}, entry ${i}`).toBeLessThanOrEqual(engines * limit);
        }
      }
    }
  });

  it("have bounds that a wrong rule exceeds: Nesterov left out, no decay, another epsilon", () => {
    const off = (name: string, change: Record<string, unknown>, make: typeof sgd): number => {
      const golden = cases.find(({ optimizer }) => optimizer === name)!;
      const changed = { ...golden, defaults: { ...golden.defaults, ...change } };
      const got = trajectory(changed, make, float64);
      const apart = got.map((w, t) => largest(golden.after_each_step[t].map((value, i) => value - w[i])));
      return Math.max(...apart) / rules[name as keyof typeof rules].bound(golden);
    };
    expect(off("sgd_nesterov_wd", { nesterov: false }, sgd)).toBeGreaterThan(100);
    expect(off("sgd_nesterov_wd", { weight_decay: 0 }, sgd)).toBeGreaterThan(100);
    expect(off("adam_wd", { weight_decay: 0 }, adam)).toBeGreaterThan(100);
    expect(off("adam", { eps: 1e-6 }, adam)).toBeGreaterThan(1);
    expect(off("adamw", {}, adam)).toBeGreaterThan(100);
    expect(off("adamw", { weight_decay: 0 }, adamw)).toBeGreaterThan(100);
    expect(off("rmsprop", { alpha: 0.999 }, rmsprop)).toBeGreaterThan(100);
    expect(off("rmsprop", { momentum: 0.1 }, rmsprop)).toBeGreaterThan(100);
    expect(off("adagrad", { lr_decay: 0.01 }, adagrad)).toBeGreaterThan(100);
    expect(off("adagrad", { initial_accumulator_value: 1e-6 }, adagrad)).toBeGreaterThan(100);
  });
});
