import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { Adagrad, type AdagradOptions } from "../../src/optim/index.ts";
import { type Formula, itFollows, pathOf, setGradient, stepAlong } from "./formula.ts";

const defaults = {
  learningRate: 0.01,
  rateDecay: 0,
  epsilon: 1e-10,
  initialAccumulator: 0,
  weightDecay: 0,
};

/** The docstring's three lines; the rate of the step is a setting. */
const formula: Formula<AdagradOptions> = ({ setting, add, sub, mul, div, sqrt }, { w, s }, g, t, options) => {
  const { learningRate, rateDecay, epsilon, weightDecay } = options;
  const slope = add(g, mul(setting(weightDecay), w));
  const total = add(s, mul(slope, slope));
  const move = div(slope, add(sqrt(total), setting(epsilon)));
  return { w: sub(w, mul(setting(learningRate / (1 + (t - 1) * rateDecay)), move)), s: total };
};

const run = pathOf((parameters, options: AdagradOptions) => new Adagrad(parameters, options));

describe("Adagrad", () => {
  itFollows(
    formula,
    defaults,
    [
      {},
      { learningRate: 0.1, rateDecay: 0.3 },
      { epsilon: 0.1, initialAccumulator: 0.7 },
      { weightDecay: 0.1, learningRate: 1 },
    ],
    (parameters, options) => new Adagrad(parameters, options),
  );

  it("moves by the gradient over the root of the sum of all squares", () => {
    const options = { learningRate: 1, epsilon: 1 };
    expect(run([3], options)).toBe(-3 / (3 + 1));
    expect(run([3, 4], options)).toBe(-0.75 - 4 / (5 + 1));
  });

  it("starts the sum where it is told to", () => {
    expect(run([4], { learningRate: 1, epsilon: 1, initialAccumulator: 9 })).toBe(-4 / (5 + 1));
  });

  it("divides the rate of step t by 1 + (t − 1) δ", () => {
    const options = { learningRate: 1, epsilon: 1, rateDecay: 0.5 };
    expect(run([3, 4], options)).toBe(-0.75 - (1 / 1.5) * (4 / (5 + 1)));
  });

  it("decays weights through the gradient", () => {
    expect(run([2], { learningRate: 1, epsilon: 1, weightDecay: 0.5 }, 2)).toBe(2 - 3 / (3 + 1));
  });

  it("leaves a weight that has had no gradient where it is, its sign of 0 too", () => {
    const w = tensor([1, -0], { requiresGrad: true });
    stepAlong(new Adagrad(new Map([["w", w]])), w, [0, 0]);
    expect(w.toArray()).toEqual([1, -0]);
  });

  it("counts the steps of a parameter that is unfrozen late from its own first", () => {
    const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
    const optimizer = new Adagrad(
      new Map([
        ["a", a],
        ["b", b],
      ]),
      { learningRate: 0.5, rateDecay: 1 },
    );
    b.requiresGrad = false;
    for (let t = 0; t < 9; t++) stepAlong(optimizer, a, [1]);
    b.requiresGrad = true;
    optimizer.zeroGrad();
    setGradient(a, [1]);
    setGradient(b, [1]);
    optimizer.step();
    // A first step is a whole rate long; with the other's count it would be a tenth of it.
    expect(b.item()).toBe(0.5);
  });

  it("has PyTorch's defaults", () => {
    expect(run([0.3, -2, 1e-9], {}, 0.5)).toBe(run([0.3, -2, 1e-9], defaults, 0.5));
  });

  it.each<[AdagradOptions, string]>([
    [{ rateDecay: -1 }, "optimizer: rateDecay must be a finite number of at least 0, got -1"],
    [{ epsilon: 0 }, "optimizer: epsilon must be above 0, or a zero gradient gives 0 / 0"],
    [
      { initialAccumulator: Number.NaN },
      "optimizer: initialAccumulator must be a finite number of at least 0, got NaN",
    ],
    [{ weightDecay: -1 }, "optimizer: weightDecay must be a finite number of at least 0, got -1"],
    [{ learningRate: -1 }, "optimizer: learningRate must be a finite number of at least 0, got -1"],
    [
      { momentum: 1 } as AdagradOptions,
      'Adagrad: unknown option "momentum"; possible are learningRate, rateDecay, epsilon, initialAccumulator, weightDecay',
    ],
  ])("refuses %j", (options, message) => {
    const parameters = new Map([["w", tensor([1], { requiresGrad: true })]]);
    expect(() => new Adagrad(parameters, options)).toThrow(new DistilgradError("value", message));
  });
});
