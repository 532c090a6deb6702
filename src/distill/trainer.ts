/** Floor 4: what every trainer does with a loss. */

import { kindOf, requireInstance, requireOptions, requireWhole } from "../arguments.ts";
import { type Dataset, rowCount } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import { Computation, leavesBehind, withinStep } from "../graph.ts";
import type { Floats } from "../kernels/kernels.ts";
import { Module, type NamedTensors } from "../nn/module.ts";
import { firstNonFinite, type NonFinite } from "../non-finite.ts";
import { clipGradNorm, gradientNorm } from "../optim/clip-gradients.ts";
import { Optimizer, type OptimizerState } from "../optim/optimizer.ts";
import type { RandomState } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { type Part, partsOf } from "./parts.ts";

export interface TrainerOptions {
  /** Moves the model's parameters, all of them except frozen ones. */
  readonly optimizer: Optimizer;
  /** Shortens the gradient of all parameters together to this length. Default: as it is. */
  readonly maxGradNorm?: number;
  /**
   * How many rows go through the model at once. A larger batch is taken in parts whose gradients add up to one step, so
   * that it needs no more memory than a part. Losses and gradients are those of the whole batch, up to rounding; layers
   * that look across rows, such as batch normalisation, see a part. Default: all rows.
   */
  readonly microBatchSize?: number;
}

/** The names of these options. */
export const trainerOptions = ["optimizer", "maxGradNorm", "microBatchSize"];

/** The same losses as tensors to go back from. */
export type TensorsOf<Losses> = { readonly [Name in keyof Losses]: Tensor };

/** Everything that the next step depends on, apart from the loader and a schedule, which have states of their own. */
export interface TrainerState {
  readonly steps: number;
  /** Parameters and buffers of the model, `model.hidden.weight`, and of what is trained besides, `besides.0.weight`. */
  readonly weights: NamedTensors;
  /** The random streams they draw from, such as `model.dropout.random`. */
  readonly streams: ReadonlyMap<string, RandomState>;
  readonly optimizer: OptimizerState;
}

/** All that a trainer trains, as one module with one state. */
class Learners extends Module {
  readonly model: Module;
  readonly besides: readonly Module[];

  constructor(model: Module, besides: readonly Module[]) {
    super();
    this.model = model;
    this.besides = besides;
  }

  forward(x: Tensor): Tensor {
    return this.model.forward(x);
  }
}

/**
 * One optimisation step at a time; the loop belongs to the caller, or to `fit`. A subclass says what the losses of some
 * rows are.
 *
 * @typeParam Losses the numbers that a step returns, by name
 */
export abstract class Trainer<Losses extends { readonly total: number } = { readonly total: number }> {
  readonly optimizer: Optimizer;
  /** The model and what is trained besides it. */
  protected readonly learners: Module;
  readonly #model: Module;
  readonly #maxGradNorm: number | null;
  readonly #microBatchSize: number;
  /** What a forward pass may write to, such as running statistics. */
  readonly #buffers: readonly Tensor[];
  #steps = 0;
  /** The stages of which a step has shown that nothing is trained past the optimizer. */
  readonly #complete = new Set<string>();

  /** @param besides modules that are trained with the model and are no part of it, such as projections */
  constructor(model: Module, options: TrainerOptions, besides: readonly Module[] = []) {
    const { optimizer, maxGradNorm, microBatchSize = Number.MAX_SAFE_INTEGER } = options;
    requireInstance("trainer", "a Module that learns", model, Module);
    requireInstance("trainer", "an optimizer such as new Adam(model.parameters())", optimizer, Optimizer);
    this.#model = model;
    this.learners = new Learners(model, besides);
    this.#buffers = [...this.learners.buffers().values()];
    this.optimizer = optimizer;
    if (maxGradNorm !== undefined && !(typeof maxGradNorm === "number" && maxGradNorm > 0)) {
      throw new DistilgradError("value", `trainer: maxGradNorm must be above 0, got ${kindOf(maxGradNorm)}`);
    }
    requireWhole("trainer", "microBatchSize", microBatchSize, 1);
    this.#maxGradNorm = maxGradNorm ?? null;
    this.#microBatchSize = microBatchSize;
    this.requireOptimized("model", model);
  }

  /** The model that learns. */
  get model(): Module {
    return this.#model;
  }

  /** Steps that were taken. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * One step on one batch: forward and back, part by part, then one move of everything that learns. A step that is
   * refused, such as one whose loss or gradient is not finite, moves nothing, running statistics included.
   *
   * @param batch x; labels, unless no row has one; a teacher's logits, unless it is to be asked again
   * @returns the losses of the whole batch, from before the step
   */
  trainStep(batch: Dataset): Losses {
    const rows = rowCount("trainStep", batch);
    const buffers = this.#buffers.map((buffer) => buffer.data.slice());
    try {
      const losses = this.#gather("trainStep", batch, rows, "total");
      if (this.#maxGradNorm !== null) clipGradNorm(this.optimizer.parameters, this.#maxGradNorm);
      else gradientNorm("trainStep", this.optimizer.parameters);
      this.#move();
      this.#steps++;
      return losses;
    } catch (error) {
      this.#putBack(buffers);
      throw error;
    }
  }

  /** Running statistics have moved with the forward pass, and a part's gradient may be there. */
  #putBack(buffers: readonly Floats[]): void {
    for (const [i, buffer] of this.#buffers.entries()) buffer.update((data) => data.set(buffers[i]));
    this.optimizer.zeroGrad();
  }

  #move(): void {
    const idle = this.mayIdle
      ? [...this.optimizer.parameters.values()].filter((each) => each.requiresGrad && each.grad === null)
      : [];
    for (const parameter of idle) parameter.requiresGrad = false;
    try {
      this.optimizer.step();
    } finally {
      for (const parameter of idle) parameter.requiresGrad = true;
    }
  }

  /**
   * How long the gradient of each loss of this batch is at the model's parameters, times its weight: what each of them
   * pulls with in the next step. Nothing is trained, and everything stays as it was: weights, running statistics, random
   * streams. The gradients of the step before are forgotten.
   *
   * @returns by the name of the loss, 0 where its weight is
   */
  gradientNorms(batch: Dataset): Losses {
    const rows = rowCount("gradientNorms", batch);
    const buffers = this.#buffers.map((buffer) => buffer.data.slice());
    const streams = [...this.learners.streams().values()].map((stream) => [stream, stream.state()] as const);
    const normOf = (name: string): number => {
      try {
        this.#gather("gradientNorms", batch, rows, name);
        return gradientNorm("gradientNorms", this.#model.parameters());
      } finally {
        this.#putBack(buffers);
        for (const [stream, state] of streams) stream.restore(state);
      }
    };
    // In training mode, as a step is; the modes that parts are in now come back at the end.
    return this.learners.inEvalMode(() => {
      const norms: Record<string, number> = {};
      for (const [name, weight] of Object.entries<number>(this.lossWeights())) {
        norms[name] = weight === 0 ? 0 : weight * normOf(name);
      }
      return norms as Losses;
    });
  }

  /** What each loss is multiplied with in the next step; `total` with 1. */
  lossWeights(): Losses {
    return { total: 1 } as Losses;
  }

  /** What is descended in the next step, under a name: another name, other parameters may be reached. */
  protected get stage(): string {
    return "";
  }

  /** Whether a parameter without a gradient is left as it is in the next step; else it is an error. */
  protected get mayIdle(): boolean {
    return false;
  }

  /** The losses of a batch, and the gradient of one of them where the optimizer looks for it. */
  #gather(where: string, batch: Dataset, rows: number, descended: string): Losses {
    this.learners.train();
    const numbers: Record<string, number> = {};
    for (const part of partsOf(batch, rows, this.#microBatchSize)) {
      this.prepare(part);
      withinStep(batch.x.kernels, () => {
        const losses = this.losses(part);
        this.#requireSound(where, losses.total, part);
        if (part.start === 0) this.optimizer.zeroGrad();
        const loss = (losses as Record<string, Tensor>)[descended];
        // A loss that was not computed is 0 and hangs on nothing.
        if (descended === "total" || loss.node !== null) loss.backward();
        for (const [name, value] of Object.entries<Tensor>(losses)) {
          numbers[name] = (numbers[name] ?? 0) + value.item();
        }
      });
    }
    return numbers as Losses;
  }

  /** Called before the losses of a part, for what may be kept: the tensors that `losses` computes may not. */
  protected prepare(_part: Part): void {}

  /**
   * What some rows of a batch contribute to its losses: means, multiplied with the rows' share, so that the parts of a
   * batch add up. The gradient of `total` is descended; the others are reported. What is computed here lies in memory
   * that the next step uses again: to keep it, copy it.
   */
  protected abstract losses(part: Part): TensorsOf<Losses>;

  /** A copy of all weights, of the streams that they draw from, and of the optimizer's memory. */
  state(): TrainerState {
    const streams = new Map<string, RandomState>();
    for (const [name, stream] of this.learners.streams()) streams.set(name, stream.state());
    return {
      steps: this.#steps,
      weights: this.learners.stateDict(),
      streams,
      optimizer: this.optimizer.state(),
    };
  }

  /** Continues from a state that `state` returned. @throws when it does not fit; nothing is restored */
  restore(state: TrainerState): void {
    requireOptions("restore", state, ["steps", "weights", "streams", "optimizer"]);
    requireInstance("restore", "streams, a Map", state.streams, Map);
    const before = this.state();
    try {
      this.#restore(state);
    } catch (error) {
      this.#restore(before);
      throw error;
    }
  }

  #restore({ steps, weights, streams, optimizer }: TrainerState): void {
    if (!Number.isSafeInteger(steps) || steps < 0) {
      throw new DistilgradError("state", `restore: steps must be a whole number of at least 0, got ${steps}`);
    }
    const own = this.learners.streams();
    if (streams.size !== own.size || [...own.keys()].some((name) => !streams.has(name))) {
      const list = (names: Iterable<string>): string =>
        [...names].map((name) => `"${name}"`).join(", ") || "none";
      throw new DistilgradError(
        "state",
        `restore: the state is of the random streams ${list(streams.keys())}, this trainer has ${list(own.keys())}; nothing was restored`,
      );
    }
    this.learners.loadStateDict(weights);
    this.optimizer.restore(optimizer);
    for (const [name, stream] of own) stream.restore(streams.get(name)!);
    this.#steps = steps;
  }

  /**
   * Requires a finite loss, and that the optimizer has every weight that it depends on. A layer in a #private field,
   * say, would be part of the forward pass, and neither trained nor saved.
   */
  #requireSound(where: string, total: Tensor, part: Part): void {
    const culprit = firstNonFinite(total);
    if (culprit !== null) {
      throw new DistilgradError(
        "nonfinite",
        `${where}: the loss is ${total.item()} at step ${this.#steps}; the first value that is not finite came from ${sourceOf(culprit, part)}`,
      );
    }
    if (this.#complete.has(this.stage) || !(total.node instanceof Computation)) return;
    const optimized = new Set([...this.optimizer.parameters.values()].map(({ node }) => node));
    for (const [leaf, op] of leavesBehind(total.node)) {
      if (optimized.has(leaf)) continue;
      throw new DistilgradError(
        "model",
        `${where}: the loss depends on a tensor of ${leaf.size} values, read by ${op}, that the optimizer does not have; is its layer in a #private field, a Map or a nested array, where model.parameters() cannot find it?`,
      );
    }
    this.#complete.add(this.stage);
  }

  /** Requires that what `learner` learns reaches the optimizer: a forgotten layer would silently stay as it started. */
  protected requireOptimized(role: string, learner: Module): void {
    const optimized = new Set(this.optimizer.parameters.values());
    const forgotten = [...learner.parameters()]
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

/** Names the row of the batch that brought a value which is not finite, or the op that made it. */
function sourceOf({ op, operand }: NonFinite, { x, teacherLogits, start }: Part): string {
  if (operand === null) return op;
  for (const [name, values] of Object.entries({ x, teacherLogits })) {
    if (values?.storage !== operand.storage) continue;
    const at = values.data.findIndex((value) => !Number.isFinite(value));
    return `row ${start + Math.floor((at * values.shape[0]) / values.size)} of the batch's ${name}`;
  }
  return `operand ${operand.index} of ${op}`;
}
