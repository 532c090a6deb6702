/**
 * The table of ops. Every export of src/ops/index.ts must have an entry, or this file does not compile; from each entry
 * the tests beside it are made: value, gradient, both precisions, laws of all ops, errors.
 */
import fc from "fast-check";
import { ones, tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import * as ops from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
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
  size,
  thinned,
} from "../support/arbitraries.ts";
import { broadcastIndex, byRow, logSumExpRow, pairwise, product, softmaxRow, sumOver } from "./reference.ts";

export type OpName = keyof typeof ops;

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

const notATensor = (op: string): string => `${op}: operand 0 must be a tensor, got 3; wrap it in tensor(…)`;
const three = 3 as unknown as Tensor;
const mixed: readonly [Tensor, Tensor] = [ones([2]), ones([2], { kernels: float64 })];
const mixedMessage = (op: string): string =>
  `${op}: operands live in two kernel sets, float32 and float64; make both with the same`;

const unary = (
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

const binary = (
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

const rows = (range: Range = ordinary): fc.Arbitrary<Operand> =>
  fc
    .tuple(shape({ maxRank: 3 }), fc.integer({ min: 1, max: 5 }))
    .chain(([lead, cols]) => operand([...lead, cols], range));

/** `[rows, classes]` with at least one row. */
const logits: fc.Arbitrary<Operand> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }))
  .chain(([r, c]) => operand([r, c]));

const axesOf = (rank: number): fc.Arbitrary<number[] | undefined> =>
  fc.option(fc.subarray(Array.from({ length: rank }, (_, i) => i)), { nil: undefined });

const empty = ones([0, 3]);

/** softmax'(x) applied to dy, where y was rounded: each y is off by u y, in three places. */
const softmaxGradientBound =
  (x: Operand) =>
  (_: number, gradient: number, i: number, dy: readonly number[]): number => {
    const y = byRow(x, softmaxRow);
    const cols = x.shape[x.shape.length - 1];
    const start = i - (i % cols);
    let dot = 0;
    for (let j = start; j < start + cols; j++) dot += Math.abs(dy[j]) * y[j];
    return u * Math.abs(gradient) + 3 * u * y[i] * (Math.abs(dy[i]) + dot);
  };

const reduction = (
  op: typeof ops.sum,
  minSize: number,
  finish: (sum: number, count: number) => number,
): OpSpec["cases"] =>
  shape({ minSize }).chain((drawn) =>
    fc
      .tuple(operand(drawn), axesOf(drawn.length), fc.boolean(), fc.boolean())
      .map(([x, axes, keepAxes, negative]) => {
        const reduced = axes ?? drawn.map((_, axis) => axis);
        const kept = drawn.map((length, axis) => (reduced.includes(axis) ? 1 : length));
        const count = sizeOf(reduced.map((axis) => drawn[axis]));
        const given = negative ? axes?.map((axis) => axis - drawn.length) : axes;
        return {
          operands: [x],
          call: (t: Tensor) => op(t, given, { keepAxes }),
          shape: keepAxes ? kept : drawn.filter((_, axis) => !reduced.includes(axis)),
          expected: sumOver(x, kept).map((sum) => finish(sum, count)),
        };
      }),
  );

const lossErrors = (
  op: string,
  call: (a: Tensor, b: Tensor) => unknown,
  a: string,
  b: string,
): OpSpec["errors"] => [
  [() => call(three, three), notATensor(op)],
  [() => call(ones([2, 3]), ones([2])), `${op}: ${a} and ${b} must have the same shape, got [2, 3] and [2]`],
];

export const specs: Record<OpName, OpSpec> = {
  add: binary(ops.add, (a, b) => a + b),
  sub: binary(ops.sub, (a, b) => a - b),
  mul: binary(ops.mul, (a, b) => a * b),
  div: binary(ops.div, (a, b) => a / b, { ...ordinary, gap: 0.5 }),
  neg: unary(ops.neg, (x) => -x),
  scale: {
    rowwise: true,
    cases: fc.tuple(anyOperand(), fc.integer({ min: -64, max: 64 })).map(([x, n]) => ({
      operands: [x],
      call: (t: Tensor) => ops.scale(t, n / 8),
      shape: x.shape,
      expected: x.values.map((v) => (v * n) / 8),
    })),
    errors: [
      [() => ops.scale(three, 1), notATensor("scale")],
      [
        () => ops.scale(ones([2]), ones([2]) as unknown as number),
        "scale: factor must be a number, got object; use mul for two tensors",
      ],
    ],
  },
  // y is saved rounded, off by u y: so is the derivative.
  exp: unary(ops.exp, Math.exp, ordinary, (_, __, gradient) => 2.001 * u * Math.abs(gradient)),
  log: unary(ops.log, Math.log, { min: 0.5, max: 8 }),
  tanh: unary(ops.tanh, Math.tanh),
  sigmoid: unary(ops.sigmoid, (x) => 1 / (1 + Math.exp(-x))),
  relu: unary(ops.relu, (x) => Math.max(x, 0), { ...ordinary, gap: 0.05 }),
  broadcastTo: {
    cases: shape().chain((large) =>
      thinned(large)
        .chain((small) => operand(small))
        .map((x) => ({
          operands: [x],
          call: (t: Tensor) => ops.broadcastTo(t, large),
          shape: large,
          expected: Array.from(
            { length: sizeOf(large) },
            (_, i) => x.values[broadcastIndex(i, large, x.shape)],
          ),
        })),
    ),
    errors: [
      [() => ops.broadcastTo(three, [2]), notATensor("broadcastTo")],
      [() => ops.broadcastTo(ones([2, 3]), [3]), "broadcastTo: shape [2, 3] does not broadcast to [3]"],
      [() => ops.broadcastTo(ones([2]), [1]), "broadcastTo: shape [2] does not broadcast to [1]"],
      [
        () => ops.broadcastTo(ones([2]), [3]),
        "broadcastTo: shapes [2] and [3] do not broadcast: axis 0 is 2 and 3",
      ],
      [
        () => ops.broadcastTo(ones([1]), [1.5]),
        "broadcastTo: sizes are whole numbers of at least 0, got [1.5]",
      ],
    ],
  },
  sumTo: {
    cases: shape().chain((large) =>
      fc.tuple(operand(large), thinned(large)).map(([x, small]) => ({
        operands: [x],
        call: (t: Tensor) => ops.sumTo(t, small),
        shape: small,
        expected: sumOver(x, small),
      })),
    ),
    errors: [
      [() => ops.sumTo(three, [2]), notATensor("sumTo")],
      [() => ops.sumTo(ones([3]), [2, 3]), "sumTo: shape [2, 3] does not broadcast to [3]"],
    ],
  },
  sum: {
    cases: reduction(ops.sum, 0, (sum) => sum),
    errors: [
      [() => ops.sum(three), notATensor("sum")],
      [() => ops.sum(ones([2, 3]), 2), "sum: axis 2 is outside [2, 3], which has 2 axes"],
      [() => ops.sum(ones([2, 3]), [0, -2]), "sum: an axis is named twice in [0, -2]"],
      [() => ops.sum(ones([2, 3]), 0.5), "sum: axis 0.5 is outside [2, 3], which has 2 axes"],
    ],
  },
  mean: {
    cases: reduction(ops.mean, 1, (sum, count) => sum / count),
    errors: [
      [() => ops.mean(three), notATensor("mean")],
      [() => ops.mean(empty, 0), "mean: nothing to average in [0, 3] over axes [0]"],
      [() => ops.mean(ones([2]), 1), "mean: axis 1 is outside [2], which has 1 axes"],
    ],
  },
  reshape: {
    cases: fc
      .tuple(shape(), fc.boolean())
      .chain(([from, inferred]) =>
        fc.tuple(operand(from), fc.shuffledSubarray(from, { minLength: from.length }), fc.constant(inferred)),
      )
      .map(([x, to, inferred]) => ({
        operands: [x],
        call: (t: Tensor) =>
          ops.reshape(
            t,
            inferred && to.length > 0 && sizeOf(to) > 0 ? to.map((d, i) => (i === 0 ? -1 : d)) : to,
          ),
        shape: to,
        expected: x.values,
      })),
    errors: [
      [() => ops.reshape(three, [2]), notATensor("reshape")],
      [() => ops.reshape(ones([2, 3]), [4]), "reshape: [2, 3] holds 6 values and [4] does not"],
      [() => ops.reshape(ones([2, 3]), [4, -1]), "reshape: [2, 3] holds 6 values and [4, -1] does not"],
      [
        () => ops.reshape(ones([2]), [-1, -1]),
        "reshape: sizes are whole numbers of at least 0, got [-1, -1]",
      ],
    ],
  },
  transpose: {
    cases: fc
      .tuple(shape({ maxRank: 2 }), size(), size())
      .chain(([lead, r, c]) => operand([...lead, r, c]))
      .map((x) => {
        const [r, c] = x.shape.slice(-2);
        return {
          operands: [x],
          call: ops.transpose,
          shape: [...x.shape.slice(0, -2), c, r],
          expected: x.values.map((_, i) => {
            const start = i - (i % (r * c));
            return x.values[start + (i % r) * c + Math.floor((i - start) / r)];
          }),
        };
      }),
    errors: [
      [() => ops.transpose(three), notATensor("transpose")],
      [() => ops.transpose(ones([2])), "transpose: expected at least two axes, got [2]"],
    ],
  },
  matmul: {
    rowwise: true,
    cases: fc
      .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }))
      .chain(([m, k, n]) => fc.tuple(operand([m, k]), operand([k, n])))
      .map(([a, b]) => {
        const [k, m, n] = [a.shape[1], a.shape[0], b.shape[1]];
        return {
          operands: [a, b],
          call: ops.matmul,
          shape: [m, n],
          expected: product(a, b),
          // γ_{2k} Σ |a||b|, with |a|, |b| ≤ 3; the gradients sum over n and m.
          bound: () => gamma(2 * k) * 9 * k,
          gradientBound: (which) => (which === 0 ? gamma(2 * n) * 3 * n : gamma(2 * m) * 3 * m),
        };
      }),
    errors: [
      [() => ops.matmul(three, three), notATensor("matmul")],
      [() => ops.matmul(...mixed), mixedMessage("matmul")],
      [
        () => ops.matmul(ones([2, 3]), ones([2, 3])),
        "matmul: expected a [m, k] and b [k, n], got a [2, 3] and b [2, 3]",
      ],
      [
        () => ops.matmul(ones([3]), ones([3, 2])),
        "matmul: expected a [m, k] and b [k, n], got a [3] and b [3, 2]",
      ],
    ],
  },
  linear: {
    rowwise: true,
    cases: fc
      .tuple(
        shape({ maxRank: 2 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
      )
      .chain(([lead, inputs, outputs, withBias]) =>
        fc.tuple(
          operand([...lead, inputs]),
          operand([outputs, inputs]),
          withBias ? fc.tuple(operand([outputs])) : fc.constant([]),
        ),
      )
      .map(([x, weight, bias]) => {
        const inputs = weight.shape[1];
        const outputs = weight.shape[0];
        const lead = x.shape.slice(0, -1);
        return {
          operands: [x, weight, ...bias],
          call: ops.linear as (...operands: Tensor[]) => Tensor,
          shape: [...lead, outputs],
          expected: byRow(x, (row) =>
            Array.from({ length: outputs }, (_, o) =>
              row.reduce((sum, v, i) => sum + v * weight.values[o * inputs + i], bias[0]?.values[o] ?? 0),
            ),
          ),
          bound: () => gamma(2 * inputs + 1) * (9 * inputs + 3),
          gradientBound: (which, gradient) => {
            const terms = which === 0 ? outputs : sizeOf(lead);
            return which === 2 ? u * Math.abs(gradient) : gamma(2 * terms) * 3 * terms;
          },
        };
      }),
    errors: [
      [() => ops.linear(three, three), notATensor("linear")],
      [
        () => ops.linear(ones([2, 3]), ones([2, 4])),
        "linear: expected x [rows, in] and weight [out, in], got x [2, 3] and weight [2, 4]",
      ],
      [
        () => ops.linear(ones([2, 3]), ones([4, 3]), ones([3])),
        "linear: expected bias [out] for weight [4, 3], got [3]",
      ],
      [() => ops.linear(ones([2, 3]), ones([4, 3]), ones([4], { kernels: float64 })), mixedMessage("linear")],
    ],
  },
  softmax: {
    rowwise: true,
    cases: rows().map((x) => ({
      operands: [x],
      call: ops.softmax,
      shape: x.shape,
      expected: byRow(x, softmaxRow),
      bound: (y) => 1.0002 * u * y,
      gradientBound: softmaxGradientBound(x),
    })),
    errors: [
      [() => ops.softmax(three), notATensor("softmax")],
      [() => ops.softmax(ones([])), "softmax: expected a last axis with at least one entry, got []"],
      [() => ops.softmax(ones([2, 0])), "softmax: expected a last axis with at least one entry, got [2, 0]"],
    ],
  },
  logSoftmax: {
    rowwise: true,
    cases: rows().map((x) => ({
      operands: [x],
      call: ops.logSoftmax,
      shape: x.shape,
      expected: byRow(x, (row) => row.map((v) => v - logSumExpRow(row))),
      bound: (y) => 1.0002 * u * Math.abs(y) + 1e-15,
      // exp(y) with y off by u |y| is off by u |y| exp(y) ≤ u/e.
      gradientBound: (_, gradient, i, dy) => {
        const cols = x.shape[x.shape.length - 1];
        const start = i - (i % cols);
        const total = dy.slice(start, start + cols).reduce((sum, v) => sum + Math.abs(v), 0);
        return 1.0002 * u * Math.abs(gradient) + (u / Math.E) * total + 1e-15;
      },
    })),
    errors: [
      [() => ops.logSoftmax(three), notATensor("logSoftmax")],
      [() => ops.logSoftmax(ones([])), "logSoftmax: expected a last axis with at least one entry, got []"],
    ],
  },
  logSumExp: {
    rowwise: true,
    cases: rows().map((x) => ({
      operands: [x],
      call: ops.logSumExp,
      shape: x.shape.slice(0, -1),
      expected: byRow(x, (row) => [logSumExpRow(row)]),
      bound: (y) => 1.0002 * u * Math.abs(y) + 1e-15,
    })),
    errors: [
      [() => ops.logSumExp(three), notATensor("logSumExp")],
      [() => ops.logSumExp(ones([])), "logSumExp: expected a last axis with at least one entry, got []"],
    ],
  },
  klDiv: {
    cases: logits
      .chain((x) => fc.tuple(fc.constant(x), operand(x.shape, { min: -1, max: 1 })))
      .map(([x, v]) => {
        const rowCount = x.shape[0];
        // Rounded, so that both precisions read the same numbers.
        const logProbs = {
          shape: x.shape,
          values: byRow(x, (row) => row.map((z) => Math.fround(z - logSumExpRow(row)))),
        };
        const targetProbs = { shape: v.shape, values: byRow(v, softmaxRow).map(Math.fround) };
        const terms = targetProbs.values.map((q, i) => q * (Math.log(q) - logProbs.values[i]));
        const total = terms.reduce((sum, term) => sum + term, 0);
        return {
          operands: [logProbs, targetProbs],
          call: ops.klDiv,
          // q ≥ 0.03 has the fifth derivative 6/q⁴ ≤ 7e6 in q log q; h⁴/30 of it must stay below 1e-9.
          step: 1e-4,
          shape: [],
          expected: [total / rowCount],
          bound: (y) => 1.0002 * u * Math.abs(y) + 1e-14,
          gradientBound: (_, gradient) => 2 * u * Math.abs(gradient) + 1e-14,
        };
      }),
    errors: [
      ...lossErrors("klDiv", (a, b) => ops.klDiv(a, b), "logProbs", "targetProbs"),
      [
        () => ops.klDiv(ones([0, 3]), ones([0, 3])),
        "klDiv: expected logProbs [rows, classes] with at least one row, got [0, 3]",
      ],
      [
        () => ops.klDiv(tensor([[-1, -1]]), tensor([[3, 1]])),
        "klDiv: targetProbs must sum to 1 in every row, got 4 in row 0; are these logits? Apply softmax first",
      ],
      [
        () => ops.klDiv(tensor([[-1, -1]]), tensor([[2, -1]])),
        "klDiv: targetProbs are probabilities, got -1 in row 0; are these logits? Apply softmax first",
      ],
      [
        () => ops.klDiv(tensor([[0, 0]]), tensor([[0.5, 0.5]])),
        "klDiv: logProbs must be logarithms of probabilities, got a row 0 whose exponentials sum to 2; are these logits? Apply logSoftmax first",
      ],
    ],
  },
  softTargetLoss: {
    cases: fc
      .tuple(logits, fc.constantFrom(0.5, 1, 2, 4, 20))
      .chain(([z, temperature]) => fc.tuple(fc.constant(z), operand(z.shape), fc.constant(temperature)))
      .map(([z, v, temperature]) => {
        const soften = (x: Operand): number[] =>
          byRow(x, (row) => softmaxRow(row.map((value) => value / temperature)));
        const [p, q] = [soften(z), soften(v)];
        const kl = q.reduce((sum, value, i) => sum + value * (Math.log(value) - Math.log(p[i])), 0);
        return {
          operands: [z, v],
          call: (a: Tensor, b: Tensor) => ops.softTargetLoss(a, b, { temperature }),
          shape: [],
          expected: [(temperature ** 2 * kl) / z.shape[0]],
          bound: (y) => 1.0002 * u * y,
          gradientBound: (_, gradient) => 2 * u * Math.abs(gradient),
        };
      }),
    errors: [
      ...lossErrors(
        "softTargetLoss",
        (a, b) => ops.softTargetLoss(a, b, { temperature: 4 }),
        "studentLogits",
        "teacherLogits",
      ),
      [
        () => ops.softTargetLoss(ones([3]), ones([3]), { temperature: 4 }),
        "softTargetLoss: expected studentLogits [rows, classes] with at least one row, got [3]",
      ],
      ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map(
        (temperature) =>
          [
            () => ops.softTargetLoss(ones([2, 3]), ones([2, 3]), { temperature }),
            `softTargetLoss: temperature must be a finite number above 0, got ${temperature}`,
          ] as const,
      ),
      ...[1e-9, 1e9].map(
        (temperature) =>
          [
            () => ops.softTargetLoss(ones([2, 3]), ones([2, 3]), { temperature }),
            `softTargetLoss: temperature must be a number from 1e-8 to 1e8, got ${temperature}`,
          ] as const,
      ),
      [
        () => ops.softTargetLoss(ones([2, 3]), ones([2, 3]), undefined as unknown as ops.SoftTargetOptions),
        "softTargetLoss: temperature must be a finite number above 0, got undefined",
      ],
    ],
  },
  crossEntropy: {
    cases: logits
      .chain((z) =>
        fc.tuple(
          fc.constant(z),
          fc.array(fc.integer({ min: 0, max: z.shape[1] - 1 }), {
            minLength: z.shape[0],
            maxLength: z.shape[0],
          }),
          operand(z.shape, { min: -1, max: 1 }),
          fc.constantFrom(0, 0.125, 0.5),
          fc.constantFrom<"labels" | "ignoring" | "soft">("labels", "ignoring", "soft"),
        ),
      )
      .map(([z, labels, v, labelSmoothing, kind]) => {
        const [rowCount, classes] = z.shape;
        const soft = { shape: v.shape, values: byRow(v, softmaxRow).map(Math.fround) };
        const ignored = kind === "ignoring" ? labels[0] : undefined;
        const q = z.values.map((_, i) => {
          const hard = labels[Math.floor(i / classes)] === i % classes ? 1 : 0;
          return labelSmoothing / classes + (1 - labelSmoothing) * (kind === "soft" ? soft.values[i] : hard);
        });
        const logProbs = byRow(z, (row) => row.map((x) => x - logSumExpRow(row)));
        let total = 0;
        let count = 0;
        for (let r = 0; r < rowCount; r++) {
          if (labels[r] === ignored) continue;
          count++;
          for (let i = r * classes; i < (r + 1) * classes; i++) total -= q[i] * logProbs[i];
        }
        const options = { labelSmoothing, ...(ignored !== undefined && { ignoredLabel: ignored }) };
        return {
          operands: kind === "soft" ? [z, soft] : [z],
          call: (a: Tensor, b?: Tensor) => ops.crossEntropy(a, b ?? labels, options),
          shape: [],
          expected: [count === 0 ? 0 : total / count],
          bound: (y) => 1.0002 * u * y + 1e-15,
          gradientBound: (_, gradient) => 2 * u * Math.abs(gradient) + 1e-15,
        };
      }),
    errors: [
      [() => ops.crossEntropy(three, [0]), notATensor("crossEntropy")],
      [() => ops.crossEntropy(ones([2, 3]), [0, 3]), "crossEntropy: label 3 at row 1 is outside [0, 3)"],
      [() => ops.crossEntropy(ones([2, 3]), [0, -1]), "crossEntropy: label -1 at row 1 is outside [0, 3)"],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, 1.5]),
        "crossEntropy: labels are whole numbers, got 1.5 at row 1",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, Number.NaN]),
        "crossEntropy: labels are whole numbers, got NaN at row 1",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, 1, 2]),
        "crossEntropy: expected one label for each of 2 rows, got 3",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, 1, 0, 0, 0, 1]),
        "crossEntropy: expected one label for each of 2 rows, got 6; these look one-hot: pass the index of each row's class",
      ],
      [
        () => ops.crossEntropy(ones([0, 3]), []),
        "crossEntropy: expected logits [rows, classes] with at least one row, got [0, 3]",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), tensor([0, 1])),
        "crossEntropy: expected labels as an array or target probabilities [2, 3], got a tensor [2]; pass its data",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), ones([2, 3])),
        "crossEntropy: targetProbs must sum to 1 in every row, got 3 in row 0; are these logits? Apply softmax first",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), ones([3, 2])),
        "crossEntropy: logits and targetProbs must have the same shape, got [2, 3] and [3, 2]",
      ],
      [
        () => ops.crossEntropy(ones([2, 3]), [0, 1], { labelSmoothing: 1 }),
        "crossEntropy: labelSmoothing must be in [0, 1), got 1",
      ],
    ],
  },
  mse: {
    cases: shape({ minSize: 1 })
      .chain((drawn) => fc.tuple(operand(drawn), operand(drawn)))
      .map(([a, b]) => ({
        operands: [a, b],
        call: ops.mse,
        shape: [],
        expected: [a.values.reduce((sum, x, i) => sum + (x - b.values[i]) ** 2, 0) / a.values.length],
      })),
    errors: [
      ...lossErrors("mse", ops.mse, "prediction", "target"),
      [
        () => ops.mse(ones([32]), ones([32, 1])),
        "mse: prediction and target must have the same shape, got [32] and [32, 1]",
      ],
      [() => ops.mse(empty, empty), "mse: expected at least one value, got [0, 3]"],
    ],
  },
  dropout: {
    cases: fc
      .tuple(anyOperand(), fc.constantFrom(0, 0.5, 0.75), fc.integer({ min: 0, max: 99 }))
      .map(([x, probability, seed]) => {
        const draws = new RandomStream(seed, "dropout");
        return {
          operands: [x],
          call: (t: Tensor) => ops.dropout(t, { probability, random: new RandomStream(seed, "dropout") }),
          shape: x.shape,
          expected: x.values.map((v) => (draws.uniform() < probability ? 0 : v / (1 - probability))),
        };
      }),
    errors: [
      [() => ops.dropout(three, { probability: 0.5, random: new RandomStream(1) }), notATensor("dropout")],
      [
        () => ops.dropout(ones([2]), { probability: 1, random: new RandomStream(1) }),
        "dropout: probability must be in [0, 1), got 1",
      ],
      [
        () => ops.dropout(ones([2]), { probability: Number.NaN, random: new RandomStream(1) }),
        "dropout: probability must be in [0, 1), got NaN",
      ],
    ],
  },
};

/** γ_n = n u / (1 − n u): the relative error of n roundings in a row. @see Higham (2002), §3.1 */
export function gamma(n: number): number {
  return (n * u) / (1 - n * u);
}
