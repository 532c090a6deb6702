/** The table of ops: functions of one value. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import { RandomStream } from "../../../src/random.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { anyOperand, in64, ordinary, type Range } from "../../support/arbitraries.ts";
import { notATensor, type OpSpec, type OpSpecs, point, quietPole, three, u, unary } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

/** Values at least 50 steps away from the kink at 0. */
const kinked: Range = { ...ordinary, gap: 0.05 };

/** Away from the pole or the branch point at 0. */
const positive: Range = { min: 0.25, max: 8 };

/** An op with a setting, which is drawn too: one entry of `unary` for each value it may take. */
const set = <Setting>(values: readonly Setting[], entry: (setting: Setting) => OpSpec) => ({
  rowAxes: 1,
  samples: fc.constantFrom(...values).chain((one) => entry(one).samples),
});

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

const raised =
  (exponent: number) =>
  (x: Tensor): Tensor =>
    ops.pow(x, exponent);
const leaky =
  (slope = 0.01) =>
  (x: Tensor): Tensor =>
    ops.leakyRelu(x, { slope });
const elu =
  (alpha = 1) =>
  (x: Tensor): Tensor =>
    ops.elu(x, { alpha });
const clamped =
  (bounds: ops.ClampOptions) =>
  (x: Tensor): Tensor =>
    ops.clamp(x, bounds);
const tanhGelu = (x: Tensor): Tensor => ops.gelu(x, { approximation: "tanh" });

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
  square: {
    ...unary(ops.square, (x) => x * x),
    domain: [point(ops.square, -infinity, infinity, -infinity)],
    golden: pytorch("square", () => (x) => ops.square(ops.clamp(x, { min: -1000, max: 1000 }))),
  },
  abs: {
    ...unary(ops.abs, (x) => (x < 0 ? -x : x), kinked),
    domain: [point(ops.abs, -infinity, infinity, -1), point(ops.abs, none, none, none)],
    kinks: [point(ops.abs, 0, 0, 0), point(ops.abs, -0, 0, 0)],
    golden: pytorch("abs", () => ops.abs),
  },
  sqrt: {
    ...unary(ops.sqrt, Math.sqrt, positive),
    domain: [
      point(ops.sqrt, 0, 0, infinity),
      point(ops.sqrt, -0, -0, infinity),
      point(ops.sqrt, infinity, infinity, 0),
      point(ops.sqrt, -1, none, none),
      quietPole(ops.sqrt),
    ],
    golden: pytorch("sqrt", () => ops.sqrt),
  },
  reciprocal: {
    ...unary(ops.reciprocal, (x) => 1 / x, { ...ordinary, gap: 0.5 }),
    domain: [
      point(ops.reciprocal, 0, infinity, -infinity),
      point(ops.reciprocal, -0, -infinity, -infinity),
      point(ops.reciprocal, infinity, 0, 0),
      point(ops.reciprocal, -infinity, -0, 0),
      quietPole(ops.reciprocal),
    ],
    golden: pytorch("reciprocal", () => ops.reciprocal),
  },
  pow: {
    ...set(
      [
        ...[0, 1, 2, 3, 5].map((exponent) => ({ exponent, range: ordinary })),
        ...[-1, -2].map((exponent) => ({ exponent, range: { ...ordinary, gap: 0.5 } })),
        ...[0.5, 1.5, -0.7, 2.3].map((exponent) => ({ exponent, range: positive })),
      ],
      ({ exponent, range }) => unary(raised(exponent), (x) => x ** exponent, range),
    ),
    domain: [
      point(raised(2), 0, 0, 0, "p = 2, "),
      point(raised(1), 0, 0, 1, "p = 1, "),
      point(raised(0), 0, 1, 0, "p = 0, "),
      point(raised(0), infinity, 1, 0, "p = 0, "),
      point(raised(0), none, 1, 0, "p = 0, "),
      point(raised(3), -2, -8, 12, "p = 3, "),
      point(raised(1.5), 0, 0, 0, "p = 3/2, "),
      point(raised(1.5), -1, none, none, "p = 3/2, "),
      point(raised(0.5), 0, 0, infinity, "p = 1/2, "),
      point(raised(-1), 0, infinity, -infinity, "p = −1, "),
      point(raised(-1), -0, -infinity, -infinity, "p = −1, "),
      point(raised(-1), -infinity, -0, 0, "p = −1, "),
      quietPole(raised(0.5), "p = 1/2, "),
      quietPole(raised(-1), "p = −1, "),
    ],
    errors: [
      [() => ops.pow(three, 2), notATensor("pow")],
      [() => ops.pow(ones([2]), Number.NaN), "pow: exponent must be a finite number, got NaN"],
      [
        () => ops.pow(ones([2]), ones([2]) as unknown as number),
        "pow: exponent must be a finite number, got a Tensor",
      ],
    ],
  },
  exp: {
    // y is saved rounded, off by u y: so is the derivative.
    ...unary(ops.exp, Math.exp, ordinary, (_, __, gradient) => 2.001 * u * Math.abs(gradient)),
    domain: [
      point(ops.exp, 0, 1, 1),
      point(ops.exp, -infinity, 0, 0),
      point(ops.exp, infinity, infinity, infinity),
      point(ops.exp, 89, infinity, infinity),
    ],
    golden: pytorch("exp", () => (x) => ops.exp(ops.clamp(x, { min: -80, max: 80 }))),
  },
  log: {
    ...unary(ops.log, Math.log, { min: 0.5, max: 8 }),
    domain: [
      point(ops.log, 0, -infinity, infinity),
      point(ops.log, 1, 0, 1),
      point(ops.log, -1, none, -1),
      point(ops.log, infinity, infinity, 0),
      quietPole(ops.log),
    ],
    golden: pytorch("log", () => ops.log),
  },
  tanh: {
    ...unary(ops.tanh, Math.tanh),
    domain: [
      point(ops.tanh, -0, -0, 1),
      point(ops.tanh, infinity, 1, 0),
      point(ops.tanh, -infinity, -1, 0),
      // 1 − y² of the rounded y = 1 would be 0: 4 e^−24 / (1 + e^−24)².
      point(ops.tanh, 12, 1, 1.510053817597626e-10),
    ],
    golden: pytorch("tanh", () => ops.tanh),
  },
  sigmoid: {
    ...unary(ops.sigmoid, (x) => 1 / (1 + Math.exp(-x))),
    domain: [
      point(ops.sigmoid, 0, 0.5, 0.25),
      point(ops.sigmoid, infinity, 1, 0),
      point(ops.sigmoid, -infinity, 0, 0),
      point(ops.sigmoid, -1000, 0, 0),
      // y (1 − y) of the rounded y = 1 would be 0: e^−20 / (1 + e^−20)².
      point(ops.sigmoid, 20, 1, 2.061153613941849e-9),
    ],
    golden: pytorch("sigmoid", () => ops.sigmoid),
  },
  softplus: {
    ...unary(ops.softplus, (x) => Math.log(1 + Math.exp(x))),
    domain: [
      point(ops.softplus, -infinity, 0, 0),
      point(ops.softplus, infinity, infinity, 1),
      point(ops.softplus, 1000, 1000, 1),
    ],
    golden: pytorch("softplus", () => ops.softplus),
  },
  relu: {
    ...unary(ops.relu, (x) => Math.max(x, 0), kinked),
    domain: [
      point(ops.relu, none, none, 1),
      point(ops.relu, infinity, infinity, 1),
      point(ops.relu, -infinity, 0, 0),
    ],
    kinks: [point(ops.relu, 0, 0, 0), point(ops.relu, -0, 0, 0)],
    golden: pytorch("relu", () => ops.relu),
  },
  leakyRelu: {
    ...set([0.01, 0.3, -0.5, 2], (slope) => unary(leaky(slope), (x) => (x > 0 ? x : slope * x), kinked)),
    domain: [
      point(leaky(0.5), -infinity, -infinity, 0.5, "slope 1/2, "),
      point(leaky(0.5), infinity, infinity, 1, "slope 1/2, "),
      point(leaky(0), -infinity, 0, 0, "slope 0, "),
      point((x) => ops.leakyRelu(x), -1, -0.01, 0.01, "no slope given, "),
    ],
    kinks: [
      point(leaky(0.5), 0, 0, 0.5, "slope 1/2, "),
      point(leaky(0.5), -0, -0, 0.5, "slope 1/2, "),
      point(leaky(0), 0, 0, 0, "slope 0, "),
    ],
    golden: pytorch("leaky_relu", () => (x) => ops.leakyRelu(x)),
    errors: [
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
  },
  elu: {
    ...set([1, 0.5, 2, -0.25], (alpha) =>
      unary(elu(alpha), (x) => (x > 0 ? x : alpha * (Math.exp(x) - 1)), kinked),
    ),
    domain: [
      point(elu(2), -infinity, -2, 0, "α = 2, "),
      point(elu(), infinity, infinity, 1),
      point(elu(), none, none, none),
    ],
    kinks: [point(elu(), 0, 0, 1), point(elu(2), 0, 0, 2, "α = 2, "), point(elu(2), -0, -0, 2, "α = 2, ")],
    golden: pytorch("elu", () => (x) => ops.elu(x)),
    errors: [
      [() => ops.elu(three), notATensor("elu")],
      [
        () => ops.elu(ones([2]), { alpha: "1" as unknown as number }),
        'elu: alpha must be a finite number, got "1", a string',
      ],
      [() => ops.elu(ones([2]), { slope: 1 } as object), 'elu: unknown option "slope"; possible are alpha'],
    ],
  },
  silu: {
    ...unary(ops.silu, (x) => x / (1 + Math.exp(-x))),
    domain: [
      point(ops.silu, 0, 0, 0.5),
      point(ops.silu, -infinity, 0, 0),
      point(ops.silu, -1000, 0, 0),
      point(ops.silu, infinity, infinity, 1),
    ],
    golden: pytorch("silu", () => ops.silu),
  },
  gelu: {
    ...set(
      [
        { op: ops.gelu, textbook: (x: number) => x * normalDistribution(x) },
        { op: tanhGelu, textbook: tanhForm },
      ],
      ({ op, textbook }) => unary((x) => op(x), textbook),
    ),
    domain: [ops.gelu, tanhGelu].flatMap((op, i) => {
      const form = i === 0 ? "" : "by tanh, ";
      return [
        point((x) => op(x), 0, 0, 0.5, form),
        point((x) => op(x), -infinity, 0, 0, form),
        point((x) => op(x), -1e30, 0, 0, form),
        point((x) => op(x), infinity, infinity, 1, form),
      ];
    }),
    golden: [...pytorch("gelu", () => (x) => ops.gelu(x)), ...pytorch("gelu_tanh", () => tanhGelu)],
    errors: [
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
  },
  clamp: {
    rowAxes: 1,
    samples: fc
      .tuple(fc.constantFrom(undefined, -1.5, -0.25), fc.constantFrom(undefined, 0.375, 2.25))
      .filter(([min, max]) => min !== undefined || max !== undefined)
      .chain(([min = -Infinity, max = Infinity]) =>
        // At least 50 steps away from the bounds.
        anyOperand({ gap: 0.05, kinks: [min, max].filter(Number.isFinite) }).map((x) => ({
          operands: [in64(x)],
          call: (t: Tensor) => ops.clamp(t, { min, max }),
          shape: x.shape,
          expected: x.values.map((v) => Math.min(Math.max(v, min), max)),
          bound: () => 0,
        })),
      ),
    domain: [
      point(clamped({ min: -1, max: 2 }), -1.5, -1, 0, "[−1, 2], "),
      point(clamped({ min: -1, max: 2 }), infinity, 2, 0, "[−1, 2], "),
      point(clamped({ max: 2 }), -infinity, -infinity, 1, "up to 2, "),
      point(clamped({ min: -1, max: 2 }), none, none, 1, "[−1, 2], "),
      point(clamped({ min: 1, max: 1 }), 0.5, 1, 0, "[1, 1], "),
    ],
    kinks: [
      point(clamped({ min: -1, max: 2 }), -1, -1, 1, "[−1, 2], "),
      point(clamped({ min: -1, max: 2 }), 2, 2, 1, "[−1, 2], "),
      point(clamped({ min: 0 }), -0, -0, 1, "from 0 on, "),
    ],
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
    // Nothing is dropped with a probability of 0.
    recordedAs: ["dropout", null],
    linear: [[0]],
    samples: fc
      .tuple(anyOperand(), fc.constantFrom(0, 0.5, 0.75), fc.integer({ min: 0, max: 99 }))
      .map(([x, probability, seed]) => {
        const draws = new RandomStream(seed, "dropout");
        return {
          operands: [in64(x)],
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
