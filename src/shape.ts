/** Floor 0: sizes along axes. Knows no values. */
import { kindOf } from "./arguments.ts";
import { DistilgradError } from "./errors.ts";

/** Sizes along each axis, outermost first, row-major. `[]` is a scalar. */
export type Shape = readonly number[];

/** How many values a shape holds: the product of its sizes; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/** `[2, 3]`, as every message spells it. */
export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Refuses a shape whose sizes are not whole numbers ≥ 0: `new Float32Array(1.5)` would silently have length 1. */
export function requireShape(where: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    throw new DistilgradError("shape", `${where}: expected a shape such as [2, 3], got ${kindOf(shape)}`);
  }
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new DistilgradError(
        "shape",
        `${where}: sizes are whole numbers of at least 0, got ${formatShape(shape)}`,
      );
    }
  }
}

/** How far apart neighbours along each axis are in a row-major buffer: 1 along the last. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/**
 * The shape that both broadcast to: aligned at the last axis, sizes equal or one of them 1.
 *
 * @param what the message calls them
 */
export function broadcastShapes(op: string, a: Shape, b: Shape, what = "shapes"): Shape {
  const rank = a.length > b.length ? a.length : b.length;
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const da = a[axis - rank + a.length] ?? 1;
    const db = b[axis - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      throw new DistilgradError(
        "shape",
        `${op}: ${what} ${formatShape(a)} and ${formatShape(b)} do not broadcast: axis ${axis} is ${da} and ${db}`,
      );
    }
    shape.push(da === 1 ? db : da);
  }
  return shape;
}

/** An axis counted from 0; −1 is the last. */
export function requireAxis(op: string, shape: Shape, axis: number): number {
  if (typeof axis !== "number") {
    throw new DistilgradError("shape", `${op}: an axis is a whole number, got ${kindOf(axis)}`);
  }
  if (!Number.isInteger(axis) || axis < -shape.length || axis >= shape.length) {
    throw new DistilgradError(
      "shape",
      `${op}: axis ${axis} is outside ${formatShape(shape)}, which has ${shape.length} axes`,
    );
  }
  return axis < 0 ? axis + shape.length : axis;
}

/** Axes as a sorted list without repetition; −1 is the last; undefined is all of them. */
export function requireAxes(
  op: string,
  shape: Shape,
  axes: number | readonly number[] | undefined,
): number[] {
  if (axes === undefined) return shape.map((_, axis) => axis);
  const wanted = typeof axes === "number" ? [axes] : axes;
  if (!Array.isArray(wanted)) {
    throw new DistilgradError(
      "shape",
      `${op}: axes must be a number or a list of numbers, got ${kindOf(axes)}`,
    );
  }
  const found = wanted.map((axis) => requireAxis(op, shape, axis));
  if (new Set(found).size !== found.length) {
    throw new DistilgradError("shape", `${op}: an axis is named twice in ${formatShape(wanted)}`);
  }
  return found.sort((a, b) => a - b);
}
