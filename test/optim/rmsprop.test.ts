import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { RMSProp, type RMSPropOptions } from "../../src/optim/index.ts";
import { type Formula, itFollows, pathOf, stepAlong } from "./formula.ts";

const defaults = {
  learningRate: 0.01,
  smoothing: 0.99,
  epsilon: 1e-8,
  momentum: 0,
  centered: false,
  weightDecay: 0,
};

/** The docstring's four lines. */
const formula: Formula<RMSPropOptions> = (arithmetic, { w, v, m, u }, g, _, options) => {
  const { setting, add, sub, mul, div, sqrt, positive } = arithmetic;
  const { learningRate, smoothing, epsilon, momentum, centered, weightDecay } = options;
  const [kept, added] = [setting(smoothing), setting(1 - smoothing)];
  const slope = add(g, mul(setting(weightDecay), w));
  const square = add(mul(kept, v), mul(mul(added, slope), slope));
  const mean = centered ? add(mul(kept, m), mul(added, slope)) : undefined;
  const variance = mean === undefined ? square : positive(sub(square, mul(mean, mean)));
  const move = div(slope, add(sqrt(variance), setting(epsilon)));
  const step = momentum > 0 ? add(mul(setting(momentum), u), move) : move;
  return {
    w: sub(w, mul(setting(learningRate), step)),
    v: square,
    ...(mean !== undefined && { m: mean }),
    ...(momentum > 0 && { u: step }),
  };
};

const run = pathOf((parameters, options: RMSPropOptions) => new RMSProp(parameters, options));

describe("RMSProp", () => {
  itFollows(
    formula,
    defaults,
    [
      {},
      { smoothing: 0.9, epsilon: 1e-3, weightDecay: 0.1 },
      { momentum: 0.9 },
      { centered: true },
      { momentum: 0.5, centered: true, weightDecay: 0.01, learningRate: 0.1 },
      { smoothing: 0 },
    ],
    (parameters, options) => new RMSProp(parameters, options),
  );

  it("moves by the gradient over the root of its mean square, ε outside the root", () => {
    // v = ¾ · 0 + ¼ · 64 = 16, and then ¾ · 16 + ¼ · 16 = 16.
    const options = { learningRate: 1, smoothing: 0.75, epsilon: 4 };
    expect(run([8], options)).toBe(-8 / (4 + 4));
    expect(run([8, 4], options)).toBe(-1 - 4 / (4 + 4));
  });

  it("keeps a share of the last move with momentum", () => {
    const options = { learningRate: 1, smoothing: 0.75, epsilon: 4, momentum: 0.5 };
    expect(run([8, 4], options)).toBe(-1 - (0.5 * 1 + 0.5));
  });

  it("divides by the deviation when centered", () => {
    // v = ¼ · 64 = 16, m = ¼ · 8 = 2, v − m² = 12.
    expect(run([8], { learningRate: 1, smoothing: 0.75, epsilon: 4, centered: true })).toBe(
      -8 / (Math.sqrt(12) + 4),
    );
  });

  it("decays weights through the gradient", () => {
    expect(run([6], { learningRate: 1, smoothing: 0.75, epsilon: 4, weightDecay: 0.5 }, 4)).toBe(4 - 1);
  });

  it("has a variance of at least 0 where rounding gives less, and hides no NaN", () => {
    // From the 25th step on, v − m² is −2⁻²³ in float32.
    const w = tensor([0], { requiresGrad: true });
    const optimizer = new RMSProp(new Map([["w", w]]), { smoothing: 0.5, centered: true });
    for (let t = 0; t < 30; t++) stepAlong(optimizer, w, [1.7]);
    const [v, m] = ["v w", "m w"].map((name) => optimizer.state().buffers.get(name)![0]);
    expect(v - m * m).toBeLessThan(0);
    // Of a variance of 0, the next step is η g / ε = 1.7e6; of its size, 2⁻²³, it would be 49.
    const before = w.item();
    stepAlong(optimizer, w, [1.7]);
    expect(before - w.item()).toBeGreaterThan(1.6e6);
    expect(run([Number.NaN], { centered: true })).toBeNaN();
    expect(run([Number.NaN], {})).toBeNaN();
  });

  it("has PyTorch's defaults, and keeps only the values that it needs", () => {
    expect(run([0.3, -2, 1e-9], {}, 0.5)).toBe(run([0.3, -2, 1e-9], defaults, 0.5));
    const kept = (options: RMSPropOptions): string[] => [
      ...new RMSProp(new Map([["w", tensor([1], { requiresGrad: true })]]), options).state().buffers.keys(),
    ];
    expect(kept({})).toEqual(["v w"]);
    expect(kept({ momentum: 0.9, centered: true })).toEqual(["v w", "m w", "u w"]);
  });

  it.each<[RMSPropOptions, string]>([
    [{ smoothing: 1 }, "optimizer: smoothing must be in [0, 1), got 1"],
    [{ epsilon: 0 }, "optimizer: epsilon must be above 0, or a zero gradient gives 0 / 0"],
    [{ momentum: -0.1 }, "optimizer: momentum must be in [0, 1), got -0.1"],
    [{ centered: 1 as unknown as boolean }, "optimizer: centered must be true or false, got 1"],
    [{ weightDecay: -1 }, "optimizer: weightDecay must be a finite number of at least 0, got -1"],
    [{ learningRate: -1 }, "optimizer: learningRate must be a finite number of at least 0, got -1"],
    [
      { alpha: 0.9 } as RMSPropOptions,
      'RMSProp: unknown option "alpha"; possible are learningRate, smoothing, epsilon, momentum, centered, weightDecay',
    ],
  ])("refuses %j", (options, message) => {
    const parameters = new Map([["w", tensor([1], { requiresGrad: true })]]);
    expect(() => new RMSProp(parameters, options)).toThrow(new DistilgradError("value", message));
  });
});
