/** Floor 4: what every trainer does with a loss. */
import type { Dataset } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import type { Module, NamedTensors } from "../nn/module.ts";
import { firstNonFinite } from "../non-finite.ts";
import { clipGradNorm } from "../optim/clip-gradients.ts";
import type { Optimizer, OptimizerState } from "../optim/optimizer.ts";
import type { Tensor } from "../tensor.ts";

export interface TrainerOptions {
  /** Moves the student's parameters, all of them except frozen ones. */
  readonly optimizer: Optimizer;
  /** Shortens the gradient of all parameters together to this length. Default: as it is. */
  readonly maxGradNorm?: number;
}

/** Everything that the next step depends on, apart from random streams and the loader, which have states of their own. */
export interface TrainerState {
  readonly steps: number;
  readonly student: NamedTensors;
  readonly optimizer: OptimizerState;
}

/**
 * One optimisation step at a time; the loop belongs to the caller, or to `fit`.
 *
 * @typeParam Losses the numbers that a step returns, by name
 */
export abstract class Trainer<Losses extends { readonly total: number }> {
  /** The model that learns. */
  readonly student: Module;
  readonly optimizer: Optimizer;
  readonly #maxGradNorm: number | null;
  #steps = 0;

  constructor(student: Module, { optimizer, maxGradNorm }: TrainerOptions) {
    this.student = student;
    this.optimizer = optimizer;
    this.#maxGradNorm = maxGradNorm ?? null;
    this.requireOptimized("student", student);
  }

  /** Steps that were taken. */
  get steps(): number {
    return this.#steps;
  }

  abstract trainStep(batch: Dataset): Losses;

  /** A copy of the student's weights and the optimizer's memory. */
  state(): TrainerState {
    return { steps: this.#steps, student: this.student.stateDict(), optimizer: this.optimizer.state() };
  }

  /** Continues from a state that `state` returned. @throws when it does not fit; nothing is restored */
  restore(state: TrainerState): void {
    if (!Number.isSafeInteger(state.steps) || state.steps < 0) {
      throw new DistilgradError(
        "state",
        `restore: steps must be a whole number of at least 0, got ${state.steps}`,
      );
    }
    const before = this.optimizer.state();
    this.optimizer.restore(state.optimizer);
    try {
      this.student.loadStateDict(state.student);
    } catch (error) {
      this.optimizer.restore(before);
      throw error;
    }
    this.#steps = state.steps;
  }

  /** Moves the student down the gradient of `total`. A loss that is not finite moves nothing. */
  protected descend(total: Tensor): void {
    const culprit = firstNonFinite(total);
    if (culprit !== null) {
      throw new DistilgradError(
        "nonfinite",
        `trainStep: the loss is ${total.item()} at step ${this.#steps}; the first value that is not finite came from ${culprit}`,
      );
    }
    this.optimizer.zeroGrad();
    total.backward();
    if (this.#maxGradNorm !== null) clipGradNorm(this.optimizer.parameters, this.#maxGradNorm);
    this.optimizer.step();
    this.#steps++;
  }

  /** Requires that what `model` learns reaches the optimizer: a forgotten layer would silently stay as it started. */
  protected requireOptimized(role: string, model: Module): void {
    const optimized = new Set(this.optimizer.parameters.values());
    const forgotten = [...model.parameters()]
      .filter(([, parameter]) => parameter.requiresGrad && !optimized.has(parameter))
      .map(([name]) => `"${name}"`);
    if (forgotten.length > 0) {
      throw new DistilgradError(
        "model",
        `trainer: the ${role}'s ${forgotten.join(", ")} ${forgotten.length === 1 ? "is" : "are"} not in the optimizer; add what is to be trained with parametersOf, freeze the rest with requiresGrad = false`,
      );
    }
  }
}
