import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import {
  constant,
  LearningRate,
  ReduceOnPlateau,
  type ReduceOnPlateauOptions,
  type ReduceOnPlateauState,
  SGD,
  warmup,
} from "../../src/optim/index.ts";

const optimizerAt = (learningRate: number): SGD =>
  new SGD(new Map([["w", tensor([1], { requiresGrad: true })]]), { learningRate });

/** The rate after each of these metrics, from 1. */
function rates(metrics: readonly number[], options: ReduceOnPlateauOptions): number[] {
  const optimizer = optimizerAt(1);
  const plateau = new ReduceOnPlateau(optimizer, { factor: 0.5, ...options });
  return metrics.map((metric) => {
    plateau.step(metric);
    return optimizer.learningRate;
  });
}

describe("ReduceOnPlateau", () => {
  // Worked by hand from PyTorch's ReduceLROnPlateau: metric, what it is taken for, and the rate after it.
  it.each<[string, ReduceOnPlateauOptions, readonly (readonly [number, string, number])[]]>([
    [
      "lowers the rate after more than `patience` metrics in a row that are no better",
      { patience: 2 },
      [
        [5, "the first", 1],
        [4, "better", 1],
        [4, "worse 1: equal is no better", 1],
        [4.5, "worse 2", 1],
        [3, "better, and the count starts again", 1],
        [3, "worse 1", 1],
        [3, "worse 2", 1],
        [3, "worse 3: more than two", 0.5],
        [3, "worse 1", 0.5],
        [3, "worse 2", 0.5],
        [3, "worse 3", 0.25],
        [1, "better", 0.25],
      ],
    ],
    [
      "lowers at once without patience",
      { patience: 0 },
      [
        [1, "the first", 1],
        [1, "worse", 0.5],
        [0.5, "better", 0.5],
        [2, "worse", 0.25],
      ],
    ],
    [
      "wants an improvement by a share of the best",
      { patience: 0, threshold: 0.1 },
      [
        [100, "the first", 1],
        [90, "no better: not below 90", 0.5],
        [89, "better", 0.5],
        [81, "no better than 80.1, measured from 89", 0.25],
        [80, "better", 0.25],
      ],
    ],
    [
      "measures an accuracy the other way round",
      { patience: 1, threshold: 0.1, mode: "max" },
      [
        [0.5, "the first", 1],
        [0.6, "better than 0.55", 1],
        [0.65, "worse 1: not above 0.66", 1],
        [0.655, "worse 2", 0.5],
        [0.7, "better", 0.5],
        [0.1, "worse 1", 0.5],
        [0.9, "better", 0.5],
      ],
    ],
    [
      "waits through a cooldown, in which nothing counts as no better",
      { patience: 0, cooldown: 2 },
      [
        [1, "the first", 1],
        [1, "worse: lowered", 0.5],
        [1, "cooling, one left", 0.5],
        [1, "cooling, none left", 0.5],
        [1, "worse: lowered", 0.25],
        [0.5, "better, while cooling", 0.25],
        [1, "cooling", 0.25],
        [1, "worse: lowered", 0.125],
      ],
    ],
    [
      "ends at the minimum",
      { patience: 0, minimum: 0.3 },
      [
        [1, "the first", 1],
        [1, "worse", 0.5],
        [1, "worse: 0.25 would be below", 0.3],
        [1, "worse", 0.3],
      ],
    ],
    [
      "takes metrics below 0: further down is better, and by a share of their size",
      { patience: 0, threshold: 0.1 },
      [
        [-10, "the first", 1],
        [-10.5, "no better than −11", 0.5],
        [-9.5, "no better: it is worse", 0.25],
        [-12, "better", 0.25],
      ],
    ],
  ])("%s", (_, options, table) => {
    expect(
      rates(
        table.map(([metric]) => metric),
        options,
      ),
    ).toEqual(table.map(([, , rate]) => rate));
  });

  it("has PyTorch's defaults: a tenth after eleven metrics that are no better by 1e-4", () => {
    const optimizer = optimizerAt(1);
    const plateau = new ReduceOnPlateau(optimizer);
    plateau.step(1);
    for (let i = 0; i < 10; i++) plateau.step(1 - 0.9e-4);
    expect(optimizer.learningRate).toBe(1);
    plateau.step(1);
    expect(optimizer.learningRate).toBe(0.1);
    plateau.step(1 - 1.1e-4);
    expect(plateau.state()).toEqual({ rate: 0.1, best: 1 - 1.1e-4, worse: 0, cooling: 0 });
  });

  it("does not raise a rate that is below the minimum already", () => {
    const optimizer = optimizerAt(0.125);
    const plateau = new ReduceOnPlateau(optimizer, { patience: 0, minimum: 0.5 });
    for (let i = 0; i < 3; i++) plateau.step(1);
    expect(optimizer.learningRate).toBe(0.125);
  });

  it("lowers the base of a schedule that sets the rate, so that both multiply", () => {
    const optimizer = optimizerAt(1);
    const schedule = new LearningRate(optimizer, warmup({ steps: 4 }));
    const plateau = new ReduceOnPlateau(schedule, { factor: 0.5, patience: 0 });
    plateau.step(1);
    schedule.step();
    plateau.step(1);
    expect(optimizer.learningRate).toBe(0.25);
    for (let i = 0; i < 2; i++) schedule.step();
    expect(optimizer.learningRate).toBe(0.5);
    expect(schedule.state()).toEqual({ base: 0.5, step: 3 });
  });

  it("does not fight with a schedule behind its back: the second setter is an error at the next metric", () => {
    const optimizer = optimizerAt(1);
    const schedule = new LearningRate(optimizer, constant());
    const plateau = new ReduceOnPlateau(optimizer, { factor: 0.5, patience: 0 });
    for (let i = 0; i < 2; i++) plateau.step(1);
    schedule.step();
    expect(() => plateau.step(1)).toThrow(
      new DistilgradError(
        "state",
        "ReduceOnPlateau: the rate was left at 0.5 and is 1; if a schedule sets it, hand in its LearningRate instead of the optimizer",
      ),
    );
    expect(plateau.state()).toEqual({ rate: 0.5, best: 1, worse: 0, cooling: 0 });
  });

  it("goes on from a saved state, as plain data, whatever the rate is then", () => {
    const metrics = [5, 4, 4, 4, 3, 3, 3, 3, 3, 1, 1, 1, 1];
    const options = { factor: 0.5, patience: 1, cooldown: 2 };
    const seen = { worse: 0, cooling: 0 };
    for (const cut of metrics.keys()) {
      const [first, second] = [optimizerAt(1), optimizerAt(0.3)];
      const whole = new ReduceOnPlateau(first, options);
      for (const metric of metrics.slice(0, cut)) whole.step(metric);
      const resumed = new ReduceOnPlateau(second, options);
      const state: ReduceOnPlateauState = JSON.parse(JSON.stringify(whole.state()));
      resumed.restore(state);
      expect(resumed.state()).toEqual(state);
      expect(second.learningRate).toBe(first.learningRate);
      seen.worse += state.worse;
      seen.cooling += state.cooling;
      for (const metric of metrics.slice(cut)) {
        whole.step(metric);
        resumed.step(metric);
        expect(resumed.state()).toEqual(whole.state());
        expect(second.learningRate).toBe(first.learningRate);
      }
      expect(first.learningRate).toBeLessThan(0.5);
    }
    // A cut at which nothing counts would hide a count that is not restored.
    expect(Math.min(seen.worse, seen.cooling)).toBeGreaterThan(0);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, "1", undefined])("refuses the metric %s", (metric) => {
    const plateau = new ReduceOnPlateau(optimizerAt(1));
    const got = typeof metric === "string" ? '"1", a string' : String(metric);
    expect(() => plateau.step(metric as number)).toThrow(
      new DistilgradError("value", `ReduceOnPlateau: expected a finite number as metric, got ${got}`),
    );
    expect(plateau.state().best).toBeNull();
  });

  it.each<[ReduceOnPlateauOptions, string]>([
    [{ factor: 1 }, "ReduceOnPlateau: factor must be in (0, 1), got 1"],
    [{ factor: 0 }, "ReduceOnPlateau: factor must be in (0, 1), got 0"],
    [
      { factor: "0.5" } as unknown as ReduceOnPlateauOptions,
      'ReduceOnPlateau: factor must be in (0, 1), got "0.5", a string',
    ],
    [{ patience: 1.5 }, "ReduceOnPlateau: patience must be a whole number of at least 0, got 1.5"],
    [{ threshold: -1 }, "ReduceOnPlateau: threshold must be in [0, 1), got -1"],
    [{ cooldown: -1 }, "ReduceOnPlateau: cooldown must be a whole number of at least 0, got -1"],
    [{ minimum: Number.NaN }, "ReduceOnPlateau: minimum must be finite and at least 0, got NaN"],
    [
      { mode: "less" } as unknown as ReduceOnPlateauOptions,
      'ReduceOnPlateau: mode must be "min" or "max", got "less", a string',
    ],
    [
      { gamma: 0.1 } as ReduceOnPlateauOptions,
      'ReduceOnPlateau: unknown option "gamma"; possible are factor, patience, threshold, cooldown, minimum, mode',
    ],
  ])("refuses %j", (options, message) => {
    expect(() => new ReduceOnPlateau(optimizerAt(1), options)).toThrow(new DistilgradError("value", message));
  });

  it("refuses what has no rate", () => {
    expect(() => new ReduceOnPlateau(constant() as unknown as SGD)).toThrow(
      new DistilgradError(
        "value",
        "ReduceOnPlateau: expected an optimizer first, or the LearningRate that sets its rate, got a function",
      ),
    );
  });

  it.each<[string, Partial<ReduceOnPlateauState>, string]>([
    ["a rate that is none", { rate: -1 }, "-1, null, 0, 0"],
    ["a best metric that is none", { best: Number.NaN }, "1, NaN, 0, 0"],
    ["half a count", { worse: 0.5 }, "1, null, 0.5, 0"],
    ["a cooldown below 0", { cooling: -1 }, "1, null, 0, -1"],
  ])("refuses a state with %s and stays where it was", (_, wrong, got) => {
    const optimizer = optimizerAt(1);
    const plateau = new ReduceOnPlateau(optimizer);
    const before = plateau.state();
    expect(() => plateau.restore({ ...before, ...wrong })).toThrow(
      new DistilgradError(
        "state",
        `ReduceOnPlateau: expected a rate, the best metric or null, and two counts, got ${got}`,
      ),
    );
    expect(() => plateau.restore({ ...before, epoch: 3 } as ReduceOnPlateauState)).toThrow(
      'ReduceOnPlateau: unknown option "epoch"; possible are rate, best, worse, cooling',
    );
    expect([plateau.state(), optimizer.learningRate]).toEqual([before, 1]);
  });
});
