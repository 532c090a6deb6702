/** Annex: derivatives by differences and by backward, entry by entry. */
import type { Floats } from "../kernels/kernels.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { pullBack, valuesAt } from "./passes.ts";
import type { Subject } from "./question.ts";

/**
 * d/dt f(x + t v) at t = 0, for every output, from four values of f.
 *
 *     f'(x) ≈ (f(x − 2h) − 8 f(x − h) + 8 f(x + h) − f(x + 2h)) / 12h        error h⁴ f⁽⁵⁾/30 + 1.5 u |f| / h
 *
 * @see Fornberg, Generation of Finite Difference Formulas on Arbitrarily Spaced Grids, Math. Comp. 51 (1988), table 1
 */
export function differences(subject: Subject, direction: readonly Floats[], h: number): Float64Array {
  const [a, b, c, d] = [-2 * h, -h, h, 2 * h].map((t) => valuesAt(subject, direction, t));
  return Float64Array.from(a, (_, o) => stencil(a[o], b[o], c[o], d[o], h));
}

/** The formula, from f at −2h, −h, h, 2h. */
export const stencil = (a: number, b: number, c: number, d: number, h: number): number =>
  (a - 8 * b + 8 * c - d) / (12 * h);

/** ∂y[o] / ∂x[j] of one input at `o * size + j`, once by backward and once by differences. */
export interface Jacobian {
  readonly backward: Float64Array;
  readonly difference: Float64Array;
  /** Of the input. */
  readonly shape: Shape;
  readonly outputShape: Shape;
}

/** Every entry: a backward pass for each output, four forward passes for each input entry. */
export function jacobiansOf(subject: Subject): Jacobian[] {
  const outputs = sizeOf(subject.shape);
  const found = subject.inputs.map(({ shape, size }) => ({
    backward: new Float64Array(outputs * size),
    difference: new Float64Array(outputs * size),
    shape,
    outputShape: subject.shape,
  }));
  for (let o = 0; o < outputs; o++) {
    const rows = pullBack(subject, unit(outputs, o));
    for (const [i, { backward }] of found.entries()) backward.set(rows[i], o * rows[i].length);
  }
  for (const [i, { difference }] of found.entries()) {
    const { size } = subject.inputs[i];
    for (let j = 0; j < size; j++) {
      const column = differences(subject, along(subject, i, j), subject.step);
      for (let o = 0; o < outputs; o++) difference[o * size + j] = column[o];
    }
  }
  return found;
}

/** The direction in which one entry of one input moves. */
export const along = ({ inputs }: Subject, input: number, index: number): Float64Array[] =>
  inputs.map(({ size }, i) => (i === input ? unit(size, index) : new Float64Array(size)));

function unit(size: number, index: number): Float64Array {
  const values = new Float64Array(size);
  values[index] = 1;
  return values;
}
