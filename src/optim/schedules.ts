/** Floor 3: how the learning rate changes over time. A schedule is a function; what runs it is one class. */
import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { cos, integerPower } from "../math.ts";
import { Optimizer } from "./optimizer.ts";

/** What the base learning rate is multiplied with at step 0, 1, 2, … */
export type Schedule = (step: number) => number;

/** Always 1. */
export const constant = (): Schedule => () => 1;

/** Multiplies by `factor` after every `every` steps: factor^⌊step / every⌋. */
export function stepDecay(options: { readonly every: number; readonly factor: number }): Schedule {
  requireOptions("stepDecay", options, ["every", "factor"]);
  const { every, factor } = options;
  requireSteps("stepDecay", "every", every);
  if (!(typeof factor === "number" && factor > 0)) {
    throw new DistilgradError("value", `stepDecay: factor must be above 0, got ${kindOf(factor)}`);
  }
  return (step) => integerPower(factor, Math.floor(step / every));
}

/**
 * Half a cosine from 1 down to `floor`, then `floor`: floor + (1 − floor) · ½ (1 + cos(π step / steps)).
 *
 * @see Loshchilov & Hutter, SGDR (2017), arXiv 1608.03983, equation 5
 */
export function cosine(options: { readonly steps: number; readonly floor?: number }): Schedule {
  requireOptions("cosine", options, ["steps", "floor"]);
  const { steps, floor = 0 } = options;
  if (!(typeof floor === "number" && floor >= 0 && floor <= 1)) {
    throw new DistilgradError("value", `cosine: floor must be in [0, 1], got ${kindOf(floor)}`);
  }
  requireSteps("cosine", "steps", steps);
  return (step) => (step >= steps ? floor : floor + (1 - floor) * 0.5 * (1 + cos((Math.PI * step) / steps)));
}

/** A straight line up to 1 over `steps` steps, the first being 1 / steps; then `after`, counted from 0. */
export function warmup(options: { readonly steps: number; readonly after?: Schedule }): Schedule {
  requireOptions("warmup", options, ["steps", "after"]);
  const { steps, after = constant() } = options;
  requireSteps("warmup", "steps", steps);
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

function requireSteps(where: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new DistilgradError(
      "value",
      `${where}: ${name} must be a whole number of at least 1, got ${kindOf(value)}`,
    );
  }
}
