import { kindOf, requireOptions, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { Optimizer } from "./optimizer.ts";
import { LearningRate } from "./schedules.ts";

export interface ReduceOnPlateauOptions {
  /** What the rate is multiplied with, in (0, 1). Default 0.1. */
  readonly factor?: number;
  /** How many metrics in a row may be no better before the rate falls. Default 10. */
  readonly patience?: number;
  /** What share of the best metric another must be better by to count, in [0, 1). Default 1e-4. */
  readonly threshold?: number;
  /** For how many metrics after a fall none is counted as no better. Default 0. */
  readonly cooldown?: number;
  /** Where the rate ends, at least 0. Default 0. */
  readonly minimum?: number;
  /** Whether a metric is better when it is less, as a loss, or more, as an accuracy. Default "min". */
  readonly mode?: "min" | "max";
}

export interface ReduceOnPlateauState {
  readonly rate: number;
  /** The best metric; null before the first. */
  readonly best: number | null;
  /** How many metrics since were no better. */
  readonly worse: number;
  /** How many metrics of a cooldown are left. */
  readonly cooling: number;
}

/**
 * Lowers the learning rate when a metric no longer improves: rate ← min(rate, max(factor · rate, minimum)) after more
 * than `patience` metrics in a row that were no better than the best before them. So a rate below the minimum stays.
 *
 *     min : better is  best − metric > threshold · |best|
 *     max : better is  metric − best > threshold · |best|
 *
 * What it lowers is the optimizer's rate or, when a schedule sets that, the schedule's base: then both multiply. A rate
 * that something else has changed in between is an error.
 *
 * @see ReduceLROnPlateau of PyTorch, with its relative threshold; |best| is the same there for metrics above 0
 */
export class ReduceOnPlateau {
  readonly #target: Optimizer | LearningRate;
  readonly #settings: Required<ReduceOnPlateauOptions>;
  #state: ReduceOnPlateauState;

  constructor(target: Optimizer | LearningRate, options: ReduceOnPlateauOptions = {}) {
    if (!(target instanceof Optimizer || target instanceof LearningRate)) {
      throw new DistilgradError(
        "value",
        `ReduceOnPlateau: expected an optimizer first, or the LearningRate that sets its rate, got ${kindOf(target)}`,
      );
    }
    const names = ["factor", "patience", "threshold", "cooldown", "minimum", "mode"];
    requireOptions("ReduceOnPlateau", options, names);
    const {
      factor = 0.1,
      patience = 10,
      threshold = 1e-4,
      cooldown = 0,
      minimum = 0,
      mode = "min",
    } = options;
    requireThat(isBetween(factor, Number.MIN_VALUE, 1), "factor", "in (0, 1)", factor);
    requireWhole("ReduceOnPlateau", "patience", patience, 0);
    requireThat(isBetween(threshold, 0, 1), "threshold", "in [0, 1)", threshold);
    requireWhole("ReduceOnPlateau", "cooldown", cooldown, 0);
    requireThat(isBetween(minimum, 0, Number.POSITIVE_INFINITY), "minimum", "finite and at least 0", minimum);
    requireThat(mode === "min" || mode === "max", "mode", '"min" or "max"', mode);
    this.#target = target;
    this.#settings = { factor, patience, threshold, cooldown, minimum, mode };
    this.#state = { rate: this.#rate, best: null, worse: 0, cooling: 0 };
  }

  get #rate(): number {
    return this.#target instanceof LearningRate ? this.#target.state().base : this.#target.learningRate;
  }

  set #rate(rate: number) {
    const target = this.#target;
    if (target instanceof LearningRate) target.restore({ ...target.state(), base: rate });
    else target.learningRate = rate;
  }

  /** Takes the next metric, such as the loss on validation rows after each epoch. */
  step(metric: number): void {
    if (!Number.isFinite(metric)) {
      throw new DistilgradError(
        "value",
        `ReduceOnPlateau: expected a finite number as metric, got ${kindOf(metric)}`,
      );
    }
    let { rate, best, worse, cooling } = this.#state;
    if (this.#rate !== rate) {
      throw new DistilgradError(
        "state",
        `ReduceOnPlateau: the rate was left at ${rate} and is ${this.#rate}; if a schedule sets it, hand in its LearningRate instead of the optimizer`,
      );
    }
    const { factor, patience, threshold, cooldown, minimum, mode } = this.#settings;
    const gain = best === null ? 0 : mode === "min" ? best - metric : metric - best;
    if (best === null || gain > threshold * Math.abs(best)) {
      best = metric;
      worse = 0;
    } else {
      worse++;
    }
    if (cooling > 0) {
      cooling--;
      worse = 0;
    }
    if (worse > patience) {
      rate = Math.min(rate, Math.max(factor * rate, minimum));
      cooling = cooldown;
      worse = 0;
    }
    this.#rate = rate;
    this.#state = { rate, best, worse, cooling };
  }

  /** Everything that the next step depends on; plain data. */
  state(): ReduceOnPlateauState {
    return this.#state;
  }

  /** Goes on where `state` was taken, and sets the rate to what it was. @throws when it is no such state */
  restore(state: ReduceOnPlateauState): void {
    requireOptions("ReduceOnPlateau", state, Object.keys(this.#state));
    const { rate, best, worse, cooling } = state;
    const fits = isBetween(rate, 0, Number.POSITIVE_INFINITY) && isCount(worse) && isCount(cooling);
    if (!(fits && (best === null || Number.isFinite(best)))) {
      throw new DistilgradError(
        "state",
        `ReduceOnPlateau: expected a rate, the best metric or null, and two counts, got ${[rate, best, worse, cooling].map(kindOf).join(", ")}`,
      );
    }
    this.#rate = rate;
    this.#state = { rate, best, worse, cooling };
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isBetween = (value: unknown, low: number, high: number): boolean =>
  typeof value === "number" && value >= low && value < high;

function requireThat(holds: boolean, name: string, wanted: string, value: unknown): void {
  if (!holds) {
    throw new DistilgradError("value", `ReduceOnPlateau: ${name} must be ${wanted}, got ${kindOf(value)}`);
  }
}
