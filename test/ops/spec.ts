/** What an entry of the table of ops is, and what several entries are built from. */
import fc from "fast-check";
import { ones } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type * as ops from "../../src/ops/index.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import {
  anyOperand,
  broadcastPair,
  type Operand,
  operand,
  ordinary,
  type Range,
  shape,
} from "../support/arbitraries.ts";
import { byRow, pairwise, softmaxRow } from "./reference.ts";

/** Whatever src/ops/index.ts exports as a function of tensors. `argmax` gives indices, which are no tensor. */
export type OpName = Exclude<keyof typeof ops, "argmax">;

/** A part of the table. */
export type OpSpecs = Partial<Record<OpName, OpSpec>>;

/** One use of an op: drawn operands, the call, and what it should give. */
export interface Case {
  readonly operands: readonly Operand[];
  readonly call: (...operands: Tensor[]) => Tensor;
  readonly shape: Shape;
  readonly expected: readonly number[];
  /** The step of differences, where the default of 1e-3 is too long for the function's fifth derivative. */
  readonly step?: number;
  /**
   * How far a float32 result may be from the float64 one, entry by entry. Default: one rounding, u |y|. Values and
   * cotangents are float32 numbers, so only what happens inside counts.
   */
  readonly bound?: (value: number, index: number) => number;
  /** The same for the gradient of operand `which`, given the cotangent. Default: two roundings, 2 u |dx|. */
  readonly gradientBound?: (which: number, gradient: number, index: number, dy: readonly number[]) => number;
}

export interface OpSpec {
  readonly cases: fc.Arbitrary<Case>;
  /** Calls that are refused, with the whole message. */
  readonly errors: readonly (readonly [call: () => unknown, message: string])[];
  /** Whether each row along the last axis is computed from that row of the first operand alone. */
  readonly rowwise?: boolean;
}

/** Unit roundoff of float32. */
export const u = 2 ** -24;

export const notATensor = (op: string): string =>
  `${op}: operand 0 must be a tensor, got 3; wrap it in tensor(…)`;
export const three = 3 as unknown as Tensor;
export const mixed: readonly [Tensor, Tensor] = [ones([2]), ones([2], { kernels: float64 })];
export const mixedMessage = (op: string): string =>
  `${op}: operands live in two kernel sets, float32 and float64; make both with the same`;

export const unary = (
  op: (x: Tensor) => Tensor,
  f: (x: number) => number,
  range: Range = ordinary,
  gradientBound?: (x: number, dy: number, gradient: number) => number,
): OpSpec => ({
  rowwise: true,
  cases: anyOperand(range).map((x) => ({
    operands: [x],
    call: op,
    shape: x.shape,
    expected: x.values.map(f),
    // 0.5001 ULP: the float64 value is within 2 of its own ULP before it is rounded.
    bound: (y) => 1.0002 * u * Math.abs(y),
    ...(gradientBound && {
      gradientBound: (_: number, gradient: number, i: number, dy: readonly number[]) =>
        gradientBound(x.values[i], dy[i], gradient),
    }),
  })),
  errors: [[() => op(three), notATensor(op.name)]],
});

export const binary = (
  op: (a: Tensor, b: Tensor) => Tensor,
  f: (a: number, b: number) => number,
  range: Range = ordinary,
): OpSpec => ({
  cases: broadcastPair.chain(([a, b, common]) =>
    fc.tuple(operand(a), operand(b, range)).map(([left, right]) => ({
      operands: [left, right],
      call: op,
      shape: common,
      expected: pairwise(f, common)(left, right),
      // A broadcast operand's gradient is first rounded entry by entry, then summed in float64 and rounded: the entries
      // are at most |dy| max(|f'|) ≤ 12, each rounded twice.
      gradientBound: (_, gradient) => 2 * u * Math.abs(gradient) + 2 * u * 12 * sizeOf(common),
    })),
  ),
  errors: [
    [() => op(three, three), notATensor(op.name)],
    [() => op(...mixed), mixedMessage(op.name)],
    [
      () => op(ones([2, 3]), ones([2])),
      `${op.name}: shapes [2, 3] and [2] do not broadcast: axis 1 is 3 and 2`,
    ],
  ],
});

export const rows = (range: Range = ordinary): fc.Arbitrary<Operand> =>
  fc
    .tuple(shape({ maxRank: 3 }), fc.integer({ min: 1, max: 5 }))
    .chain(([lead, cols]) => operand([...lead, cols], range));

/** `[rows, classes]` with at least one row. */
export const logits: fc.Arbitrary<Operand> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }))
  .chain(([r, c]) => operand([r, c]));

export const axesOf = (rank: number): fc.Arbitrary<number[] | undefined> =>
  fc.option(fc.subarray(Array.from({ length: rank }, (_, i) => i)), { nil: undefined });

export const empty = ones([0, 3]);

/** softmax'(x) applied to dy, where y was rounded: each y is off by u y, in three places. */
export const softmaxGradientBound =
  (x: Operand) =>
  (_: number, gradient: number, i: number, dy: readonly number[]): number => {
    const y = byRow(x, softmaxRow);
    const cols = x.shape[x.shape.length - 1];
    const start = i - (i % cols);
    let dot = 0;
    for (let j = start; j < start + cols; j++) dot += Math.abs(dy[j]) * y[j];
    return u * Math.abs(gradient) + 3 * u * y[i] * (Math.abs(dy[i]) + dot);
  };

export const lossErrors = (
  op: string,
  call: (a: Tensor, b: Tensor) => unknown,
  a: string,
  b: string,
): OpSpec["errors"] => [
  [() => call(three, three), notATensor(op)],
  [() => call(ones([2, 3]), ones([2])), `${op}: ${a} and ${b} must have the same shape, got [2, 3] and [2]`],
];

/** γ_n = n u / (1 − n u): the relative error of n roundings in a row. @see Higham (2002), §3.1 */
export function gamma(n: number, roundoff = u): number {
  return (n * roundoff) / (1 - n * roundoff);
}
