/** The table of ops: functions of one value. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import { RandomStream } from "../../../src/random.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { anyOperand, ordinary, type Range } from "../../support/arbitraries.ts";
import { notATensor, type OpSpec, type OpSpecs, three, u, unary } from "../spec.ts";

/** Values at least 50 steps away from the kink at 0. */
const kinked: Range = { ...ordinary, gap: 0.05 };

/** Away from the pole or the branch point at 0. */
const positive: Range = { min: 0.25, max: 8 };

/** An op with a setting, which is drawn too: one entry of `unary` for each value it may take. */
const set = <Setting>(
  values: readonly Setting[],
  entry: (setting: Setting) => OpSpec,
  errors: OpSpec["errors"],
): OpSpec => ({ rowwise: true, cases: fc.constantFrom(...values).chain((one) => entry(one).cases), errors });

/** The normal distribution ½ + φ(x) (x + x³/3 + x⁵/15 + x⁷/105 + …). */
function normalDistribution(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 3; Math.abs(term) > 1e-20; n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

const tanhForm = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

export const functions = {
  square: unary(ops.square, (x) => x * x),
  abs: unary(ops.abs, (x) => (x < 0 ? -x : x), kinked),
  sqrt: unary(ops.sqrt, Math.sqrt, positive),
  reciprocal: unary(ops.reciprocal, (x) => 1 / x, { ...ordinary, gap: 0.5 }),
  pow: set(
    [
      ...[0, 1, 2, 3, 5].map((exponent) => ({ exponent, range: ordinary })),
      ...[-1, -2].map((exponent) => ({ exponent, range: { ...ordinary, gap: 0.5 } })),
      ...[0.5, 1.5, -0.7, 2.3].map((exponent) => ({ exponent, range: positive })),
    ],
    ({ exponent, range }) =>
      unary(
        (x) => ops.pow(x, exponent),
        (x) => x ** exponent,
        range,
      ),
    [
      [() => ops.pow(three, 2), notATensor("pow")],
      [() => ops.pow(ones([2]), Number.NaN), "pow: exponent must be a finite number, got NaN"],
      [
        () => ops.pow(ones([2]), ones([2]) as unknown as number),
        "pow: exponent must be a finite number, got a Tensor",
      ],
    ],
  ),
  // y is saved rounded, off by u y: so is the derivative.
  exp: unary(ops.exp, Math.exp, ordinary, (_, __, gradient) => 2.001 * u * Math.abs(gradient)),
  log: unary(ops.log, Math.log, { min: 0.5, max: 8 }),
  tanh: unary(ops.tanh, Math.tanh),
  sigmoid: unary(ops.sigmoid, (x) => 1 / (1 + Math.exp(-x))),
  softplus: unary(ops.softplus, (x) => Math.log(1 + Math.exp(x))),
  relu: unary(ops.relu, (x) => Math.max(x, 0), kinked),
  leakyRelu: set(
    [0.01, 0.3, -0.5, 2],
    (slope) =>
      unary(
        (x) => ops.leakyRelu(x, { slope }),
        (x) => (x > 0 ? x : slope * x),
        kinked,
      ),
    [
      [() => ops.leakyRelu(three), notATensor("leakyRelu")],
      [
        () => ops.leakyRelu(ones([2]), { slope: Infinity }),
        "leakyRelu: slope must be a finite number, got Infinity",
      ],
      [
        () => ops.leakyRelu(ones([2]), { negativeSlope: 1 } as object),
        'leakyRelu: unknown option "negativeSlope"; possible are slope',
      ],
      [
        () => ops.leakyRelu(ones([2]), 0.1 as unknown as ops.LeakyReluOptions),
        "leakyRelu: expected { slope }, got 0.1",
      ],
    ],
  ),
  elu: set(
    [1, 0.5, 2, -0.25],
    (alpha) =>
      unary(
        (x) => ops.elu(x, { alpha }),
        (x) => (x > 0 ? x : alpha * (Math.exp(x) - 1)),
        kinked,
      ),
    [
      [() => ops.elu(three), notATensor("elu")],
      [
        () => ops.elu(ones([2]), { alpha: "1" as unknown as number }),
        'elu: alpha must be a finite number, got "1", a string',
      ],
      [() => ops.elu(ones([2]), { slope: 1 } as object), 'elu: unknown option "slope"; possible are alpha'],
    ],
  ),
  silu: unary(ops.silu, (x) => x / (1 + Math.exp(-x))),
  gelu: set(
    [
      { approximation: "none", textbook: (x: number) => x * normalDistribution(x) },
      { approximation: "tanh", textbook: tanhForm },
    ] as const,
    ({ approximation, textbook }) => unary((x) => ops.gelu(x, { approximation }), textbook),
    [
      [() => ops.gelu(three), notATensor("gelu")],
      [
        () => ops.gelu(ones([2]), { approximation: "erf" as "none" }),
        'gelu: approximation must be "none" or "tanh", got "erf", a string',
      ],
      [
        () => ops.gelu(ones([2]), { approximate: "tanh" } as object),
        'gelu: unknown option "approximate"; possible are approximation',
      ],
    ],
  ),
  clamp: {
    rowwise: true,
    cases: fc
      .tuple(fc.constantFrom(undefined, -1.5, -0.25), fc.constantFrom(undefined, 0.375, 2.25))
      .filter(([min, max]) => min !== undefined || max !== undefined)
      .chain(([min = -Infinity, max = Infinity]) =>
        anyOperand()
          // At least 50 steps away from the bounds.
          .filter(({ values }) => values.every((x) => Math.abs(x - min) > 0.05 && Math.abs(x - max) > 0.05))
          .map((x) => ({
            operands: [x],
            call: (t: Tensor) => ops.clamp(t, { min, max }),
            shape: x.shape,
            expected: x.values.map((v) => Math.min(Math.max(v, min), max)),
            bound: () => 0,
          })),
      ),
    errors: [
      [() => ops.clamp(three, { min: 0 }), notATensor("clamp")],
      [() => ops.clamp(ones([2]), {}), "clamp: expected min, max or both, got neither"],
      [() => ops.clamp(ones([2]), { min: Number.NaN }), "clamp: min must be a number, got NaN"],
      [
        () => ops.clamp(ones([2]), { min: 0, max: null as unknown as number }),
        "clamp: max must be a number, got null",
      ],
      [() => ops.clamp(ones([2]), { min: 2, max: 1 }), "clamp: min must not be above max, got 2 and 1"],
      [
        () => ops.clamp(ones([2]), { low: 0 } as object),
        'clamp: unknown option "low"; possible are min, max',
      ],
      [
        () => ops.clamp(ones([2]), undefined as unknown as ops.ClampOptions),
        "clamp: expected { min, max }, got undefined",
      ],
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
} satisfies OpSpecs;
