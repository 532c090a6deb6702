import { kindOf, requireInstance, requireOptions, requireSynchronous } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { Floats } from "../kernels/kernels.ts";
import { Module, type NamedTensors } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { copied, misfits } from "./running-values.ts";

export interface ExponentialMovingAverageOptions {
  /** In [0, 1): how slowly the average follows the weights; it looks back over 1 / (1 − decay) updates. Default 0.999. */
  readonly decay?: number;
}

/** Everything that an average remembers; its own copy. */
export interface ExponentialMovingAverageState {
  /** How many updates it has taken in. */
  readonly updates: number;
  /** The average of each parameter, by name. */
  readonly averages: ReadonlyMap<string, Floats>;
}

/**
 * The average of a model's weights over its last steps, which often does better than the last weights.
 *
 *     a = min(1 − 1 / (n + 1), decay)          n counts the updates before this one
 *     θ̄ ← a θ̄ + (1 − a) θ
 *
 * So the first average is the weights themselves, and the first 1 / (1 − decay) updates give their plain mean. Averages
 * are kept in float64: in float32 a step of (1 − a)(θ − θ̄) would be lost where it is less than half a digit of θ̄. They
 * are rounded once, when they become a model's weights. Buffers such as running statistics are not averaged; they are
 * the model's own.
 *
 * @see Tarvainen & Valpola, Mean teachers are better role models (2017), arXiv 1703.01780, §2 and §3.2
 */
export class ExponentialMovingAverage {
  readonly #model: Module;
  readonly #parameters: NamedTensors;
  readonly #decay: number;
  readonly #averages = new Map<string, Floats>();
  #updates = 0;

  constructor(model: Module, options: ExponentialMovingAverageOptions = {}) {
    requireInstance("ExponentialMovingAverage", "a Module whose weights it averages", model, Module);
    requireOptions("ExponentialMovingAverage", options, ["decay"]);
    const { decay = 0.999 } = options;
    if (!(typeof decay === "number" && decay >= 0 && decay < 1)) {
      throw new DistilgradError(
        "value",
        `ExponentialMovingAverage: decay must be in [0, 1), got ${kindOf(decay)}`,
      );
    }
    this.#model = model;
    this.#parameters = model.parameters();
    this.#decay = decay;
    for (const [name, { data }] of this.#parameters) this.#averages.set(name, Float64Array.from(data));
  }

  /** Takes in the model's weights as they are; after each step of the optimizer. */
  update(): void {
    const a = Math.min(1 - 1 / (this.#updates + 1), this.#decay);
    for (const [name, { data }] of this.#parameters) {
      const average = this.#averages.get(name)!;
      for (let i = 0; i < average.length; i++) average[i] = a * average[i] + (1 - a) * data[i];
    }
    this.#updates++;
  }

  /** The model's state with the averages for its parameters; a copy, for a model of the same shape. */
  stateDict(): Map<string, Tensor> {
    const state = this.#model.stateDict();
    for (const [name, average] of this.#averages) state.get(name)?.data.set(average);
    return state;
  }

  /**
   * Runs `compute` with the averages in the model, and puts its own weights and buffers back, also when it throws.
   *
   * @throws when `compute` is async: the own weights would be back before its first `await` ends; and when it trains the
   *   model
   */
  withAverage<T>(compute: () => T): T {
    requireInstance("withAverage", "a function", compute, Function);
    const own = this.#model.stateDict();
    this.#model.loadStateDict(this.stateDict());
    const versions = this.#versions();
    try {
      const result = compute();
      requireSynchronous("value", "withAverage", result, "await before it, and hand in what is left");
      if (this.#versions() !== versions) {
        throw new DistilgradError(
          "changed",
          "withAverage: the weights were changed while the averages stood in for them, and such a change is lost; train outside",
        );
      }
      return result;
    } finally {
      this.#model.loadStateDict(own);
    }
  }

  /** How often the parameters have been written to, in all. */
  #versions(): number {
    let sum = 0;
    for (const { storage } of this.#parameters.values()) sum += storage.version;
    return sum;
  }

  /** What the next update depends on besides the model; a copy. */
  state(): ExponentialMovingAverageState {
    return { updates: this.#updates, averages: copied(this.#averages) };
  }

  /** Continues from a state that `state` returned. @throws when it does not fit, listing why; nothing is restored */
  restore(state: ExponentialMovingAverageState): void {
    requireOptions("restore", state, ["updates", "averages"]);
    const { updates, averages } = state;
    requireInstance("restore", "averages, a Map", averages, Map);
    const problems = misfits("average", this.#averages, averages);
    if (!Number.isSafeInteger(updates) || updates < 0)
      problems.push(`it has taken ${kindOf(updates)} updates`);
    if (problems.length > 0) {
      throw new DistilgradError(
        "state",
        `restore: the state does not fit this average: ${problems.join("; ")}; nothing was restored`,
      );
    }
    this.#updates = updates;
    for (const [name, average] of this.#averages) average.set(averages.get(name)!);
  }
}
