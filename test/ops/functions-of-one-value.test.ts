/** Functions of one value against exact arithmetic, at their limits, and as laws that tie them together. */
import { describe, expect, it } from "vitest";
import { ones, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import * as ops from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import * as precise from "../support/precise.ts";
import { type Precise, preciseFrom, product, sum, ulpError } from "../support/precise.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
type Op = (x: Tensor) => Tensor;

/** The function and its derivative, each value alone. */
function at(
  op: Op,
  values: readonly number[],
  kernels: Kernels = float32,
  dy = 1,
): { y: number[]; dx: number[] } {
  const x = tensor([...values], { kernels, requiresGrad: true });
  const y = op(x);
  y.backward(tensor(new Array<number>(values.length).fill(dy), { kernels }));
  return { y: [...y.data], dx: [...x.grad!.data] };
}

/** Float32 numbers of an interval, half of them evenly, half with exponents down to 2⁻⁶⁰. */
function draw(low: number, high: number, gap = 0): number[] {
  const random = new RandomStream(1, `${low} ${high}`);
  const count = process.env.DISTILGRAD_DEEP ? 20000 : 200;
  return Array.from({ length: count }, (_, i) => {
    const size = i % 2 === 0 ? 1 : 2 ** (-60 * random.uniform());
    return Math.fround((low + (high - low) * random.uniform()) * size);
  }).filter((x) => x >= low && x <= high && Math.abs(x) >= gap);
}

const minus = (a: Precise): Precise => ({ ...a, mantissa: -a.mantissa });
const times = (x: number, a: Precise): Precise => product(preciseFrom(x), a);

interface Exact {
  readonly name: string;
  readonly op: Op;
  readonly points: readonly number[];
  readonly value: (x: number) => Precise;
  readonly derivative: (x: number) => Precise;
}

/** Away from where a derivative is 0: there its digits depend on the last ones of x. */
const notNear = (root: number) => (x: number) => Math.abs(x - root) > 1e-3;
const positive = [...draw(0, 1e4, 1e-12), ...draw(1e-38, 1e-37), ...draw(1e37, 3e38)];

const exact: readonly Exact[] = [
  {
    name: "square",
    op: ops.square,
    points: draw(-1e4, 1e4, 1e-12),
    value: (x) => times(x, preciseFrom(x)),
    derivative: (x) => preciseFrom(2 * x),
  },
  {
    name: "sqrt",
    op: ops.sqrt,
    points: positive,
    value: (x) => precise.power(x, 0.5),
    derivative: (x) => times(0.5, precise.power(x, -0.5)),
  },
  {
    name: "reciprocal",
    op: ops.reciprocal,
    points: positive,
    value: (x) => precise.power(x, -1),
    derivative: (x) => minus(precise.power(x, -2)),
  },
  ...[-2.5, -0.3, 0.1, 1.5, 2, 3].map((exponent) => ({
    name: `pow with the exponent ${exponent}`,
    op: (x: Tensor) => ops.pow(x, exponent),
    points: positive,
    value: (x: number) => precise.power(x, exponent),
    derivative: (x: number) => times(exponent, precise.power(x, exponent - 1)),
  })),
  {
    name: "softplus",
    op: ops.softplus,
    points: draw(-103, 90),
    value: precise.softplus,
    derivative: precise.sigmoid,
  },
  {
    name: "elu",
    op: ops.elu,
    points: draw(-90, 0),
    value: precise.expm1,
    derivative: precise.exp,
  },
  {
    name: "silu",
    op: ops.silu,
    points: draw(-103, 90).filter(notNear(-1.2784645)),
    value: (x) => times(x, precise.sigmoid(x)),
    derivative: (x) => sum(precise.sigmoid(x), times(x, product(precise.sigmoid(x), precise.sigmoid(-x)))),
  },
  {
    name: "gelu",
    op: ops.gelu,
    points: draw(-14.2, 10).filter(notNear(-0.7517915)),
    value: (x) => times(x, precise.normalDistribution(x)),
    derivative: (x) => sum(precise.normalDistribution(x), times(x, precise.normalDensity(x))),
  },
  {
    name: "gelu by tanh",
    op: (x) => ops.gelu(x, { approximation: "tanh" }),
    points: draw(-10.5, 6).filter(notNear(-0.7524614)),
    value: (x) => times(x, precise.geluGate(x)),
    derivative: (x) => {
      const [gate, rest] = [precise.geluGate(x), precise.geluGate(-x)];
      const growth = Math.sqrt(8 / Math.PI) * (x + 3 * 0.044715 * x ** 3);
      return sum(gate, times(growth, product(gate, rest)));
    },
  },
];

describe.each(exact)("$name", ({ op, points, value, derivative }) => {
  it("is the exact value and the exact derivative, each rounded once to float32", () => {
    const { y, dx } = at(op, points);
    for (const [i, x] of points.entries()) {
      expect(ulpError(y[i], value(x), "float32"), `f(${x}) = ${y[i]}`).toBeLessThanOrEqual(0.5001);
      expect(ulpError(dx[i], derivative(x), "float32"), `f'(${x}) = ${dx[i]}`).toBeLessThanOrEqual(0.5001);
    }
  });
});

const leaky: Op = (x) => ops.leakyRelu(x);
const steep: Op = (x) => ops.leakyRelu(x, { slope: 0.5 });
const flat: Op = (x) => ops.leakyRelu(x, { slope: 0 });
const elu2: Op = (x) => ops.elu(x, { alpha: 2 });
const gelu: Op = (x) => ops.gelu(x);
const tanhGelu: Op = (x) => ops.gelu(x, { approximation: "tanh" });
const raised =
  (exponent: number): Op =>
  (x) =>
    ops.pow(x, exponent);
const between: Op = (x) => ops.clamp(x, { min: -1, max: 2 });

describe("limits and kinks", () => {
  it.each<[what: string, op: Op, x: number, y: number, dx: number]>([
    ["square at 0", ops.square, 0, 0, 0],
    ["square at −∞", ops.square, -infinity, infinity, -infinity],
    ["abs at 0", ops.abs, 0, 0, 0],
    ["abs at −0", ops.abs, -0, 0, 0],
    ["abs at −∞", ops.abs, -infinity, infinity, -1],
    ["sqrt at 0", ops.sqrt, 0, 0, infinity],
    ["sqrt at −0", ops.sqrt, -0, -0, infinity],
    ["sqrt at ∞", ops.sqrt, infinity, infinity, 0],
    ["sqrt below 0", ops.sqrt, -1, none, none],
    ["reciprocal at 0", ops.reciprocal, 0, infinity, -infinity],
    ["reciprocal at −0", ops.reciprocal, -0, -infinity, -infinity],
    ["reciprocal at ∞", ops.reciprocal, infinity, 0, 0],
    ["x² at 0", raised(2), 0, 0, 0],
    ["x² at −3", raised(2), -3, 9, -6],
    ["x¹ at 0", raised(1), 0, 0, 1],
    ["x⁰ at 0", raised(0), 0, 1, 0],
    ["x⁰ at ∞", raised(0), infinity, 1, 0],
    ["x⁰ at NaN", raised(0), none, 1, 0],
    ["x³ at −2", raised(3), -2, -8, 12],
    ["x^1.5 at 0", raised(1.5), 0, 0, 0],
    ["x^1.5 below 0", raised(1.5), -1, none, none],
    ["√x as a power at 0", raised(0.5), 0, 0, infinity],
    ["1/x as a power at 0", raised(-1), 0, infinity, -infinity],
    ["1/x as a power at −∞", raised(-1), -infinity, -0, 0],
    ["softplus at −∞", ops.softplus, -infinity, 0, 0],
    ["softplus at ∞", ops.softplus, infinity, infinity, 1],
    ["softplus at 1000", ops.softplus, 1000, 1000, 1],
    ["leakyRelu at 0", steep, 0, 0, 0.5],
    ["leakyRelu at −∞", steep, -infinity, -infinity, 0.5],
    ["leakyRelu at ∞", steep, infinity, infinity, 1],
    ["leakyRelu without a slope at −∞", flat, -infinity, 0, 0],
    ["leakyRelu by default at −1", leaky, -1, -0.01, 0.01],
    ["elu at 0", ops.elu, 0, 0, 1],
    ["elu with α = 2 at 0", elu2, 0, 0, 2],
    ["elu with α = 2 at −∞", elu2, -infinity, -2, 0],
    ["elu at ∞", ops.elu, infinity, infinity, 1],
    ["silu at 0", ops.silu, 0, 0, 0.5],
    ["silu at −∞", ops.silu, -infinity, 0, 0],
    ["silu at −1000", ops.silu, -1000, 0, 0],
    ["silu at ∞", ops.silu, infinity, infinity, 1],
    ["gelu at 0", gelu, 0, 0, 0.5],
    ["gelu at −∞", gelu, -infinity, 0, 0],
    ["gelu at −1e30", gelu, -1e30, 0, 0],
    ["gelu at 1e30", gelu, 1e30, 1e30, 1],
    ["gelu at ∞", gelu, infinity, infinity, 1],
    ["gelu by tanh at −∞", tanhGelu, -infinity, 0, 0],
    ["gelu by tanh at −1e30", tanhGelu, -1e30, 0, 0],
    ["gelu by tanh at 1e30", tanhGelu, 1e30, 1e30, 1],
    ["gelu by tanh at ∞", tanhGelu, infinity, infinity, 1],
    ["clamp at its lower bound", between, -1, -1, 1],
    ["clamp at its upper bound", between, 2, 2, 1],
    ["clamp below", between, -1.5, -1, 0],
    ["clamp at ∞", between, infinity, 2, 0],
    ["clamp at −∞ with an upper bound only", (x) => ops.clamp(x, { max: 2 }), -infinity, -infinity, 1],
    ["clamp at NaN", between, none, none, 1],
    ["clamp with bounds that are one", (x) => ops.clamp(x, { min: 1, max: 1 }), 0.5, 1, 0],
    ["clamp at −0 with a bound of 0", (x) => ops.clamp(x, { min: 0 }), -0, -0, 1],
  ])("%s", (_, op, x, y, dx) => {
    for (const kernels of [float32, float64]) {
      const got = at(op, [x], kernels);
      expect([got.y[0], got.dx[0]].map(Math.fround)).toEqual([y, dx].map(Math.fround));
    }
  });

  it.each<[name: string, op: Op]>([
    ...exact.map(({ name, op }) => [name, op] as [string, Op]),
    ["abs", ops.abs],
    ["leakyRelu", leaky],
    ["leakyRelu without a slope", flat],
    ["clamp", between],
  ])("do not hide NaN: %s", (_, op) => {
    const { y, dx } = at(op, [none, 1]);
    expect(y[0]).toBeNaN();
    expect(y[1]).not.toBeNaN();
    expect(dx[1]).not.toBeNaN();
  });

  it.each<[what: string, op: Op]>([
    ["sqrt", ops.sqrt],
    ["log", ops.log],
    ["reciprocal", ops.reciprocal],
    ["x^0.5", raised(0.5)],
    ["x⁻¹", raised(-1)],
  ])("send nothing back through a pole when nothing arrives: %s", (_, op) => {
    expect(at(op, [0, -0], float32, 0).dx).toEqual([0, 0]);
  });

  it.each<[what: string, op: Op, x: number]>([
    ["abs at 0", ops.abs, 0],
    ["clamp outside", between, 3],
    ["leakyRelu without a slope", flat, -1],
    ["x⁰", raised(0), 2],
  ])("send 0 back where the derivative is 0, even if ∞ arrives: %s", (_, op, x) => {
    expect(at(op, [x], float32, infinity).dx).toEqual([0]);
  });
});

describe("reciprocal", () => {
  it("has its derivative where x² vanishes or overflows", () => {
    for (const [x, dy, dx] of [
      [1e200, 1e300, -1e-100],
      [1e-200, 1e-300, -1e100],
    ] as const) {
      // Two roundings.
      expect(Math.abs(at(ops.reciprocal, [x], float64, dy).dx[0]! / dx - 1)).toBeLessThan(4e-16);
    }
  });
});

describe("clamp", () => {
  it("takes its bounds in the precision of x, so that cutting twice is cutting once", () => {
    for (const [bounds, beyond] of [
      [{ max: 0.1 }, 5],
      [{ min: 0.7 }, -5],
    ] as const) {
      const once = at((x) => ops.clamp(x, bounds), [beyond]);
      const again = at((x) => ops.clamp(x, bounds), once.y);
      expect(again.y).toEqual(once.y);
      expect(again.dx).toEqual([1]);
    }
  });

  it("takes an explicit undefined for no bound", () => {
    expect(at((x) => ops.clamp(x, { min: undefined, max: 1 }), [-9, 9]).y).toEqual([-9, 1]);
  });
});

describe("laws", () => {
  const x = [-7.3, -2, -0.6, -1e-3, 0, 1e-3, 0.3, 1, 2.5, 8].map(Math.fround);
  const magnitudes = x.filter((v) => v > 0);

  it.each<[law: string, left: Op, right: Op, points: readonly number[]]>([
    ["x² = x · x", ops.square, (t) => ops.mul(t, t), x],
    ["x² is a power", ops.square, raised(2), x],
    ["√x is a power", ops.sqrt, raised(0.5), magnitudes],
    ["1/x is a power", ops.reciprocal, raised(-1), magnitudes],
    ["x⁰ is 1", raised(0), (t) => ops.add(ops.scale(t, 0), ones([])), x],
    ["x¹ is x", raised(1), (t) => ops.scale(t, 1), x],
    ["leakyRelu with slope 0 is relu", flat, ops.relu, x],
    [
      "leakyRelu with slope 1 is the identity",
      (t) => ops.leakyRelu(t, { slope: 1 }),
      (t) => ops.scale(t, 1),
      x,
    ],
    [
      "clamp from 0 on is relu, but for the derivative at 0",
      (t) => ops.clamp(t, { min: 0 }),
      ops.relu,
      x.filter(Boolean),
    ],
    ["|x| = relu(x) + relu(−x)", ops.abs, (t) => ops.add(ops.relu(t), ops.relu(ops.neg(t))), x],
  ])("%s, to the same bits", (_, left, right, points) => {
    expect(at(left, points)).toEqual(at(right, points));
  });

  it.each<[name: string, op: Op]>([
    ["softplus", ops.softplus],
    ["silu", ops.silu],
    ["gelu", gelu],
    ["gelu by tanh", tanhGelu],
  ])("f(x) − f(−x) = x and f′(x) + f′(−x) = 1: %s", (_, op) => {
    const [right, left] = [
      at(op, x, float64),
      at(
        op,
        x.map((v) => -v),
        float64,
      ),
    ];
    for (const [i, v] of x.entries()) {
      // A handful of roundings of numbers of the size of x.
      expect(Math.abs(right.y[i] - left.y[i] - v)).toBeLessThanOrEqual(
        8 * 2 ** -53 * Math.max(1, Math.abs(v)),
      );
      expect(Math.abs(right.dx[i] + left.dx[i] - 1)).toBeLessThanOrEqual(8 * 2 ** -53);
    }
  });

  it("gelu by tanh is within 5e-4 of gelu", () => {
    const points = draw(-8, 8);
    const [accurate, approximate] = [at(gelu, points, float64).y, at(tanhGelu, points, float64).y];
    const apart = Math.max(...points.map((_, i) => Math.abs(accurate[i] - approximate[i])));
    expect(apart).toBeGreaterThan(1e-4);
    expect(apart).toBeLessThan(5e-4);
  });
});
