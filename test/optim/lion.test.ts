import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { Lion, type LionOptions } from "../../src/optim/index.ts";
import { type Formula, itFollows, pathOf, stepAlong } from "./formula.ts";

const defaults = { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 };

/** The docstring's three lines. */
const formula: Formula<LionOptions> = ({ setting, add, sub, mul, sign }, { w, m }, g, _, options) => {
  const { learningRate, beta1, beta2, weightDecay } = options;
  const direction = add(mul(setting(beta1), m), mul(setting(1 - beta1), g));
  const step = add(sign(direction), mul(setting(weightDecay), w));
  return {
    w: sub(w, mul(setting(learningRate), step)),
    m: add(mul(setting(beta2), m), mul(setting(1 - beta2), g)),
  };
};

const run = pathOf((parameters, options: LionOptions) => new Lion(parameters, options));

describe("Lion", () => {
  itFollows(
    formula,
    defaults,
    [
      {},
      { learningRate: 0.01, beta1: 0.95, beta2: 0.98, weightDecay: 0.1 },
      { beta1: 0, beta2: 0 },
      { learningRate: 1 / 3, weightDecay: 1 },
    ],
    (parameters, options) => new Lion(parameters, options),
  );

  it("moves every weight by its rate along the sign of the gradient, whatever its size; sign 0 is 0", () => {
    const w = tensor([1, 1, 1, -0], { kernels: float64, requiresGrad: true });
    const optimizer = new Lion(new Map([["w", w]]), { learningRate: 0.25 });
    stepAlong(optimizer, w, [1e9, -1e-9, 0, 0]);
    expect(w.toArray()).toEqual([0.75, 1.25, 1, -0]);
  });

  it("takes the direction from β₁ and what it remembers from β₂", () => {
    // m after 4 is ¼ · 4 = 1. Then ½ · 1 + ½ g decides: g = −0.75 is still outweighed, g = −1.25 is not.
    const options = { learningRate: 1, beta1: 0.5, beta2: 0.75 };
    expect(run([4, -0.75], options)).toBe(-2);
    expect(run([4, -1.25], options)).toBe(0);
    // m = ¾ · 1 − ¼ · 1 = ½ after −1, where the direction is 0.
    expect(run([4, -1, -0.25], options)).toBe(-2);
    expect(run([4, -1, -0.75], options)).toBe(0);
  });

  it("decays weights beside the step", () => {
    expect(run([3], { learningRate: 0.5, weightDecay: 0.25 }, 4)).toBe(4 - 0.5 * (1 + 1));
    expect(run([0], { learningRate: 0.5, weightDecay: 0.25 }, 4)).toBe(4 - 0.5);
  });

  it("hides no NaN", () => {
    expect(run([Number.NaN], {})).toBeNaN();
  });

  it("has its authors' defaults", () => {
    expect(run([0.3, -0.2, -0.1], {}, 0.5)).toBe(run([0.3, -0.2, -0.1], defaults, 0.5));
  });

  it.each<[LionOptions, string]>([
    [{ beta1: 1 }, "optimizer: beta1 must be in [0, 1), got 1"],
    [{ beta2: Number.NaN }, "optimizer: beta2 must be in [0, 1), got NaN"],
    [{ weightDecay: -1 }, "optimizer: weightDecay must be a finite number of at least 0, got -1"],
    [{ learningRate: -1 }, "optimizer: learningRate must be a finite number of at least 0, got -1"],
    [
      { epsilon: 1 } as LionOptions,
      'Lion: unknown option "epsilon"; possible are learningRate, beta1, beta2, weightDecay',
    ],
  ])("refuses %j", (options, message) => {
    const parameters = new Map([["w", tensor([1], { requiresGrad: true })]]);
    expect(() => new Lion(parameters, options)).toThrow(new DistilgradError("value", message));
  });
});
