/** Values by textbook formulas in float64, with the engine's own `Math`: an oracle that shares nothing with the ops. */
import { type Shape, sizeOf } from "../../src/shape.ts";
import type { Operand } from "../support/arbitraries.ts";

/** The index of `small` that stands for flat index `i` of `large`. */
export function broadcastIndex(i: number, large: Shape, small: Shape): number {
  let rest = i;
  let index = 0;
  let stride = 1;
  for (let axis = large.length - 1; axis >= 0; axis--) {
    const at = rest % large[axis];
    rest = Math.floor(rest / large[axis]);
    const own = axis - large.length + small.length;
    if (own < 0) continue;
    if (small[own] !== 1) index += at * stride;
    stride *= small[own];
  }
  return index;
}

export const pairwise =
  (f: (a: number, b: number) => number, common: Shape) =>
  (a: Operand, b: Operand): number[] =>
    Array.from({ length: sizeOf(common) }, (_, i) =>
      f(a.values[broadcastIndex(i, common, a.shape)], b.values[broadcastIndex(i, common, b.shape)]),
    );

/** Applies a function to every row along the last axis. */
export function byRow({ shape, values }: Operand, f: (row: number[]) => number[]): number[] {
  const cols = shape[shape.length - 1];
  const out: number[] = [];
  for (let start = 0; start < values.length; start += cols) out.push(...f(values.slice(start, start + cols)));
  return out;
}

export const softmaxRow = (row: number[]): number[] => {
  const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
  return row.map((x) => Math.exp(x) / total);
};

export const logSumExpRow = (row: number[]): number => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));

/** Sums over axes, keeping them with length 1. */
export function sumOver({ shape, values }: Operand, kept: Shape): number[] {
  const out = new Array<number>(sizeOf(kept)).fill(0);
  values.forEach((x, i) => {
    out[broadcastIndex(i, shape, kept)] += x;
  });
  return out;
}

export function product(a: Operand, b: Operand): number[] {
  const [m, k] = a.shape;
  const n = b.shape[1];
  return Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let p = 0; p < k; p++) sum += a.values[i * k + p] * b.values[p * n + j];
    return sum;
  });
}
