/**
 * Functions of one value at every float32.
 *
 * With DISTILGRAD_DEEP all 2³² − 2²⁴ − 1 finite numbers are taken, the zeros as one. For each, the float64 value is held
 * against the exact one, and so is the float32 that it rounds to. That is a proof for float32 inputs, as far as two
 * things are right: the oracle in whole numbers (support/precise.ts), which gives the first two coefficients of a series
 * for each short piece of the line, and the bound of what this series and its evaluation leave out, 0.015 units in the
 * last place of float64 (support/float32-sweep.ts). The comparison is itself compared with the oracle here.
 *
 * Sampled and not proved are: sine and cosine beyond 1,647,099, one number of 37, since each takes microseconds there;
 * and without DISTILGRAD_DEEP everything, one piece of 397 and one number of 997. All NaNs are one number in JavaScript;
 * it is among the special values of math.test.ts, as are the infinities and −0.
 *
 * A float32 op stores the float64 value of its function, so that it is rounded once. √x and 1/x are not here: IEEE 754
 * rounds them correctly in float64, and rounding them once more gives the correctly rounded float32 (Figueroa 1995).
 */
import { describe, expect, it } from "vitest";
import { float32 } from "../src/kernels/float32.ts";
import { float64 } from "../src/kernels/float64.ts";
import * as math from "../src/math.ts";
import * as ops from "../src/ops/index.ts";
import { Tensor } from "../src/tensor.ts";
import type { SweepFigures } from "./proof/sweep.ts";
import * as expansions from "./support/expansions.ts";
import {
  type Batch,
  each,
  everyInput,
  fromRank,
  rankOf,
  type Stride,
  sweep,
  type Tally,
  type Zone,
} from "./support/float32-sweep.ts";
import * as precise from "./support/precise.ts";
import { nearestFloat, type Precise, preciseFrom, product } from "./support/precise.ts";
import { stepped } from "./support/ulp.ts";

const deep = process.env.DISTILGRAD_DEEP !== undefined;
const stride: Stride = deep ? everyInput : { pieces: 397, inputs: 997 };

type Op = (x: Tensor) => Tensor;
const gelu: Op = (x) => ops.gelu(x);
const geluByTanh: Op = (x) => ops.gelu(x, { approximation: "tanh" });
const inFloat64 =
  (op: Op): Batch =>
  (x) =>
    op(new Tensor(x, [x.length], float64)).data;

interface Entry {
  readonly name: string;
  readonly f: Batch;
  readonly exact: (x: number) => Precise;
  /** What the docstring promises of the float64 value, in units in the last place. */
  readonly bound?: number;
  readonly zones: readonly Zone[];
}

const infinity = Number.POSITIVE_INFINITY;
const largest = fromRank(rankOf(infinity) - 1);
const atZero = { at: 0, radius: 1 };
const half = (x: number): number => Math.abs(x) / 2;
const unit = (): number => 1;
const upTo =
  (most: number) =>
  (x: number): number =>
    Math.min(most, half(x));

/** Sine (turns 0) and cosine (1): small numbers by the series around 0, others by that of what is left of them. */
function circular(turns: 0 | 1): Zone[] {
  const small = 2 ** -8;
  const far = { turns, direction: 0, every: deep ? 37 : 997 } as const;
  const near = { turns, direction: 0, every: 1 } as const;
  // Sine rises on the quarters around 0; cosine rises up to 0 and falls from there.
  const [end, falling] = turns === 0 ? [1.5707963, 1 as const] : [3.1415925, -1 as const];
  const expand = turns === 0 ? expansions.sin : expansions.cos;
  const around0 = { expand, radius: unit, anchor: atZero };
  return [
    { from: -largest, to: -1647099, ...far },
    { from: -1647099, to: -end, ...near },
    { from: -end, to: -small, ...near, direction: 1 },
    { from: -small, to: 0, ...around0, direction: 1 },
    { from: 0, to: small, ...around0, direction: falling },
    { from: small, to: end, ...near, direction: falling },
    { from: end, to: 1647099, ...near },
    { from: 1647099, to: infinity, ...far },
  ];
}

/** A function that vanishes on the left, falls to its only minimum and then grows like x. */
function dipped(
  [begin, bottom, end]: readonly [number, number, number],
  expand: expansions.Expand,
  radius: (x: number) => number,
): Zone[] {
  return [
    { from: -largest, to: begin, rounded: 0 },
    { from: begin, to: bottom, expand, radius, direction: -1 },
    { from: bottom, to: end, expand, radius, anchor: atZero, direction: 1 },
    { from: end, to: infinity, expand: expansions.identity, radius: () => infinity, direction: 1 },
  ];
}

const level = (y: number) =>
  ({ expand: expansions.constant(y), radius: () => infinity, direction: 0 }) as const;

// Zones end where a limit is nearer than 2⁻⁶⁴ of it, or where float64 comes close to its denormal numbers.
const entries: readonly Entry[] = [
  {
    name: "exp",
    f: each(math.exp),
    exact: precise.exp,
    bound: 1,
    zones: [
      { from: -largest, to: -650, rounded: 0 },
      { from: -650, to: 700, expand: expansions.exp, radius: () => 2, anchor: atZero, direction: 1 },
      { from: 700, to: infinity, rounded: infinity },
    ],
  },
  {
    name: "expm1",
    f: each(math.expm1),
    exact: precise.expm1,
    bound: 1.5,
    zones: [
      { from: -largest, to: -46, ...level(-1) },
      { from: -46, to: 700, expand: expansions.expm1, radius: upTo(2), anchor: atZero, direction: 1 },
      { from: 700, to: infinity, rounded: infinity },
    ],
  },
  {
    name: "log",
    f: each(math.log),
    exact: precise.log,
    bound: 1,
    zones: [
      { from: -largest, to: 0, rounded: Number.NaN },
      { from: 0, to: 2 ** -149, rounded: -infinity },
      {
        from: 2 ** -149,
        to: infinity,
        expand: expansions.log,
        radius: (x) => Math.min(half(x), half(x - 1)),
        anchor: { at: 1, radius: 0.5 },
        direction: 1,
      },
    ],
  },
  {
    name: "log1p",
    f: each(math.log1p),
    exact: precise.log1p,
    bound: 1,
    zones: [
      { from: -largest, to: -1, rounded: Number.NaN },
      { from: -1, to: -1 + 2 ** -24, rounded: -infinity },
      {
        from: -1 + 2 ** -24,
        to: infinity,
        expand: expansions.log1p,
        radius: (x) => Math.min(half(x), half(1 + x)),
        anchor: { at: 0, radius: 0.5 },
        direction: 1,
      },
    ],
  },
  {
    name: "tanh",
    f: each(math.tanh),
    exact: precise.tanh,
    bound: 2,
    zones: [
      { from: -largest, to: -23, ...level(-1) },
      { from: -23, to: 23, expand: expansions.tanh, radius: upTo(1), anchor: atZero, direction: 1 },
      { from: 23, to: infinity, ...level(1) },
    ],
  },
  {
    name: "sigmoid",
    f: each(math.sigmoid),
    exact: precise.sigmoid,
    bound: 2,
    zones: [
      { from: -largest, to: -650, rounded: 0 },
      { from: -650, to: 45, expand: expansions.sigmoid, radius: unit, anchor: atZero, direction: 1 },
      { from: 45, to: infinity, ...level(1) },
    ],
  },
  {
    name: "erf",
    f: each(math.erf),
    exact: precise.erf,
    bound: 1.2,
    zones: [
      { from: -largest, to: -6.625, ...level(-1) },
      { from: -6.625, to: 6.625, expand: expansions.erf, radius: upTo(1), anchor: atZero, direction: 1 },
      { from: 6.625, to: infinity, ...level(1) },
    ],
  },
  {
    name: "erfc",
    f: each(math.erfc),
    exact: precise.erfc,
    bound: 2,
    zones: [
      { from: -largest, to: -6.625, ...level(2) },
      {
        from: -6.625,
        to: 25,
        expand: expansions.erfc,
        // To the left by ρ, erfc is e^(2xρ) times as large.
        radius: (x) => Math.min(1, 2 / Math.max(x, 2)),
        anchor: atZero,
        direction: -1,
      },
      { from: 25, to: infinity, rounded: 0 },
    ],
  },
  { name: "sin", f: each(math.sin), exact: precise.sin, bound: 1, zones: circular(0) },
  { name: "cos", f: each(math.cos), exact: precise.cos, bound: 1, zones: circular(1) },
  {
    name: "softplus",
    f: inFloat64(ops.softplus),
    exact: precise.softplus,
    zones: [
      { from: -largest, to: -199, rounded: 0 },
      { from: -199, to: 45, expand: expansions.softplus, radius: unit, anchor: atZero, direction: 1 },
      { from: 45, to: infinity, expand: expansions.identity, radius: () => infinity, direction: 1 },
    ],
  },
  {
    name: "silu",
    f: inFloat64(ops.silu),
    exact: (x) => product(preciseFrom(x), precise.sigmoid(x)),
    zones: dipped([-650, -1.2784645, 45], expansions.silu, upTo(1)),
  },
  {
    name: "gelu",
    f: inFloat64(gelu),
    exact: (x) => product(preciseFrom(x), precise.normalDistribution(x)),
    // To the right by ρ, Φ is e^(|x|ρ) times as large.
    zones: dipped([-15, -0.7517916, 9.5], expansions.gelu, (x) => Math.min(1, half(x), 4 / Math.abs(x))),
  },
  {
    name: "gelu by tanh",
    f: inFloat64(geluByTanh),
    exact: (x) => product(preciseFrom(x), precise.geluGate(x)),
    // The gate has poles where 2u is iπ, at a distance of π over its slope.
    zones: dipped([-11, -0.7524614, 8], expansions.geluByTanh, (x) =>
      Math.min(1, half(x), 2 / (1.6 + 0.22 * x * x)),
    ),
  },
];

describe("the comparison", () => {
  it.each(entries)("takes every number once: $name", ({ zones }) => {
    expect([zones[0]!.from, zones.at(-1)!.to]).toEqual([-largest, infinity]);
    for (const [i, { from }] of zones.entries()) if (i > 0) expect(from).toBe(zones[i - 1]!.to);
  });

  it.each(entries)(
    "finds half a unit where the nearest number is given, more where its neighbour is: $name",
    ({ exact, zones }) => {
      // Only where there are series: elsewhere the oracle has nothing to tell.
      const told = zones.filter(
        (zone) => "turns" in zone || ("expand" in zone && zone.expand(1).rest.length > 0),
      );
      const reduced = told.some((zone) => "turns" in zone);
      const sparse: Stride = { pieces: 499, inputs: reduced ? 500009 : 2003 };
      const nearest = sweep(
        each((x) => nearestFloat(exact(x))),
        told,
        sparse,
      );
      expect(nearest.inputs).toBeGreaterThan(100);
      expect(nearest.wide.error).toBeLessThan(0.501);
      expect(nearest.wide.error).toBeGreaterThan(0.4);
      expect(nearest.narrow.error).toBeLessThanOrEqual(0.5);
      expect([nearest.misrounded, nearest.stepsBack, nearest.strays]).toEqual([0, 0, 0]);
      const next = sweep(
        each((x) => stepped(nearestFloat(exact(x)), 1)),
        told,
        sparse,
      );
      expect(next.wide.error).toBeGreaterThan(1);
      expect(next.wide.error).toBeLessThan(2.01);
    },
  );

  it("counts what is not the nearest float32, what moves back, and what is no number", () => {
    const one: Zone[] = [
      { from: 1, to: 1 + 2 ** -7, expand: expansions.identity, radius: () => infinity, direction: 1 },
    ];
    const of = (f: (x: number) => number): Tally => sweep(each(f), one, everyInput);
    expect(of((x) => x)).toMatchObject({ inputs: 2 ** 16, misrounded: 0, stepsBack: 0, strays: 0 });
    expect(of((x) => x + 0.75 * 2 ** -23)).toMatchObject({ misrounded: 2 ** 16, narrow: { error: 1 } });
    expect(of((x) => (x === 1 + 2 ** -8 ? 1 : x))).toMatchObject({ misrounded: 1, stepsBack: 1 });
    expect(of((x) => (x === 1 + 2 ** -8 ? Number.NaN : x))).toMatchObject({ strays: 1 });
  });
});

/** Lets what has been logged be printed, which waits for a task of its own. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each(entries)("$name", ({ name, f, bound = infinity, zones }) => {
  it("is within its bound in float64, within 0.5001 units in float32, and never steps back there", {
    timeout: 3_600_000,
  }, async ({ task }) => {
    const { inputs, wide, narrow, misrounded, stepsBack, strays } = sweep(f, zones, stride);
    const figures: SweepFigures = {
      name,
      inputs,
      float64: wide.error,
      float32: narrow.error,
      misrounded,
    };
    task.meta.sweep = figures;
    if (deep) {
      console.log(
        `${name}: ${inputs} inputs; float64 ${wide.error.toFixed(4)} units at ${wide.at}; float32 ${narrow.error.toFixed(9)} units at ${narrow.at}; ${misrounded} not the nearest`,
      );
      await breathe();
    }
    expect(wide.error, `at ${wide.at}`).toBeLessThanOrEqual(bound);
    expect(narrow.error, `at ${narrow.at}`).toBeLessThanOrEqual(0.5001);
    expect([stepsBack, strays]).toEqual([0, 0]);
    if (deep && !zones.some((zone) => "turns" in zone)) expect(inputs).toBe(2 * rankOf(infinity) - 1);
  });
});

describe("an op in float32", () => {
  /** One float32 in 65,537. */
  const inputs = Float32Array.from({ length: 65278 }, (_, i) => fromRank(65537 * i - rankOf(largest))).filter(
    Number.isFinite,
  );

  it.each<[name: string, op: Op, value: Batch]>([
    ["exp", ops.exp, each(math.exp)],
    ["log", ops.log, each(math.log)],
    ["tanh", ops.tanh, each(math.tanh)],
    ["sigmoid", ops.sigmoid, each(math.sigmoid)],
    ["elu", (x) => ops.elu(x), each((x) => (x > 0 ? x : math.expm1(x)))],
    ["softplus", ops.softplus, inFloat64(ops.softplus)],
    ["silu", ops.silu, inFloat64(ops.silu)],
    ["gelu", gelu, inFloat64(gelu)],
    ["gelu by tanh", geluByTanh, inFloat64(geluByTanh)],
  ])("is the float64 value, rounded once: %s", (_, op, value) => {
    const got = op(new Tensor(inputs.slice(), [inputs.length], float32)).data;
    const wide = value(Float64Array.from(inputs));
    expect([...inputs.filter((_, i) => !Object.is(got[i], Math.fround(wide[i]!)))]).toEqual([]);
  });
});
