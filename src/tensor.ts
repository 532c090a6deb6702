/**
 * Floor 1: a value that knows its shape, its kernels and where it came from. Has no arithmetic of its own: an op is a
 * plain function beside it, built from `record` and `wrt`.
 */
import { kindOf } from "./arguments.ts";
import { DistilgradError } from "./errors.ts";
import {
  backward,
  Computation,
  currentStep,
  type Edge,
  isRecording,
  Leaf,
  type Node,
  type Pullback,
  type Storage,
  storageOf,
} from "./graph.ts";
import type { Floats, Kernels } from "./kernels/kernels.ts";
import { precisionOf } from "./kernels/rounding.ts";
import { type NestedNumbers, nested, printed } from "./nested.ts";
import { formatShape, requireShape, type Shape, sameShape, sizeOf } from "./shape.ts";

/** Marks a tensor of any copy of this library, so that a second copy is told from a wrong type. */
const brand = Symbol.for("distilgrad.Tensor");
const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * A dense, row-major array of floats that remembers how it was computed.
 *
 * `data` is for reading. A direct write into it is not noticed: a backward pass that saved the old value is then wrong,
 * and so is whatever a kernel set has packed from it. Use `update`.
 */
export class Tensor {
  readonly shape: Shape;
  /** The kernel set that made `data`; every op on this tensor runs there. */
  readonly kernels: Kernels;
  /** The values, shared by every tensor that is a view of them. */
  readonly storage: Storage;
  readonly [brand] = true;
  #node: Node | null;
  /** Outlives being frozen, so that a graph from before finds it again. */
  #leaf: Leaf | null = null;

  /** Takes `values` as they are, without a copy. To copy, use `tensor`. */
  constructor(values: Floats | Storage, shape: Shape, kernels: Kernels, node: Node | null = null) {
    const storage = ArrayBuffer.isView(values) ? storageOf(values) : values;
    requireShape("tensor", shape);
    if (storage.data.BYTES_PER_ELEMENT !== kernels.bytesPerElement) {
      throw new DistilgradError(
        "kernels",
        `tensor: the ${precisionOf(kernels)} set holds Float${8 * kernels.bytesPerElement}Array, got ${kindOf(storage.data)}`,
      );
    }
    if (storage.data.length !== sizeOf(shape)) {
      throw new DistilgradError(
        "shape",
        `tensor: shape ${formatShape(shape)} holds ${sizeOf(shape)} values, got ${storage.data.length}`,
      );
    }
    this.storage = storage;
    this.shape = shape;
    this.kernels = kernels;
    this.#node = node;
  }

  /**
   * The values, row-major.
   *
   * @throws on what an op computed inside a training step that is over: its memory is used again
   */
  get data(): Floats {
    const { data, step } = this.storage;
    if (step?.over) {
      throw new DistilgradError(
        "graph",
        `data: a tensor ${formatShape(this.shape)} was computed inside a training step that is over, and its memory is used again; copy it inside the step, with tensor(x.data, { shape: x.shape }), or compute it outside`,
      );
    }
    return data;
  }

  /** How many values there are. */
  get size(): number {
    return this.storage.data.length;
  }

  /** Where gradients of this tensor gather; null when it needs none. */
  get node(): Node | null {
    return this.#node;
  }

  /** Whether a gradient can flow into this tensor. Settable on what no op computed: `false` freezes a parameter. */
  get requiresGrad(): boolean {
    return this.#node !== null;
  }

  set requiresGrad(wanted: boolean) {
    if (this.#node instanceof Computation) {
      throw new DistilgradError(
        "graph",
        `requiresGrad: this tensor was computed by ${this.#node.op}, which decides it; use detach() for one without a past`,
      );
    }
    if (typeof wanted !== "boolean") {
      throw new DistilgradError("value", `requiresGrad: expected true or false, got ${kindOf(wanted)}`);
    }
    if (wanted) this.#leaf ??= new Leaf(this.storage, this.kernels);
    this.#node = wanted ? this.#leaf : null;
  }

  /**
   * The gradient that backward has added up, or null when there is none since the last `zeroGrad`. It is the live
   * buffer, which the next backward writes to; copy its data to keep it.
   *
   * @throws on a tensor that an op computed: gradients are kept for leaves only
   */
  get grad(): Tensor | null {
    if (this.#node instanceof Computation) {
      throw new DistilgradError(
        "graph",
        `grad: this tensor was computed by ${this.#node.op}; gradients are kept only for tensors made with requiresGrad`,
      );
    }
    const gradient = this.#node?.gradient;
    return gradient ? new Tensor(gradient, this.shape, this.kernels) : null;
  }

  /** Forgets the gradient; its buffer stays for the next one. */
  zeroGrad(): void {
    if (this.#node instanceof Leaf) this.#node.clear();
  }

  /** The only value of a tensor that holds one. */
  item(): number {
    if (this.size !== 1) {
      throw new DistilgradError(
        "shape",
        `item: expected exactly one value, got shape ${formatShape(this.shape)}`,
      );
    }
    return this.data[0];
  }

  /** The same values as a tensor without a past: no gradient flows through it. Nothing is copied. */
  detach(): Tensor {
    return new Tensor(this.storage, this.shape, this.kernels);
  }

  /**
   * Adds ∂this/∂leaf to the `grad` of every leaf this tensor was computed from, and frees the graph.
   *
   * @param cotangent ∂L/∂this, of this shape; needed unless this is a scalar, where it is 1
   */
  backward(cotangent?: Tensor): void {
    const node = this.#node;
    if (node === null) {
      throw new DistilgradError(
        "graph",
        "backward: this tensor does not depend on anything that requires a gradient; was it computed inside noGrad, or detached?",
      );
    }
    if (cotangent === undefined) {
      if (this.size !== 1) {
        throw new DistilgradError(
          "shape",
          `backward: expected a scalar, got shape ${formatShape(this.shape)}; reduce it to a loss first, or pass a cotangent of this shape`,
        );
      }
      const one = this.kernels.alloc(1);
      one[0] = 1;
      backward(node, one);
      return;
    }
    kernelsOf("backward", this, cotangent);
    if (!sameShape(this.shape, cotangent.shape)) {
      throw new DistilgradError(
        "shape",
        `backward: expected a cotangent of shape ${formatShape(this.shape)}, got ${formatShape(cotangent.shape)}`,
      );
    }
    // A copy: the cotangent may be the very gradient that backward is about to write.
    backward(node, cotangent.data.slice());
  }

  /** Lets `write` change the values in place, and counts it: a backward pass that saved the old ones will say so. */
  update(write: (data: Floats) => void): void {
    this.storage.version++;
    write(this.storage.data);
  }

  /** The values as nested arrays, a number for a scalar. */
  toArray(): NestedNumbers {
    return nested(this.data, this.shape);
  }

  /** Readable on one screen: long axes show three values at either end. */
  toString(): string {
    return `tensor(${printed(this.data, this.shape, "       ")}, ${formatShape(this.shape)} ${precisionOf(this.kernels)})`;
  }

  /** Refuses `loss * 0.5` and `loss < 1`, which JavaScript would turn into NaN and false. Text is fine. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new DistilgradError(
      "value",
      "tensor: operators do not work on tensors; take the number with item(), or use ops such as scale and add",
    );
  }

  [inspect](): string {
    return this.toString();
  }
}

/** One partial derivative of an op: how a gradient reaches `input`. */
export interface PartialDerivative {
  readonly input: Tensor;
  readonly pullback: Pullback;
}

/** With respect to `input`: the pullback adds (∂output/∂input)ᵀ · dOutput to the buffer it is given. */
export const wrt = (input: Tensor, pullback: Pullback): PartialDerivative => ({ input, pullback });

/**
 * Makes an op's result, remembering the edges along which gradients will flow back. An input that needs no gradient
 * gets no edge, and its pullback is never called.
 *
 * @param op the name that messages use
 * @param values what the forward pass computed, or the storage of an input that the result is a view of
 * @param partials one `wrt` for every tensor that the op read, in the order of its arguments
 */
export function record(
  op: string,
  values: Floats | Storage,
  shape: Shape,
  partials: readonly PartialDerivative[],
): Tensor {
  if (!Array.isArray(partials) || partials.length === 0) {
    throw new DistilgradError(
      "value",
      `${op}: record expects a list of wrt(input, pullback), one for each operand`,
    );
  }
  const kernels = kernelsOf(op, ...partials.map(({ input }) => input));
  const output = ArrayBuffer.isView(values) ? storageOf(values, currentStep()) : values;
  if (!isRecording() || partials.every(({ input }) => input.node === null)) {
    return new Tensor(output, shape, kernels);
  }
  const edges: Edge[] = [];
  for (const { input, pullback } of partials) if (input.node) edges.push({ source: input.node, pullback });
  const inputs = partials.map(({ input }) => input.storage);
  return new Tensor(output, shape, kernels, new Computation(op, output, inputs, edges, kernels));
}

/** What tells two sets apart: mostly their precision. */
function namesOf(a: Kernels, b: Kernels): string {
  const precise = a.bytesPerElement === b.bytesPerElement;
  return [a, b].map((set) => (precise ? set.name : precisionOf(set))).join(" and ");
}

/** Requires tensors of this library, made by one kernel set, and returns it. */
export function kernelsOf(op: string, ...operands: readonly Tensor[]): Kernels {
  for (const [i, operand] of operands.entries()) {
    if (!(operand instanceof Tensor)) {
      if (typeof operand === "object" && operand !== null && brand in operand) {
        throw new DistilgradError(
          "copies",
          `${op}: operand ${i} comes from another copy of distilgrad; load the library once`,
        );
      }
      throw new DistilgradError(
        "value",
        `${op}: operand ${i} must be a tensor, got ${kindOf(operand)}; wrap it in tensor(…)`,
      );
    }
    if (operand.kernels !== operands[0].kernels) {
      throw new DistilgradError(
        "kernels",
        `${op}: operands live in two kernel sets, ${namesOf(operands[0].kernels, operand.kernels)}; make both with the same`,
      );
    }
  }
  return operands[0].kernels;
}
