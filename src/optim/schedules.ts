/**
 * Floor 3: how the learning rate, or any other setting, changes over time. A schedule is a function; what runs it for an
 * optimizer is one class.
 */
import { kindOf, requireInstance, requireOptions, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { cos, integerPower } from "../math.ts";
import { Optimizer } from "./optimizer.ts";

/** What the base learning rate is multiplied with at step 0, 1, 2, … */
export type Schedule = (step: number) => number;

/** A setting of a trainer: the same at every step, or the value at step 0, 1, 2, … */
export type Scheduled = number | Schedule;

/** What a setting is at a step. */
export const valueAt = (setting: Scheduled, step: number): number =>
  typeof setting === "number" ? setting : setting(step);

/**
 * A setting that follows a schedule: base · schedule(step). A temperature that falls from 8 to 2, say, is
 * `scheduled(8, cosine({ steps: 800, floor: 0.25 }))`.
 */
export function scheduled(base: number, schedule: Schedule): Schedule {
  if (!Number.isFinite(base)) {
    throw new DistilgradError("value", `scheduled: base must be a finite number, got ${kindOf(base)}`);
  }
  requireInstance("scheduled", "a schedule such as cosine({ steps: 800 })", schedule, Function);
  return (step) => base * schedule(step);
}

/**
 * 1 from one step on until before another, else 0: as the weight of a term, a stage of training.
 *
 * @param options.from the first step at which it is 1. Default 0
 * @param options.until the first step at which it is 0 again. Default: never
 */
export function during(options: { readonly from?: number; readonly until?: number }): Schedule {
  requireOptions("during", options, ["from", "until"]);
  const { from = 0, until = Number.POSITIVE_INFINITY } = options;
  requireWhole("during", "from", from, 0);
  if (until !== Number.POSITIVE_INFINITY) requireWhole("during", "until", until, from + 1);
  return (step) => (step >= from && step < until ? 1 : 0);
}

/** Always 1. */
export const constant = (): Schedule => () => 1;

/** Multiplies by `factor` after every `every` steps: factor^⌊step / every⌋. */
export function stepDecay(options: { readonly every: number; readonly factor: number }): Schedule {
  requireOptions("stepDecay", options, ["every", "factor"]);
  const { every, factor } = options;
  requireWhole("stepDecay", "every", every, 1);
  if (!(typeof factor === "number" && factor > 0)) {
    throw new DistilgradError("value", `stepDecay: factor must be above 0, got ${kindOf(factor)}`);
  }
  return (step) => integerPower(factor, Math.floor(step / every));
}

/** A straight line from 1 down to `floor`, then `floor`: 1 − (1 − floor) · step / steps. */
export function linearDecay(options: { readonly steps: number; readonly floor?: number }): Schedule {
  requireOptions("linearDecay", options, ["steps", "floor"]);
  const { steps, floor = 0 } = options;
  requireShare("linearDecay", "floor", floor);
  requireWhole("linearDecay", "steps", steps, 1);
  return (step) => (step >= steps ? floor : 1 - (1 - floor) * (step / steps));
}

/**
 * Half a cosine from 1 down to `floor`, then `floor`: floor + (1 − floor) · ½ (1 + cos(π step / steps)).
 *
 * @see Loshchilov & Hutter, SGDR (2017), arXiv 1608.03983, equation 5
 */
export function cosine(options: { readonly steps: number; readonly floor?: number }): Schedule {
  requireOptions("cosine", options, ["steps", "floor"]);
  const { steps, floor = 0 } = options;
  requireShare("cosine", "floor", floor);
  requireWhole("cosine", "steps", steps, 1);
  return (step) => (step >= steps ? floor : floor + (1 - floor) * 0.5 * (1 + cos((Math.PI * step) / steps)));
}

export interface OneCycleOptions {
  /** How many steps the whole cycle takes. */
  readonly steps: number;
  /** The share of the steps in which the rate rises, in [0, 1). Default 0.3. */
  readonly warmup?: number;
  /** The factor of the first step, in [0, 1]. Default 1/25. */
  readonly start?: number;
  /** The factor of the last step and of all after it, in [0, 1]. Default 1e-4 of `start`. */
  readonly end?: number;
}

/**
 * Half a cosine up from `start` to 1, and another down to `end`.
 *
 *     r = max(warmup · steps − 1, 0)        z = steps − 1
 *     step < r    : from start to 1 along (step / r)
 *     step < z    : from 1 to end along (step − r) / (z − r)
 *     step ≥ z    : end
 *
 * from a to b along p is c a + (1 − c) b with c = ½ (1 + cos π p). The optimizer's learning rate is the peak; its
 * momentum stays as it is.
 *
 * @see Smith & Topin, Super-Convergence (2018), arXiv 1708.07120; phases and cosine as in PyTorch's OneCycleLR
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  requireOptions("oneCycle", options, ["steps", "warmup", "start", "end"]);
  const { steps, warmup = 0.3, start = 1 / 25, end = 1e-4 * start } = options;
  requireWhole("oneCycle", "steps", steps, 1);
  requireShare("oneCycle", "start", start);
  requireShare("oneCycle", "end", end);
  if (!(typeof warmup === "number" && warmup >= 0 && warmup < 1)) {
    throw new DistilgradError("value", `oneCycle: warmup must be in [0, 1), got ${kindOf(warmup)}`);
  }
  const rise = Math.max(warmup * steps - 1, 0);
  const last = steps - 1;
  return (step) => {
    if (step >= last) return end;
    return step < rise ? along(start, 1, step / rise) : along(1, end, (step - rise) / (last - rise));
  };
}

/** Half a cosine from a, exactly, at p = 0 to b, exactly, at p = 1. */
function along(a: number, b: number, p: number): number {
  const c = 0.5 * (1 + cos(Math.PI * p));
  return c * a + (1 - c) * b;
}

/** A straight line up to 1 over `steps` steps, the first being 1 / steps; then `after`, counted from 0. */
export function warmup(options: { readonly steps: number; readonly after?: Schedule }): Schedule {
  requireOptions("warmup", options, ["steps", "after"]);
  const { steps, after = constant() } = options;
  requireWhole("warmup", "steps", steps, 1);
  requireInstance("warmup", "after, a schedule such as cosine({ steps: 800 })", after, Function);
  return (step) => (step < steps ? (step + 1) / steps : after(step - steps));
}

/**
 * Sets an optimizer's learning rate: base · schedule(step), from step 0 on. Call `step` after each of the optimizer's.
 */
export class LearningRate {
  /** Whose learning rate it sets. */
  readonly optimizer: Optimizer;
  readonly #schedule: Schedule;
  #base: number;
  #step = 0;

  constructor(optimizer: Optimizer, schedule: Schedule) {
    requireInstance("LearningRate", "an optimizer first", optimizer, Optimizer);
    if (typeof schedule !== "function") {
      throw new DistilgradError(
        "value",
        `LearningRate: expected a schedule such as cosine({ steps: 800 }), got ${kindOf(schedule)}`,
      );
    }
    this.optimizer = optimizer;
    this.#schedule = schedule;
    this.#base = optimizer.learningRate;
    this.#set();
  }

  step(): void {
    this.#step++;
    this.#set();
  }

  state(): { readonly base: number; readonly step: number } {
    return { base: this.#base, step: this.#step };
  }

  restore(state: { readonly base: number; readonly step: number }): void {
    requireOptions("LearningRate", state, ["base", "step"]);
    const { base, step } = state;
    if (!Number.isSafeInteger(step) || step < 0 || !(base >= 0 && base < Number.POSITIVE_INFINITY)) {
      throw new DistilgradError(
        "state",
        `LearningRate: expected a finite base of at least 0 and a whole step, got ${base} and ${step}`,
      );
    }
    this.#base = base;
    this.#step = step;
    this.#set();
  }

  #set(): void {
    this.optimizer.learningRate = this.#base * this.#schedule(this.#step);
  }
}

function requireShare(where: string, name: string, value: number): void {
  if (!(typeof value === "number" && value >= 0 && value <= 1)) {
    throw new DistilgradError("value", `${where}: ${name} must be in [0, 1], got ${kindOf(value)}`);
  }
}
