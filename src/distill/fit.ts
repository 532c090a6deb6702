import { kindOf, requireInstance, requireOptions, requireWhole } from "../arguments.ts";
import { Batches } from "../data/batches.ts";
import { DistilgradError } from "../errors.ts";
import { Optimizer } from "../optim/optimizer.ts";
import type { LearningRate } from "../optim/schedules.ts";
import { Trainer } from "./trainer.ts";

export interface FitOptions {
  /** Passes over the data. An epoch that was begun before counts as one. Either this or `steps`. */
  readonly epochs?: number;
  /** Batches, over as many epochs as that takes. */
  readonly steps?: number;
  /** Stepped after every batch. */
  readonly schedule?: LearningRate | undefined;
}

/** What one step did. */
export interface FitStep<Losses> {
  /** Which epoch of the loader this batch was of, from 0. */
  readonly epoch: number;
  /** Which step of this `fit` it was, from 0. */
  readonly step: number;
  readonly losses: Losses;
  /** Whether the batch was the last of its epoch. */
  readonly endOfEpoch: boolean;
}

/**
 * Trains step by step, giving control back after each: the caller logs, stops, saves, or lets the page breathe, in
 * plain code.
 *
 *     for (const { epoch, losses, endOfEpoch } of fit(trainer, batches, { epochs: 10 })) {
 *       if (endOfEpoch) console.log(epoch, losses.total);
 *     }
 *
 * The settings are checked by the call; nothing is trained until the loop asks for the first step.
 *
 * What a step leaves behind is complete when it is yielded: states that are taken then continue with the next batch.
 */
export function fit<Losses extends { readonly total: number }>(
  trainer: Trainer<Losses>,
  batches: Batches,
  options: FitOptions,
): Generator<FitStep<Losses>, void> {
  requireInstance("fit", "a trainer first", trainer, Trainer);
  requireInstance(
    "fit",
    "Batches second, as new Batches(dataset, { size: 64 }) makes them",
    batches,
    Batches,
  );
  requireOptions("fit", options, ["epochs", "steps", "schedule"]);
  const { epochs, steps, schedule } = options;
  if ((epochs === undefined) === (steps === undefined)) {
    throw new DistilgradError("value", "fit: expected either epochs or steps");
  }
  const limit = (epochs ?? steps)!;
  requireWhole("fit", epochs === undefined ? "steps" : "epochs", limit, 0);
  if (schedule !== undefined) {
    // By what it sets, not by its class, which a program without schedules need not load.
    if (!(schedule?.optimizer instanceof Optimizer)) {
      throw new DistilgradError("value", `fit: expected schedule, a LearningRate, got ${kindOf(schedule)}`);
    }
    if (schedule.optimizer !== trainer.optimizer) {
      throw new DistilgradError(
        "model",
        "fit: the schedule sets the learning rate of another optimizer than the trainer's",
      );
    }
  }
  return run(trainer, batches, options, limit);
}

function* run<Losses extends { readonly total: number }>(
  trainer: Trainer<Losses>,
  batches: Batches,
  { epochs, schedule }: FitOptions,
  limit: number,
): Generator<FitStep<Losses>, void> {
  for (let step = 0, epochsDone = 0; (epochs === undefined ? step : epochsDone) < limit; step++) {
    const epoch = batches.epoch;
    const losses = trainer.trainStep(batches.next());
    schedule?.step();
    const endOfEpoch = batches.atEpochStart;
    if (endOfEpoch) epochsDone++;
    yield { epoch, step, losses, endOfEpoch };
  }
}
