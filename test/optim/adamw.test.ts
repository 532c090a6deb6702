import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { integerPower } from "../../src/math.ts";
import { Adam, AdamW, type AdamWOptions } from "../../src/optim/index.ts";
import { type Formula, itFollows, setGradient, stepAlong } from "./formula.ts";

const defaults = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

/**
 * The docstring's three lines; the factor 1 − ηλ and the corrected rate are settings. Engines differ in the last bit of
 * Math.pow, so the powers are the library's.
 */
const formula: Formula<AdamWOptions> = (
  { setting, add, sub, mul, div, sqrt },
  { w, m, v },
  g,
  t,
  options,
) => {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options;
  const shrunk = mul(setting(1 - learningRate * weightDecay), w);
  const mean = add(mul(setting(beta1), m), mul(setting(1 - beta1), g));
  const square = add(mul(setting(beta2), v), mul(mul(setting(1 - beta2), g), g));
  const root = div(sqrt(square), setting(Math.sqrt(1 - integerPower(beta2, t))));
  const ratio = div(mean, add(root, setting(epsilon)));
  return {
    w: sub(shrunk, mul(setting(learningRate / (1 - integerPower(beta1, t))), ratio)),
    m: mean,
    v: square,
  };
};

describe("AdamW", () => {
  itFollows(
    formula,
    defaults,
    [
      {},
      { learningRate: 0.01, beta1: 0.8, beta2: 0.99, epsilon: 1e-6 },
      { learningRate: 0.01, weightDecay: 0.3 },
      { weightDecay: 0, beta1: 0, beta2: 0 },
    ],
    (parameters, options) => new AdamW(parameters, options),
  );

  it("shrinks every weight by 1 − ηλ, also one without a gradient, before Adam's step", () => {
    const w = tensor([2, 2], { kernels: float64, requiresGrad: true });
    stepAlong(new AdamW(new Map([["w", w]]), { learningRate: 0.5, weightDecay: 0.25 }), w, [0, 1e6]);
    // 2 · (1 − 0.125), and then one rate of 0.5, whatever the size of the gradient; ε / |g| is 1e-14.
    expect(w.data[0]).toBe(1.75);
    expect(Math.abs(w.data[1] - 1.25)).toBeLessThanOrEqual(1e-14);
  });

  it("decays all weights alike, where Adam's decay is lost in large gradients", () => {
    const lost = (make: (w: Map<string, ReturnType<typeof tensor>>, weightDecay: number) => Adam | AdamW) => {
      const ends = [0, 0.1].map((weightDecay) => {
        const w = tensor([1, 1], { kernels: float64, requiresGrad: true });
        const optimizer = make(new Map([["w", w]]), weightDecay);
        for (let t = 0; t < 20; t++) stepAlong(optimizer, w, t % 2 ? [1e-3, 1e3] : [-1e-3, -1e3]);
        return [...w.data];
      });
      return ends[0].map((free, i) => free - ends[1][i]);
    };
    const coupled = lost((w, weightDecay) => new Adam(w, { learningRate: 0.01, weightDecay }));
    const decoupled = lost((w, weightDecay) => new AdamW(w, { learningRate: 0.01, weightDecay }));
    expect(Math.abs(decoupled[0] - decoupled[1])).toBeLessThan(1e-3 * decoupled[0]);
    expect(coupled[0]).toBeGreaterThan(100 * Math.abs(coupled[1]));
  });

  it("is Adam bit for bit without decay, and has its authors' defaults", () => {
    const run = (make: (w: Map<string, ReturnType<typeof tensor>>) => Adam | AdamW) => {
      const w = tensor([0.5, -0, 3], { requiresGrad: true });
      const optimizer = make(new Map([["w", w]]));
      for (const g of [1e-8, 0.3, -2]) stepAlong(optimizer, w, [g, 0, -g]);
      return w.data;
    };
    expect(run((w) => new AdamW(w, { weightDecay: 0 }))).toEqual(run((w) => new Adam(w)));
    expect(run((w) => new AdamW(w))).toEqual(run((w) => new AdamW(w, defaults)));
    expect(run((w) => new AdamW(w))).not.toEqual(run((w) => new Adam(w)));
  });

  it("corrects a parameter that is unfrozen late from its own first step, and lets it be before", () => {
    const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
    const optimizer = new AdamW(
      new Map([
        ["a", a],
        ["b", b],
      ]),
      { learningRate: 0.1, weightDecay: 0.5 },
    );
    b.requiresGrad = false;
    for (let t = 0; t < 50; t++) stepAlong(optimizer, a, [1]);
    expect(b.item()).toBe(1);
    b.requiresGrad = true;
    optimizer.zeroGrad();
    setGradient(a, [1]);
    setGradient(b, [1]);
    optimizer.step();
    expect(b.data[0]).toBeCloseTo(0.95 - 0.1, 6);
    expect([...optimizer.state().steps.values()]).toEqual([51, 1]);
  });

  it.each<[AdamWOptions, string]>([
    [{ beta1: 1 }, "optimizer: beta1 must be in [0, 1), got 1"],
    [{ beta2: -0.5 }, "optimizer: beta2 must be in [0, 1), got -0.5"],
    [{ epsilon: 0 }, "optimizer: epsilon must be above 0, or a zero gradient gives 0 / 0"],
    [{ weightDecay: -1 }, "optimizer: weightDecay must be a finite number of at least 0, got -1"],
    [{ learningRate: Number.NaN }, "optimizer: learningRate must be a finite number of at least 0, got NaN"],
    [
      { decay: 1 } as AdamWOptions,
      'AdamW: unknown option "decay"; possible are learningRate, beta1, beta2, epsilon, weightDecay',
    ],
  ])("refuses %j", (options, message) => {
    const parameters = new Map([["w", tensor([1], { requiresGrad: true })]]);
    expect(() => new AdamW(parameters, options)).toThrow(new DistilgradError("value", message));
  });
});
