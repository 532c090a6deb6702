/**
 * Floor 3: what has weights. A module is a class with a `forward`; its parts are found by looking at its fields, so a
 * model is written once and never registers anything.
 */
import { requireInstance, requireSynchronous } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { Computation } from "../graph.ts";
import { accelerateOnce } from "../kernels/wasm/accelerate-once.ts";
import { RandomStream } from "../random.ts";
import { formatShape, type Shape, sameShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

/** Tensors by name, such as `hidden.weight`, in the order in which a model declares them. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** A tensor that a model owns and an optimizer moves: a copy, where the kernels like it best. */
export class Parameter extends Tensor {
  constructor(values: Tensor) {
    requireInstance("Parameter", "a tensor", values, Tensor);
    accelerateOnce();
    const { kernels, shape, data } = values;
    const own = kernels.lasting(data.length);
    own.set(data);
    super(own, shape, kernels);
    this.requiresGrad = true;
  }
}

/** What a forward pass returns when its steps are asked for. */
export interface Features {
  /** The output of the whole module. */
  readonly logits: Tensor;
  /** The output of every module within it, by name; a second call of the same one is `name#2`. */
  readonly features: NamedTensors;
}

/**
 * Something with weights that maps a tensor to a tensor.
 *
 * Fields decide: a field that is a `Parameter`, or a tensor that requires a gradient, is a parameter; another tensor
 * is a buffer; a random stream is one that the model draws from; a module is a child. Arrays of these are looked into,
 * one level deep; Maps, plain objects and `#private` fields are not (TypeScript's `private` is no hindrance). A trainer
 * refuses a model that learns with weights it cannot find.
 *
 *     class Net extends Module {
 *       hidden = new Linear(64, 32);
 *       logits = new Linear(32, 10);
 *       forward(x: Tensor) { return this.logits.forward(relu(this.hidden.forward(x))); }
 *     }
 */
export abstract class Module {
  #training = true;

  abstract forward(x: Tensor): Tensor;

  /** Whether layers such as Dropout behave as in training. True when made. */
  get training(): boolean {
    return this.#training;
  }

  /** Puts this module and all within it in training mode. */
  train(): this {
    return this.#setMode(true);
  }

  /** Puts this module and all within it in evaluation mode. */
  eval(): this {
    return this.#setMode(false);
  }

  /** Runs `compute` in evaluation mode, and puts every part back into the mode it was in. */
  inEvalMode<T>(compute: () => T): T {
    const modules = this.#within();
    const modes = modules.map((module) => module.#training);
    for (const module of modules) module.#training = false;
    try {
      const result = compute();
      requireSynchronous("graph", "inEvalMode", result, "await before it, and hand in what is left");
      return result;
    } finally {
      for (const [i, module] of modules.entries()) module.#training = modes[i];
    }
  }

  /** The modules directly inside, by field name; those in an array as `field.0`, `field.1`, … */
  children(): Map<string, Module> {
    const found = new Map<string, Module>();
    forEachField(this, (name, value) => {
      if (value instanceof Module) found.set(name, value);
    });
    return found;
  }

  /** Every module inside at any depth, by dotted name. A module in two places has the name it has first. */
  modules(): Map<string, Module> {
    const found = new Map<string, Module>();
    const seen = new Set<Module>([this]);
    const visit = (module: Module, prefix: string): void => {
      for (const [name, child] of module.children()) {
        if (seen.has(child)) continue;
        seen.add(child);
        found.set(prefix + name, child);
        visit(child, `${prefix}${name}.`);
      }
    };
    visit(this, "");
    return found;
  }

  /** Everything that an optimizer moves, by dotted name; frozen parameters too. A shared one is listed once. */
  parameters(): Map<string, Tensor> {
    return this.#tensors(isParameter);
  }

  /** What belongs to the model's state without being trained, by dotted name. */
  buffers(): Map<string, Tensor> {
    return this.#tensors((value) => !isParameter(value));
  }

  /** All parameters, then all buffers, by dotted name: what `stateDict` copies. */
  stateTensors(): Map<string, Tensor> {
    const all = this.#tensors(() => true);
    // Moved to the end: what is set again after it was deleted comes last.
    for (const [name, value] of [...all]) {
      if (isParameter(value) || !all.delete(name)) continue;
      all.set(name, value);
    }
    return all;
  }

  /** The random streams that the model draws from, such as a Dropout's, by dotted name; a shared one is listed once. */
  streams(): Map<string, RandomStream> {
    return this.#fields((value) => value instanceof RandomStream);
  }

  /** Copies of all parameters and buffers, by dotted name. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [name, value] of this.stateTensors()) {
      state.set(name, new Tensor(value.data.slice(), value.shape, value.kernels));
    }
    return state;
  }

  /**
   * Copies values into all parameters and buffers.
   *
   * @throws when a name is missing, unknown, or has another shape; it lists all of them and loads nothing
   */
  loadStateDict(state: NamedTensors): void {
    requireInstance("loadStateDict", "a Map of tensors, as stateDict() gives it", state, Map);
    for (const [name, value] of state) {
      requireInstance("loadStateDict", `a tensor for "${name}"`, value, Tensor);
    }
    const own = this.stateTensors();
    const quote = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const problems: string[] = [];
    if (missing.length > 0) problems.push(`missing ${quote(missing)}`);
    if (unexpected.length > 0) problems.push(`unexpected ${quote(unexpected)}`);
    for (const [name, value] of own) {
      const given = state.get(name);
      if (given && !sameShape(given.shape, value.shape)) {
        problems.push(`"${name}" is ${formatShape(given.shape)} instead of ${formatShape(value.shape)}`);
      }
    }
    if (problems.length > 0) {
      throw new DistilgradError(
        "state",
        `loadStateDict: the state does not fit this model: ${problems.join("; ")}; nothing was loaded`,
      );
    }
    for (const [name, value] of own) value.update((data) => data.set(state.get(name)!.data));
  }

  /**
   * One forward pass that also returns what every module within computed. The model's code is as it was: each part's
   * `forward` is watched for the time of this call.
   */
  features(x: Tensor): Features {
    const features = new Map<string, Tensor>();
    const logits = watchCalls(
      this.modules(),
      ({ name, output }) => features.set(name, output),
      () => this.forward(x),
    );
    return { logits, features };
  }

  /**
   * How many products of two numbers, each added to a sum, this module itself spends on an input of one shape to make
   * an output of another: those of the modules within it are their own. `summary` asks. Default 0.
   */
  multiplyAdds(_input: Shape, _output: Shape): number {
    return 0;
  }

  #setMode(training: boolean): this {
    for (const module of this.#within()) module.#training = training;
    return this;
  }

  /** This module and all within it, each once. A step asks several times, and for no names. */
  #within(): Module[] {
    const found = new Set<Module>([this]);
    // A set that grows while it is walked is walked to its end.
    for (const module of found) for (const child of module.children().values()) found.add(child);
    return [...found];
  }

  #tensors(wanted: (value: Tensor) => boolean): Map<string, Tensor> {
    // What an op computed is no state: a model may keep its last activation in a field.
    return this.#fields(
      (value): value is Tensor =>
        value instanceof Tensor && !(value.node instanceof Computation) && wanted(value),
    );
  }

  /** The fields of this module and all within it that are wanted, by dotted name; each value once. */
  #fields<T>(wanted: (value: unknown) => value is T): Map<string, T> {
    const found = new Map<string, T>();
    const seen = new Set<T>();
    for (const [prefix, module] of [["", this] as const, ...this.modules()]) {
      forEachField(module, (field, value) => {
        if (!wanted(value) || seen.has(value)) return;
        seen.add(value);
        found.set(prefix === "" ? field : `${prefix}.${field}`, value);
      });
    }
    return found;
  }
}

/** Whether an optimizer moves it, or would if it were not frozen. */
export const isParameter = (value: Tensor): boolean => value instanceof Parameter || value.requiresGrad;

/** Visits the fields of a module, and the entries of those that are arrays as `field.0`, `field.1`, … */
function forEachField(module: Module, visit: (name: string, value: unknown) => void): void {
  for (const name of Object.keys(module)) {
    const value: unknown = module[name as keyof Module];
    if (!Array.isArray(value)) visit(name, value);
    else for (let i = 0; i < value.length; i++) visit(`${name}.${i}`, value[i]);
  }
}

/** A call of a module's `forward`. */
export interface Call {
  /** The module's; `name#2` for its second call. */
  readonly name: string;
  readonly module: Module;
  readonly input: Tensor;
  readonly output: Tensor;
}

/** Runs `run` and reports every call of one of `modules` when it returns; their code is as it was. */
export function watchCalls<T>(
  modules: ReadonlyMap<string, Module>,
  seen: (call: Call) => void,
  run: () => T,
): T {
  const restore: (() => void)[] = [];
  try {
    for (const [name, module] of modules) {
      let calls = 0;
      restore.push(
        watch(module, (input, output) => {
          calls++;
          seen({ name: calls === 1 ? name : `${name}#${calls}`, module, input, output });
        }),
      );
    }
    return run();
  } finally {
    for (const undo of restore) undo();
  }
}

/** Calls `seen` after every forward pass of `module` until the returned function is called. */
function watch(module: Module, seen: (input: Tensor, output: Tensor) => void): () => void {
  const own = Object.getOwnPropertyDescriptor(module, "forward");
  const forward = module.forward;
  Object.defineProperty(module, "forward", {
    configurable: true,
    writable: true,
    enumerable: false,
    value(...inputs: Parameters<Module["forward"]>): Tensor {
      const output = forward.apply(module, inputs);
      seen(inputs[0], output);
      return output;
    },
  });
  return () => {
    if (own) Object.defineProperty(module, "forward", own);
    else Reflect.deleteProperty(module, "forward");
  };
}

/**
 * The parameters of several modules in one list, for one optimizer: `parametersOf({ student, projection })` names them
 * `student.hidden.weight`, …, `projection.weight`.
 */
export function parametersOf(modules: Readonly<Record<string, Module>>): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const [prefix, module] of Object.entries(modules)) {
    for (const [name, parameter] of module.parameters()) found.set(`${prefix}.${name}`, parameter);
  }
  return found;
}

/** How many numbers a model learns. */
export function countParameters(model: Module): number {
  let count = 0;
  for (const parameter of model.parameters().values()) count += parameter.size;
  return count;
}
