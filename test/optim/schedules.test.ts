import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import {
  constant,
  cosine,
  during,
  LearningRate,
  linearDecay,
  oneCycle,
  type Schedule,
  SGD,
  scheduled,
  stepDecay,
  warmup,
} from "../../src/optim/index.ts";

const values = (schedule: Schedule, count: number): number[] =>
  Array.from({ length: count }, (_, i) => schedule(i));
const optimizerAt = (learningRate: number): SGD =>
  new SGD(new Map([["w", tensor([1], { requiresGrad: true })]]), { learningRate });

describe("schedules", () => {
  it("stay at 1: constant", () => {
    expect(values(constant(), 3)).toEqual([1, 1, 1]);
  });

  it("drop by a factor after every so many steps: stepDecay", () => {
    expect(values(stepDecay({ every: 2, factor: 0.5 }), 7)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]);
  });

  it("fall along half a cosine from 1 to the floor, and stay there: cosine", () => {
    const schedule = cosine({ steps: 4 });
    const half = Math.SQRT1_2;
    for (const [i, value] of [1, (1 + half) / 2, 0.5, (1 - half) / 2].entries()) {
      // The cosine of a multiple of π/4 is within 2 ULP.
      expect(Math.abs(schedule(i) - value)).toBeLessThanOrEqual(2 ** -51);
    }
    expect(values(schedule, 7).slice(4)).toEqual([0, 0, 0]);
    const raised = cosine({ steps: 2, floor: 0.2 });
    expect(raised(0)).toBe(1);
    expect(Math.abs(raised(1) - 0.6)).toBeLessThanOrEqual(2 ** -51);
    expect([raised(2), raised(100)]).toEqual([0.2, 0.2]);
  });

  it("fall in a line from 1 to the floor, and stay there: linearDecay", () => {
    expect(values(linearDecay({ steps: 4 }), 6)).toEqual([1, 0.75, 0.5, 0.25, 0, 0]);
    expect(values(linearDecay({ steps: 2, floor: 0.5 }), 4)).toEqual([1, 0.75, 0.5, 0.5]);
  });

  it("are 1 from one step on until before another, else 0: during", () => {
    expect(values(during({ from: 1, until: 3 }), 5)).toEqual([0, 1, 1, 0, 0]);
    expect(values(during({ until: 2 }), 3)).toEqual([1, 1, 0]);
    expect(values(during({ from: 2 }), 4)).toEqual([0, 0, 1, 1]);
    expect(values(during({}), 2)).toEqual([1, 1]);
  });

  it("carry any setting along: scheduled", () => {
    expect(values(scheduled(8, linearDecay({ steps: 4, floor: 0.25 })), 6)).toEqual([8, 6.5, 5, 3.5, 2, 2]);
    expect(values(scheduled(0.3, during({ from: 1 })), 2)).toEqual([0, 0.3]);
  });

  it("rise in a line that ends at 1, then go on with another from its start: warmup", () => {
    expect(values(warmup({ steps: 4 }), 6)).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
    expect(values(warmup({ steps: 2, after: stepDecay({ every: 1, factor: 0.5 }) }), 5)).toEqual([
      0.5, 1, 1, 0.5, 0.25,
    ]);
    // At the seam: full at the last step of the warm-up and at the first of the cosine.
    const joined = warmup({ steps: 2, after: cosine({ steps: 10 }) });
    expect([joined(1), joined(2), joined(12)]).toEqual([1, 1, 0]);
  });

  it("rise and fall along half cosines as PyTorch's OneCycleLR: oneCycle", () => {
    // OneCycleLR with max_lr 1, from its source: each phase ends at a step that need not be whole.
    const torch = (step: number, steps: number, share: number, divide: number, final: number): number => {
      const [initial, last] = [1 / divide, 1 / divide / final];
      const anneal = (from: number, to: number, part: number): number =>
        to + ((from - to) / 2) * (Math.cos(Math.PI * part) + 1);
      const [up, end] = [share * steps - 1, steps - 1];
      return step <= up ? anneal(initial, 1, step / up) : anneal(1, last, (step - up) / (end - up));
    };
    for (const [steps, share, divide, final] of [
      [100, 0.3, 25, 1e4],
      [37, 0.25, 10, 100],
      [11, 0.5, 4, 1],
    ]) {
      const schedule = oneCycle({ steps, warmup: share, start: 1 / divide, end: 1 / divide / final });
      for (let step = 0; step < steps; step++) {
        // Two cosines within 2 ULP of 1, and some roundings of numbers below 1.
        expect(Math.abs(schedule(step) - torch(step, steps, share, divide, final))).toBeLessThanOrEqual(
          2 ** -49,
        );
      }
      expect(schedule(steps)).toBe(1 / divide / final);
    }
  });

  it("start at 1/25, peak at 1 and end at a ten-thousandth of the start: oneCycle by default", () => {
    const schedule = oneCycle({ steps: 100 });
    expect(schedule(0)).toBe(1 / 25);
    expect(schedule(29)).toBe(1);
    expect([schedule(99), schedule(1000)]).toEqual([1e-4 * (1 / 25), 1e-4 * (1 / 25)]);
    expect(oneCycle({ steps: 100, start: 0.5 })(99)).toBe(0.5e-4);
    const all = values(schedule, 100);
    expect(all.indexOf(Math.max(...all))).toBe(29);
    expect(all.slice(0, 30)).toEqual([...all.slice(0, 30)].sort((a, b) => a - b));
    expect(all.slice(29)).toEqual([...all.slice(29)].sort((a, b) => b - a));
  });

  it("leave out a rise that is shorter than a step: oneCycle of few steps", () => {
    expect(values(oneCycle({ steps: 3, end: 0 }), 4)).toEqual([1, 0.5, 0, 0]);
    expect(values(oneCycle({ steps: 3, warmup: 0, end: 0 }), 4)).toEqual([1, 0.5, 0, 0]);
    expect(values(oneCycle({ steps: 1, end: 0.25 }), 2)).toEqual([0.25, 0.25]);
  });

  it.each<[string, () => Schedule, string]>([
    [
      "a line of 0 steps",
      () => linearDecay({ steps: 0 }),
      "linearDecay: steps must be a whole number of at least 1, got 0",
    ],
    [
      "a floor above 1",
      () => linearDecay({ steps: 2, floor: 2 }),
      "linearDecay: floor must be in [0, 1], got 2",
    ],
    [
      "a stage before the first step",
      () => during({ from: -1 }),
      "during: from must be a whole number of at least 0, got -1",
    ],
    [
      "a stage that ends where it starts",
      () => during({ from: 3, until: 3 }),
      "during: until must be a whole number of at least 4, got 3",
    ],
    [
      "a base that is no number",
      () => scheduled(Number.NaN, constant()),
      "scheduled: base must be a finite number, got NaN",
    ],
    [
      "a schedule that is none",
      () => scheduled(4, 3 as never),
      "scheduled: expected a schedule such as cosine({ steps: 800 }), got 3",
    ],
    [
      "a cycle of 0 steps",
      () => oneCycle({ steps: 0 }),
      "oneCycle: steps must be a whole number of at least 1, got 0",
    ],
    [
      "a warm-up of all steps",
      () => oneCycle({ steps: 9, warmup: 1 }),
      "oneCycle: warmup must be in [0, 1), got 1",
    ],
    [
      "a start above the peak",
      () => oneCycle({ steps: 9, start: 2 }),
      "oneCycle: start must be in [0, 1], got 2",
    ],
    ["an end below 0", () => oneCycle({ steps: 9, end: -1 }), "oneCycle: end must be in [0, 1], got -1"],
    [
      "another name",
      () => oneCycle({ steps: 9, peak: 1 } as { steps: number }),
      'oneCycle: unknown option "peak"; possible are steps, warmup, start, end',
    ],
    [
      "every 0",
      () => stepDecay({ every: 0, factor: 0.5 }),
      "stepDecay: every must be a whole number of at least 1, got 0",
    ],
    ["factor 0", () => stepDecay({ every: 1, factor: 0 }), "stepDecay: factor must be above 0, got 0"],
    [
      "1.5 steps",
      () => cosine({ steps: 1.5 }),
      "cosine: steps must be a whole number of at least 1, got 1.5",
    ],
    ["0 steps", () => warmup({ steps: 0 }), "warmup: steps must be a whole number of at least 1, got 0"],
  ])("refuse %s", (_, make, message) => {
    expect(make).toThrow(new DistilgradError("value", message));
  });
});

describe("LearningRate", () => {
  it("sets base · schedule(step) from step 0 on", () => {
    const optimizer = optimizerAt(0.5);
    const rate = new LearningRate(optimizer, warmup({ steps: 4 }));
    const seen = [optimizer.learningRate];
    for (let i = 0; i < 4; i++) {
      rate.step();
      seen.push(optimizer.learningRate);
    }
    expect(seen).toEqual([0.125, 0.25, 0.375, 0.5, 0.5]);
  });

  it("goes on from a saved state, whatever the optimizer's rate is then", () => {
    const schedule = cosine({ steps: 10 });
    const first = optimizerAt(0.5);
    const rate = new LearningRate(first, schedule);
    for (let i = 0; i < 3; i++) rate.step();
    const state = rate.state();
    expect(state).toEqual({ base: 0.5, step: 3 });
    const second = optimizerAt(0.1);
    const resumed = new LearningRate(second, schedule);
    resumed.restore(state);
    expect(second.learningRate).toBe(first.learningRate);
    rate.step();
    resumed.step();
    expect(second.learningRate).toBe(first.learningRate);
    expect(resumed.state()).toEqual({ base: 0.5, step: 4 });
  });

  it.each([
    [{ base: -1, step: 0 }, "-1 and 0"],
    [{ base: Number.NaN, step: 0 }, "NaN and 0"],
    [{ base: Number.POSITIVE_INFINITY, step: 0 }, "Infinity and 0"],
    [{ base: 1, step: 1.5 }, "1 and 1.5"],
    [{ base: 1, step: -1 }, "1 and -1"],
  ])("refuses the state %j and stays where it was", (state, got) => {
    const optimizer = optimizerAt(0.5);
    const rate = new LearningRate(optimizer, warmup({ steps: 2 }));
    expect(() => rate.restore(state)).toThrow(
      new DistilgradError(
        "state",
        `LearningRate: expected a finite base of at least 0 and a whole step, got ${got}`,
      ),
    );
    expect(rate.state()).toEqual({ base: 0.5, step: 0 });
    expect(optimizer.learningRate).toBe(0.25);
  });
});
