import { describe, expect, it } from "vitest";
import { Batches } from "../../src/data/batches.ts";
import { fit, SupervisedTrainer } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { LearningRate, SGD, stepDecay } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import { hashOf, network, rowsOf } from "./models.ts";

/** Ten rows in batches of four: three batches an epoch. */
function setup() {
  const model = network(4, 1);
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const trainer = new SupervisedTrainer({ model, optimizer });
  const batches = new Batches(rowsOf(10, 1), { size: 4, random: new RandomStream(1, "shuffle") });
  return { model, optimizer, trainer, batches };
}

describe("fit", () => {
  it("yields every step with its epoch, its losses, and the end of each epoch marked", () => {
    const { trainer, batches } = setup();
    const seen = [...fit(trainer, batches, { epochs: 2 })];
    expect(seen.map(({ epoch, step, endOfEpoch }) => [epoch, step, endOfEpoch])).toEqual([
      [0, 0, false],
      [0, 1, false],
      [0, 2, true],
      [1, 3, false],
      [1, 4, false],
      [1, 5, true],
    ]);
    expect(trainer.steps).toBe(6);
    for (const { losses } of seen) expect(losses.total).toBeGreaterThan(0);
  });

  it("takes as many steps as it is told, over as many epochs as that takes", () => {
    const { trainer, batches } = setup();
    const seen = [...fit(trainer, batches, { steps: 4 })];
    expect(seen.map(({ epoch, endOfEpoch }) => [epoch, endOfEpoch])).toEqual([
      [0, false],
      [0, false],
      [0, true],
      [1, false],
    ]);
    expect([...fit(trainer, batches, { steps: 0 }), ...fit(trainer, batches, { epochs: 0 })]).toEqual([]);
  });

  it("is what the caller's own loop does, bit for bit", () => {
    const [a, b] = [setup(), setup()];
    const losses = [...fit(a.trainer, a.batches, { epochs: 3 })].map((step) => step.losses);
    const own = [];
    for (let epoch = 0; epoch < 3; epoch++)
      for (const batch of b.batches) own.push(b.trainer.trainStep(batch));
    expect(losses).toEqual(own);
    expect(hashOf(a.model)).toBe(hashOf(b.model));
  });

  it("goes on after a break with the batch that would have come next", () => {
    const [whole, broken] = [setup(), setup()];
    const expected = [...fit(whole.trainer, whole.batches, { epochs: 2 })].map(({ losses }) => losses);
    const seen = [];
    for (const { losses, step } of fit(broken.trainer, broken.batches, { epochs: 2 })) {
      seen.push(losses);
      if (step === 1) break;
    }
    expect(broken.trainer.steps).toBe(2);
    // An epoch that was begun before counts as one.
    const rest = [...fit(broken.trainer, broken.batches, { epochs: 2 })];
    expect(rest.map(({ epoch, step, endOfEpoch }) => [epoch, step, endOfEpoch])).toEqual([
      [0, 0, true],
      [1, 1, false],
      [1, 2, false],
      [1, 3, true],
    ]);
    expect([...seen, ...rest.map(({ losses }) => losses)]).toEqual(expected);
    expect(hashOf(broken.model)).toBe(hashOf(whole.model));
  });

  it("does nothing until it is asked for a step", () => {
    const { model, trainer, batches } = setup();
    const before = hashOf(model);
    const steps = fit(trainer, batches, { epochs: 1 });
    expect(hashOf(model)).toBe(before);
    steps.next();
    expect([trainer.steps, batches.atEpochStart]).toEqual([1, false]);
  });

  it("steps the schedule after each batch, so that what is yielded is complete", () => {
    const { optimizer, trainer, batches } = setup();
    const schedule = new LearningRate(optimizer, stepDecay({ every: 1, factor: 0.5 }));
    const rates: number[] = [];
    for (const _ of fit(trainer, batches, { steps: 3, schedule })) rates.push(optimizer.learningRate);
    expect(rates).toEqual([0.05, 0.025, 0.0125]);
    expect(schedule.state().step).toBe(3);
  });

  it("takes each step at the schedule's rate for it, the first at the base", () => {
    const [a, b] = [setup(), setup()];
    const [own, other] = [a, b].map(
      ({ optimizer }) => new LearningRate(optimizer, stepDecay({ every: 1, factor: 0.5 })),
    );
    expect([...fit(a.trainer, a.batches, { steps: 3, schedule: own })]).toHaveLength(3);
    for (let step = 0; step < 3; step++) {
      b.trainer.trainStep(b.batches.next());
      other.step();
    }
    expect(hashOf(a.model)).toBe(hashOf(b.model));
  });

  it.each<[Parameters<typeof fit>[2], string]>([
    [{}, "fit: expected either epochs or steps"],
    [{ epochs: 1, steps: 1 }, "fit: expected either epochs or steps"],
    [{ epochs: 1.5 }, "fit: epochs must be a whole number of at least 0, got 1.5"],
    [{ steps: -1 }, "fit: steps must be a whole number of at least 0, got -1"],
  ])("refuses %j", (options, message) => {
    const { trainer, batches } = setup();
    expect(() => fit(trainer, batches, options).next()).toThrow(new DistilgradError("value", message));
    expect(trainer.steps).toBe(0);
  });
});
