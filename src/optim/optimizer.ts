/** Floor 3: what all update rules share: which parameters, when a step is allowed, and what of it can be saved. */
import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { Leaf } from "../graph.ts";
import type { Floats } from "../kernels/kernels.ts";
import type { NamedTensors } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";

/** Everything an optimizer remembers between steps; its own copy. */
export interface OptimizerState {
  /** Which rule it belongs to, such as `Adam`. */
  readonly rule: string;
  readonly learningRate: number;
  /** How many steps each parameter has taken. */
  readonly steps: ReadonlyMap<string, number>;
  /** Running values by name, such as `m hidden.weight`. */
  readonly buffers: ReadonlyMap<string, Floats>;
}

/**
 * Moves parameters along their gradients. A subclass says which running values a parameter has, and how one moves.
 *
 *     optimizer.zeroGrad();
 *     loss.backward();
 *     optimizer.step();
 *
 * A parameter frozen by `requiresGrad = false` is left alone.
 */
export abstract class Optimizer {
  /** The rule's name, which its state carries. */
  protected abstract readonly rule: string;
  readonly parameters: NamedTensors;
  readonly #buffers = new Map<string, Floats>();
  readonly #steps = new Map<string, number>();
  #learningRate: number;
  #used = false;

  /** @param running the names of a parameter's running values, such as `["m", "v"]` */
  constructor(parameters: NamedTensors, learningRate: number, running: readonly string[]) {
    if (!(parameters instanceof Map)) {
      throw new DistilgradError(
        "value",
        "optimizer: expected parameters by name, as model.parameters() or a Map gives them",
      );
    }
    if (parameters.size === 0)
      throw new DistilgradError("value", "optimizer: expected at least one parameter");
    const seen = new Map<Tensor, string>();
    for (const [name, parameter] of parameters) {
      const other = seen.get(parameter);
      if (other !== undefined) {
        throw new DistilgradError(
          "model",
          `optimizer: "${other}" and "${name}" are the same tensor; pass it once`,
        );
      }
      requireInstance("optimizer", `a tensor for "${name}"`, parameter, Tensor);
      seen.set(parameter, name);
      if (parameter.node !== null && !(parameter.node instanceof Leaf)) {
        throw new DistilgradError(
          "model",
          `optimizer: "${name}" was computed by an op; only leaves can be moved`,
        );
      }
      this.#steps.set(name, 0);
      for (const kind of running)
        this.#buffers.set(`${kind} ${name}`, parameter.kernels.alloc(parameter.size));
    }
    this.parameters = new Map(parameters);
    this.#learningRate = requireAtLeast0("learningRate", learningRate);
  }

  /** How far a step goes. Schedules set it. */
  get learningRate(): number {
    return this.#learningRate;
  }

  set learningRate(rate: number) {
    this.#learningRate = requireAtLeast0("learningRate", rate);
  }

  /** Forgets all gradients, before the next backward. */
  zeroGrad(): void {
    this.#used = false;
    for (const parameter of this.parameters.values()) parameter.zeroGrad();
  }

  /**
   * Moves every parameter once.
   *
   * @throws when a parameter has no gradient, naming it, and when the gradients were used before; nothing is moved
   */
  step(): void {
    if (this.#used) {
      throw new DistilgradError(
        "gradient",
        "step: these gradients were used by the step before; call zeroGrad() before the next backward",
      );
    }
    const missing: string[] = [];
    for (const [name, parameter] of this.parameters) {
      if (parameter.requiresGrad && parameter.grad === null) missing.push(`"${name}"`);
    }
    if (![...this.parameters.values()].some((parameter) => parameter.requiresGrad)) {
      throw new DistilgradError(
        "gradient",
        "step: none of the parameters requires a gradient; pass model.parameters(), or set requiresGrad = true on what is to be trained",
      );
    }
    if (missing.length > 0) {
      throw new DistilgradError(
        "gradient",
        `step: no gradient for ${missing.join(", ")}; call backward() on a loss that depends on them, or freeze them with requiresGrad = false`,
      );
    }
    for (const [name, parameter] of this.parameters) {
      const gradient = parameter.requiresGrad ? parameter.grad : null;
      if (gradient === null) continue;
      const steps = this.#steps.get(name)! + 1;
      this.#steps.set(name, steps);
      parameter.update(() => this.move(name, parameter, gradient.data, steps));
    }
    this.#used = true;
  }

  /** Everything that the next step depends on besides the parameters themselves; a copy. */
  state(): OptimizerState {
    const buffers = new Map<string, Floats>();
    for (const [name, values] of this.#buffers) buffers.set(name, values.slice());
    return { rule: this.rule, learningRate: this.#learningRate, steps: new Map(this.#steps), buffers };
  }

  /** Continues from a state that `state` returned. @throws when it does not fit, listing why; nothing is restored */
  restore(state: OptimizerState): void {
    requireOptions("restore", state, ["rule", "learningRate", "steps", "buffers"]);
    requireInstance("restore", "steps, a Map", state.steps, Map);
    requireInstance("restore", "buffers, a Map", state.buffers, Map);
    requireAtLeast0("learningRate", state.learningRate);
    const problems: string[] = [];
    if (state.rule !== this.rule) problems.push(`it is of ${state.rule}, this is ${this.rule}`);
    problems.push(
      ...differences("parameter", this.#steps, state.steps),
      ...differences("buffer", this.#buffers, state.buffers),
    );
    for (const [name, values] of this.#buffers) {
      const given = state.buffers.get(name);
      if (given && given.constructor !== values.constructor) {
        problems.push(`buffer "${name}" is ${kindOf(given)} instead of ${kindOf(values)}`);
      } else if (given && given.length !== values.length) {
        problems.push(`buffer "${name}" holds ${given.length} values instead of ${values.length}`);
      }
    }
    for (const [name, steps] of state.steps) {
      if (!Number.isSafeInteger(steps) || steps < 0)
        problems.push(`"${name}" has taken ${kindOf(steps)} steps`);
    }
    if (problems.length > 0) {
      throw new DistilgradError(
        "state",
        `restore: the state does not fit this optimizer: ${problems.join("; ")}; nothing was restored`,
      );
    }
    this.learningRate = state.learningRate;
    for (const [name, steps] of state.steps) this.#steps.set(name, steps);
    for (const [name, values] of this.#buffers) values.set(state.buffers.get(name)!);
  }

  /** The running values of a parameter. */
  protected buffer(kind: string, name: string): Floats {
    return this.#buffers.get(`${kind} ${name}`)!;
  }

  /** One update of one parameter; `steps` counts this one. */
  protected abstract move(name: string, parameter: Tensor, gradient: Floats, steps: number): void;
}

function differences(
  what: string,
  own: ReadonlyMap<string, unknown>,
  given: ReadonlyMap<string, unknown>,
): string[] {
  const problems: string[] = [];
  for (const name of own.keys()) if (!given.has(name)) problems.push(`missing ${what} "${name}"`);
  for (const name of given.keys()) if (!own.has(name)) problems.push(`unexpected ${what} "${name}"`);
  return problems;
}

/** Requires a finite setting of at least 0. */
export function requireAtLeast0(name: string, value: number): number {
  if (!(typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new DistilgradError(
      "value",
      `optimizer: ${name} must be a finite number of at least 0, got ${kindOf(value)}`,
    );
  }
  return value;
}

/** Requires a decay rate in [0, 1). */
export function requireFraction(name: string, value: number): number {
  if (!(typeof value === "number" && value >= 0 && value < 1)) {
    throw new DistilgradError("value", `optimizer: ${name} must be in [0, 1), got ${kindOf(value)}`);
  }
  return value;
}
