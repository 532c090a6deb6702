/** Floor 3: what all update rules share: which parameters, when a step is allowed, and what of it can be saved. */
import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { Leaf } from "../graph.ts";
import type { Floats, Kernels } from "../kernels/kernels.ts";
import type { NamedTensors } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";
import { copied, differences, misfits } from "./running-values.ts";
import {
  type GroupedParameters,
  requireAtLeast0,
  type Settings,
  type SettingsTable,
  settle,
} from "./settings.ts";

/** One update of one parameter. */
export interface ParameterUpdate<Options> {
  /** The values, to be moved. */
  readonly w: Floats;
  /** Their gradient. */
  readonly g: Floats;
  /** The set that both belong to. */
  readonly kernels: Kernels;
  /** The parameter's running values by name, to be moved as well. */
  readonly running: Readonly<Record<string, Floats>>;
  /** Those of the parameter's group. */
  readonly settings: Settings<Options>;
  /** η, the group's factor included. */
  readonly rate: number;
  /** How many updates the parameter has had, this one included. */
  readonly steps: number;
}

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

/** What stays the same from update to update of a parameter. */
interface Slot<Options> extends Pick<ParameterUpdate<Options>, "running" | "settings"> {
  readonly name: string;
  readonly factor: number;
}

/**
 * Moves parameters along their gradients. A subclass says which settings it has, which running values a parameter has,
 * and how one moves.
 *
 *     optimizer.zeroGrad();
 *     loss.backward();
 *     optimizer.step();
 *
 * A parameter frozen by `requiresGrad = false` is left alone.
 */
export abstract class Optimizer<Options extends { readonly learningRate?: number } = object> {
  readonly #rule: string;
  readonly #parameters = new Map<string, Tensor>();
  readonly #slots = new Map<Tensor, Slot<Options>>();
  readonly #buffers = new Map<string, Floats>();
  readonly #steps = new Map<string, number>();
  #learningRate: number;
  #used = false;

  /**
   * @param rule the rule's name, which messages and its state carry
   * @param table all settings of the rule
   * @param learningRate where the options say nothing
   */
  constructor(
    rule: string,
    parameters: GroupedParameters<Options>,
    options: Options,
    table: SettingsTable<Options>,
    learningRate?: number,
  ) {
    const names = Object.keys(table);
    const groupNames = ["parameters", "learningRateFactor", ...names];
    requireOptions(rule, options, ["learningRate", ...names]);
    for (const group of Array.isArray(parameters) ? parameters : [{ parameters }]) {
      if (!(group?.parameters instanceof Map)) {
        if (kindOf(group) === "an object") requireOptions(rule, group, groupNames);
        throw new DistilgradError(
          "value",
          "optimizer: expected parameters by name, as model.parameters() or a Map gives them",
        );
      }
      requireOptions(rule, group, groupNames);
      const factor = requireAtLeast0("learningRateFactor", group.learningRateFactor ?? 1);
      const settings = settle(table, group, options);
      for (const [name, parameter] of group.parameters) this.#add(name, parameter, settings, factor);
    }
    if (this.#parameters.size === 0) {
      throw new DistilgradError("value", "optimizer: expected at least one parameter");
    }
    this.#rule = rule;
    this.#learningRate = requireAtLeast0("learningRate", options.learningRate ?? learningRate);
  }

  #add(name: string, parameter: Tensor, settings: Settings<Options>, factor: number): void {
    const known = this.#slots.get(parameter);
    if (known !== undefined) {
      throw new DistilgradError(
        "model",
        `optimizer: "${known.name}" and "${name}" are the same tensor; pass it once`,
      );
    }
    requireInstance("optimizer", `a tensor for "${name}"`, parameter, Tensor);
    if (this.#parameters.has(name)) {
      throw new DistilgradError(
        "model",
        `optimizer: two groups have a parameter "${name}"; names must differ`,
      );
    }
    if (parameter.node !== null && !(parameter.node instanceof Leaf)) {
      throw new DistilgradError(
        "model",
        `optimizer: "${name}" was computed by an op; only leaves can be moved`,
      );
    }
    const running: Record<string, Floats> = {};
    for (const [kind, start] of Object.entries(this.start(settings))) {
      running[kind] = parameter.kernels.lasting(parameter.size).fill(start);
      this.#buffers.set(`${kind} ${name}`, running[kind]);
    }
    this.#parameters.set(name, parameter);
    this.#slots.set(parameter, { name, running, settings, factor });
    this.#steps.set(name, 0);
  }

  /** All of them, whatever their group. */
  get parameters(): NamedTensors {
    return this.#parameters;
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
    for (const [parameter, { name, running, settings, factor }] of this.#slots) {
      const g = parameter.requiresGrad ? parameter.grad?.data : undefined;
      if (g === undefined) continue;
      const steps = this.#steps.get(name)! + 1;
      this.#steps.set(name, steps);
      const { kernels } = parameter;
      const rate = this.#learningRate * factor;
      parameter.update((w) => this.move({ w, g, kernels, running, settings, rate, steps }));
    }
    this.#used = true;
  }

  /** Everything that the next step depends on besides the parameters themselves; a copy. */
  state(): OptimizerState {
    return {
      rule: this.#rule,
      learningRate: this.#learningRate,
      steps: new Map(this.#steps),
      buffers: copied(this.#buffers),
    };
  }

  /** Continues from a state that `state` returned. @throws when it does not fit, listing why; nothing is restored */
  restore(state: OptimizerState): void {
    requireOptions("restore", state, ["rule", "learningRate", "steps", "buffers"]);
    requireInstance("restore", "steps, a Map", state.steps, Map);
    requireInstance("restore", "buffers, a Map", state.buffers, Map);
    requireAtLeast0("learningRate", state.learningRate);
    const problems: string[] = [];
    if (state.rule !== this.#rule) problems.push(`it is of ${state.rule}, this is ${this.#rule}`);
    problems.push(
      ...differences("parameter", this.#steps, state.steps),
      ...misfits("buffer", this.#buffers, state.buffers),
    );
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

  /** The running values of a parameter by name, and where they start. Called before the subclass has fields. */
  protected abstract start(settings: Settings<Options>): Readonly<Record<string, number>>;

  /** Moves one parameter and its running values. */
  protected abstract move(update: ParameterUpdate<Options>): void;
}
