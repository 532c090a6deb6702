/** What several entries of the table of ops are built from. */
import fc from "fast-check";
import {
  type OpPoint,
  type OpSpec,
  logits as publishedLogits,
  unitRoundoff,
} from "../../src/check/fast-check/index.ts";
import { ones } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type * as ops from "../../src/ops/index.ts";
import { sizeOf } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import {
  anyOperand,
  broadcastPair,
  in64,
  type Operand,
  operand,
  ordinary,
  type Range,
  shape,
  valuesOf,
} from "../support/arbitraries.ts";
import { byRow, pairwise, softmaxRow } from "./reference.ts";

export { gamma, type OpSpec } from "../../src/check/fast-check/index.ts";

/** Whatever src/ops/index.ts exports as a function of tensors. `argmax` gives indices, which are no tensor. */
export type OpName = Exclude<keyof typeof ops, "argmax">;

/** A part of the table. */
export type OpSpecs = Partial<Record<OpName, OpSpec>>;

export type Errors = NonNullable<OpSpec["errors"]>;

/** Unit roundoff of float32. */
export const u = unitRoundoff;

export const notATensor = (op: string): string =>
  `${op}: operand 0 must be a tensor, got 3; wrap it in tensor(…)`;
export const three = 3 as unknown as Tensor;
export const mixed: readonly [Tensor, Tensor] = [ones([2]), ones([2], { kernels: float64 })];
export const mixedMessage = (op: string): string =>
  `${op}: operands live in two kernel sets, float32 and float64; make both with the same`;

/** A function of one value at a point: its value and its derivative there. */
export const point = (
  call: (x: Tensor) => Tensor,
  x: number,
  value: number,
  gradient: number,
  setting = "",
): OpPoint => ({
  at: `${setting}${Object.is(x, -0) ? "−0" : x}`,
  operands: [x],
  call,
  value,
  gradients: [gradient],
});

/** A pole at which no gradient arrives, so that none leaves. */
export const quietPole = (call: (x: Tensor) => Tensor, setting = ""): OpPoint => ({
  at: `${setting}0 and −0 where nothing arrives`,
  operands: [[0, -0]],
  call,
  gradients: [[0, 0]],
  cotangent: [0, 0],
});

export const unary = (
  op: (x: Tensor) => Tensor,
  f: (x: number) => number,
  range: Range = ordinary,
  gradientBound?: (x: number, dy: number, gradient: number) => number,
): OpSpec => ({
  rowAxes: 1,
  samples: anyOperand(range).map((x) => ({
    operands: [in64(x)],
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
  samples: broadcastPair.chain(([a, b, common]) =>
    fc.tuple(operand(a), operand(b, range)).map(([left, right]) => ({
      operands: [left, right].map(in64),
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
export const logits: fc.Arbitrary<Operand> = publishedLogits({ kernels: float64 }).map(valuesOf);

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
): Errors => [
  [() => call(three, three), notATensor(op)],
  [() => call(ones([2, 3]), ones([2])), `${op}: ${a} and ${b} must have the same shape, got [2, 3] and [2]`],
];
