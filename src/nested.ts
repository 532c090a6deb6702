/** Floor 0: flat values as nested arrays, and as text. Knows lengths and order, not what the values mean. */
import type { Floats } from "./kernels/kernels.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** Numbers nested to any depth: what `toArray` returns and `tensor` reads. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** The values as arrays within arrays, one level an axis; a number for a scalar. */
export function nested(data: Floats, shape: Shape, axis = 0, start = 0): NestedNumbers {
  if (axis === shape.length) return data[start];
  const stride = sizeOf(shape.slice(axis + 1));
  return Array.from({ length: shape[axis] }, (_, i) => nested(data, shape, axis + 1, start + i * stride));
}

/** The same as text with six digits a number; an axis longer than 8 shows three entries at either end. */
export function printed(data: Floats, shape: Shape, indent: string, axis = 0, start = 0): string {
  if (axis === shape.length) return String(Number(data[start].toPrecision(6)));
  const stride = sizeOf(shape.slice(axis + 1));
  const parts: string[] = [];
  for (let i = 0; i < shape[axis]; i++) {
    if (shape[axis] > 8 && i === 3) {
      parts.push("…");
      i = shape[axis] - 3;
    }
    parts.push(printed(data, shape, `${indent} `, axis + 1, start + i * stride));
  }
  return `[${parts.join(axis === shape.length - 1 ? ", " : `,\n${indent} `)}]`;
}
