/**
 * Floor 1: how values depend on one another, and the walk back along those dependencies. Knows nodes, edges and the
 * buffers that gradients gather in; refuses to know tensors, shapes, and what any op computes.
 *
 * Reverse mode: for y = f(x₁, x₂, …) and a scalar L, each edge adds its share of the chain rule,
 *
 *     dxᵢ += (∂y/∂xᵢ)ᵀ · dy        where dv stands for ∂L/∂v
 *
 * A node's dy is complete once every node that was computed from it has been visited. Inputs are always older than
 * outputs, so visiting the newest first is enough.
 */
import { requireSynchronous } from "./arguments.ts";
import { DistilgradError } from "./errors.ts";
import type { Floats, Kernels } from "./kernels/kernels.ts";

/** Values, and how often the library has written to them since they were made. */
export interface Storage {
  readonly data: Floats;
  version: number;
  /** The training step that computed them, and whose end is theirs; null for what lasts. */
  readonly step: Step | null;
}

/** A training step: what is computed in it lies in memory that the next one uses again. */
export interface Step {
  over: boolean;
}

export const storageOf = (data: Floats, step: Step | null = null): Storage => ({ data, version: 0, step });

let running: Step | null = null;

/** The step that is being computed, or null. */
export const currentStep = (): Step | null => running;

/** Runs `compute` as a training step. Nothing that it computes can be read afterwards; numbers and copies can. */
export function withinStep<T>(kernels: Kernels, compute: () => T): T {
  const outer = running;
  const step = { over: false };
  running = step;
  try {
    return kernels.step(compute);
  } finally {
    step.over = true;
    running = outer;
  }
}

/** One term of the chain rule: dInput += (∂output/∂input)ᵀ · dOutput. It adds; the engine owns the buffer. */
export type Pullback = (dInput: Floats, dOutput: Floats) => void;

export interface Edge {
  readonly source: Node;
  readonly pullback: Pullback;
}

/** A place where a gradient gathers. */
export type Node = Leaf | Computation;

/** A value that nothing computed and that wants a gradient: a parameter. Its buffer lives as long as it does. */
export class Leaf {
  readonly #storage: Storage;
  readonly #kernels: Kernels;
  #gradient: Storage | null = null;
  #present = false;

  constructor(storage: Storage, kernels: Kernels) {
    this.#storage = storage;
    this.#kernels = kernels;
  }

  /** The gradient, or null when no backward has reached this leaf since it was cleared. */
  get gradient(): Storage | null {
    return this.#present ? this.#gradient : null;
  }

  /** Keeps the buffer and marks it absent: nothing is allocated in a training loop. */
  clear(): void {
    this.#present = false;
  }

  /** How many numbers it has. */
  get size(): number {
    return this.#storage.data.length;
  }

  buffer(): Floats {
    if (this.#gradient === null) {
      this.#gradient = storageOf(this.#kernels.lasting(this.#storage.data.length));
    } else if (!this.#present) {
      this.#gradient.data.fill(0);
    }
    this.#present = true;
    this.#gradient.version++;
    return this.#gradient.data;
  }
}

/** A value that an op computed, with everything its pullbacks may read. Used once, then freed. */
export class Computation {
  readonly op: string;
  readonly output: Storage;
  /** Creation order. */
  readonly order: number;
  readonly #kernels: Kernels;
  #edges: readonly Edge[] | null;
  #saved: readonly Storage[];
  #versions: readonly number[];
  #gradient: Floats | null = null;
  #visit = 0;

  constructor(
    op: string,
    output: Storage,
    inputs: readonly Storage[],
    edges: readonly Edge[],
    kernels: Kernels,
  ) {
    this.op = op;
    this.output = output;
    this.order = ++created;
    this.#kernels = kernels;
    this.#edges = edges;
    this.#saved = [...inputs, output];
    this.#versions = this.#saved.map((storage) => storage.version);
  }

  /** The inputs that gradients flow to; null once a backward has used them up. */
  get edges(): readonly Edge[] | null {
    return this.#edges;
  }

  /** The values of operands and output, as they were recorded. */
  get saved(): readonly Storage[] {
    return this.#saved;
  }

  /** True the first time it is asked in a walk. */
  enter(walk: number): boolean {
    if (this.#visit === walk) return false;
    this.#visit = walk;
    return true;
  }

  requireUsable(): void {
    if (this.#edges === null) {
      throw new DistilgradError(
        "graph",
        `backward: the graph behind ${this.op} was freed by an earlier backward; run the forward pass again, or add the losses and go back once`,
      );
    }
    for (let i = 0; i < this.#saved.length; i++) {
      if (this.#saved[i].version !== this.#versions[i]) {
        const what = i === this.#saved.length - 1 ? "the output" : `operand ${i}`;
        throw new DistilgradError(
          "changed",
          `backward: ${what} of ${this.op} was changed in place after the forward pass; go back before updating, or run the forward pass again`,
        );
      }
    }
  }

  buffer(): Floats {
    this.#gradient ??= this.#kernels.alloc(this.output.data.length);
    return this.#gradient;
  }

  /** Lets go of everything that this node held. */
  free(): void {
    this.#edges = null;
    this.#saved = [];
    this.#versions = [];
    this.#gradient = null;
  }

  /** Hands the finished gradient on along every edge, and frees what this node held. */
  pullBack(): void {
    const edges = this.#edges!;
    const dOutput = this.buffer();
    this.free();
    for (const { source, pullback } of edges) pullback(source.buffer(), dOutput);
  }
}

let created = 0;
let walks = 0;
let recording = true;

/** Whether ops remember what they computed from. */
export const isRecording = (): boolean => recording;

/**
 * Runs `compute` without remembering anything: a teacher's forward pass, an evaluation. Results need no gradient.
 *
 * @throws when `compute` is async: recording would be back on before its first `await` ends.
 */
export function noGrad<T>(compute: () => T): T {
  const before = recording;
  recording = false;
  try {
    const result = compute();
    requireSynchronous("graph", "noGrad", result, "call noGrad inside it, around the forward pass");
    return result;
  } finally {
    recording = before;
  }
}

/** Every computation that `output` rests on, newest first. Iterative: a chain of a million ops has no stack to exhaust. */
export function newestFirst(output: Computation): Computation[] {
  const walk = ++walks;
  const found: Computation[] = [];
  const pending: Computation[] = [output];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (!node.enter(walk)) continue;
    found.push(node);
    for (const { source } of node.edges ?? []) if (source instanceof Computation) pending.push(source);
  }
  return found.sort((a, b) => b.order - a.order);
}

/** Every leaf that `output` rests on, with the op that reads it. */
export function leavesBehind(output: Computation): Map<Leaf, string> {
  const leaves = new Map<Leaf, string>();
  for (const { op, edges } of newestFirst(output)) {
    for (const { source } of edges ?? []) if (source instanceof Leaf) leaves.set(source, op);
  }
  return leaves;
}

/**
 * Adds the gradient of ⟨cotangent, output⟩ to every leaf that `output` rests on.
 *
 * Everything is checked before it starts. Should a pullback throw nevertheless, the graph is freed; leaves may then hold
 * a part of their gradient.
 */
export function backward(output: Node, cotangent: Floats): void {
  const nodes = output instanceof Computation ? newestFirst(output) : [];
  for (const node of nodes) node.requireUsable();

  const dOutput = output.buffer();
  for (let i = 0; i < dOutput.length; i++) dOutput[i] += cotangent[i];
  // Oldest first, so that each can be let go of as soon as it is done: its values are garbage then.
  nodes.reverse();
  try {
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) node.pullBack();
  } finally {
    for (const node of nodes) node.free();
  }
}
