/** Floor 1: tensors from numbers. Every factory copies what it is given, so nothing outside can change a tensor. */
import { kindOf, requireOptions } from "./arguments.ts";
import { DistilgradError } from "./errors.ts";
import { float32 } from "./kernels/float32.ts";
import type { Floats, Kernels } from "./kernels/kernels.ts";
import { ordinary } from "./kernels/ordinary.ts";
import { requireLabels } from "./labels.ts";
import type { NestedNumbers } from "./nested.ts";
import { libraryStream, type RandomStream } from "./random.ts";
import { formatShape, requireShape, type Shape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** What `data.set` takes. BigInt arrays are not among them. */
type TypedNumbers =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export interface TensorOptions {
  /** Whether backward collects a gradient for it. Default false. */
  readonly requiresGrad?: boolean;
  /** The set it lives in: float32 by default, `float64` for checks. */
  readonly kernels?: Kernels;
}

/** The names of these options. */
const tensorOptions = ["requiresGrad", "kernels"];

/**
 * A tensor from nested arrays, or from flat numbers with a shape.
 *
 *     tensor([[1, 2], [3, 4]])
 *     tensor(floats, { shape: [64, 10] })
 *
 * @throws where rows differ in length, an entry is not a number, or the shape does not hold as many values
 */
export function tensor(
  values: NestedNumbers | TypedNumbers,
  options: TensorOptions & { readonly shape?: Shape } = {},
): Tensor {
  requireOptions("tensor", options, ["shape", ...tensorOptions]);
  const kernels = options.kernels ?? float32;
  const typed = ArrayBuffer.isView(values) ? (values as TypedNumbers) : null;
  const found = typed ? [typed.length] : shapeOf(values as NestedNumbers);
  const shape = options.shape ?? found;
  requireShape("tensor", shape);
  if (sizeOf(shape) !== sizeOf(found)) {
    throw new DistilgradError(
      "shape",
      `tensor: shape ${formatShape(shape)} holds ${sizeOf(shape)} values, got ${sizeOf(found)}`,
    );
  }
  const data = ordinary(kernels, sizeOf(shape));
  if (typed) data.set(typed);
  else flatten(values as NestedNumbers, found, 0, data, 0);
  return finish(data, [...shape], kernels, options);
}

/** All zeros. */
export const zeros = (shape: Shape, options: TensorOptions = {}): Tensor =>
  filled("zeros", shape, options, () => 0);

/** All ones. */
export const ones = (shape: Shape, options: TensorOptions = {}): Tensor =>
  filled("ones", shape, options, () => 1);

/** The same value everywhere. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  if (typeof value !== "number") {
    throw new DistilgradError("value", `full: expected a value, got ${kindOf(value)}`);
  }
  return filled("full", shape, options, () => value);
}

export interface RandomOptions extends TensorOptions {
  /** Where the numbers come from. Default: the library's stream, which `manualSeed` resets. */
  readonly random?: RandomStream | undefined;
}

/** Independent standard normal values. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  const random = options.random ?? libraryStream();
  return filled("randn", shape, options, () => random.normal(), ["random"]);
}

/** Independent values, uniform from low to high; high itself only where a value rounds to it. Default 0 to 1. */
export function uniform(
  shape: Shape,
  options: RandomOptions & { readonly low?: number; readonly high?: number } = {},
): Tensor {
  const { low = 0, high = 1, random = libraryStream() } = options;
  if (!(low <= high && high - low < Number.POSITIVE_INFINITY)) {
    throw new DistilgradError("value", `uniform: expected low ≤ high, both finite, got ${low} and ${high}`);
  }
  const draw = (): number => low + (high - low) * random.uniform();
  return filled("uniform", shape, options, draw, ["low", "high", "random"]);
}

/** 0, 1, …, count − 1. */
export function arange(count: number, options: TensorOptions = {}): Tensor {
  return filled("arange", [count], options, (i) => i);
}

/**
 * Labels as rows that are 1 at the label and 0 elsewhere: `[labels, classes]`.
 *
 * @throws on a label that is not a whole number in [0, classes)
 */
export function oneHot(labels: ArrayLike<number>, classes: number, options: TensorOptions = {}): Tensor {
  requireShape("oneHot", [classes]);
  requireOptions("oneHot", options, tensorOptions);
  requireLabels("oneHot", labels, labels?.length, classes);
  const kernels = options.kernels ?? float32;
  const data = ordinary(kernels, labels.length * classes);
  for (let row = 0; row < labels.length; row++) data[row * classes + labels[row]] = 1;
  return finish(data, [labels.length, classes], kernels, options);
}

function filled(
  name: string,
  shape: Shape,
  options: TensorOptions,
  value: (i: number) => number,
  besides: readonly string[] = [],
): Tensor {
  requireShape(name, shape);
  requireOptions(name, options, [...besides, ...tensorOptions]);
  const kernels = options.kernels ?? float32;
  const data = ordinary(kernels, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return finish(data, [...shape], kernels, options);
}

function finish(data: Floats, shape: Shape, kernels: Kernels, options: TensorOptions): Tensor {
  const made = new Tensor(data, shape, kernels);
  if (options.requiresGrad) made.requiresGrad = true;
  return made;
}

/** The shape of nested arrays, read along the first entries; `flatten` holds the others to it. */
function shapeOf(values: NestedNumbers): number[] {
  const shape: number[] = [];
  for (let inner: NestedNumbers | undefined = values; typeof inner === "object"; inner = inner[0]) {
    requireArray(inner);
    shape.push(inner.length);
  }
  return shape;
}

function requireArray(values: unknown): void {
  if (!Array.isArray(values)) {
    throw new DistilgradError(
      "value",
      `tensor: expected numbers, nested arrays of numbers or a typed array, got ${values === null ? "null" : "an object"}`,
    );
  }
}

function flatten(values: NestedNumbers, shape: Shape, axis: number, data: Floats, start: number): void {
  if (axis === shape.length) {
    if (typeof values !== "number") {
      const what = typeof values === "object" ? "a nested array" : String(values);
      throw new DistilgradError("value", `tensor: expected a number at position ${start}, got ${what}`);
    }
    data[start] = values;
    return;
  }
  if (typeof values !== "object" || values.length !== shape[axis]) {
    const what = typeof values === "object" ? values.length : String(values);
    throw new DistilgradError(
      "shape",
      `tensor: rows differ in length: expected ${shape[axis]} entries along axis ${axis}, got ${what}`,
    );
  }
  const stride = sizeOf(shape.slice(axis + 1));
  for (let i = 0; i < shape[axis]; i++) flatten(values[i], shape, axis + 1, data, start + i * stride);
}
