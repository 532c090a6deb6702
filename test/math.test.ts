/**
 * The library's elementary functions against exact arithmetic, in float64; `every-float32.test.ts` takes all float32
 * numbers. DISTILGRAD_DEEP takes 100 times as many points.
 */

import { describe, expect, it } from "vitest";
import * as math from "../src/math.ts";
import * as precise from "./support/precise.ts";
import { nearestFloat, type Precise, ulpError } from "./support/precise.ts";
import { nextUp, stepped, ulpDistance, ulpDistance32 } from "./support/ulp.ts";

const depth = process.env.DISTILGRAD_DEEP ? 100 : 1;

interface Case {
  readonly name: string;
  readonly f: (x: number) => number;
  readonly exact: (x: number) => Precise;
  /** The bound promised in the docstring, in ULP. */
  readonly bound: number;
  /**
   * Intervals to draw from; where both ends have the same sign and are far apart, exponents are drawn evenly.
   */
  readonly ranges: readonly (readonly [low: number, high: number])[];
  /** Where the method changes: reduction steps, ends of approximations. */
  readonly seams: readonly number[];
  /**
   * Where the function rises (or, by a negative direction, falls), and how many ULP a step may go the wrong
   * way.
   */
  readonly monotone: {
    readonly on: readonly [number, number];
    readonly direction: 1 | -1;
    readonly slack: 0 | 1;
  };
  readonly derivative: (x: number) => number;
  /** A bound of the fifth derivative within 2⁻⁸ of x. */
  readonly fifth: (x: number) => number;
}

const multiples = (of: number, from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => (from + i) * of);

const halfSteps = multiples(Math.LN2 / 2, -9, 9).filter((_, i) => i % 2 === 0);
const eighthTurns = multiples(Math.PI / 4, -9, 9);
const rootHalf = Math.SQRT1_2;

/** What sine and cosine have in common. */
const circular = {
  bound: 1,
  ranges: [
    [-3.2, 3.2],
    [-100, 100],
    [-1647099, 1647099],
    [1647099, 1e9],
    [5e-324, 1.7e308],
  ],
  seams: [...eighthTurns, 1647099, -1647099],
  fifth: () => 1,
} satisfies Partial<Case>;

const cases: readonly Case[] = [
  {
    name: "exp",
    f: math.exp,
    exact: precise.exp,
    bound: 1,
    ranges: [
      [-1, 1],
      [-20, 2],
      [-708, 709.78],
      [-745.2, -708],
      [1e-300, 1e-5],
    ],
    seams: [...halfSteps, 709, -708],
    monotone: { on: [-745, 709], direction: 1, slack: 0 },
    derivative: Math.exp,
    fifth: (x) => Math.exp(x + 0.01),
  },
  {
    name: "expm1",
    f: math.expm1,
    exact: precise.expm1,
    bound: 1.5,
    ranges: [
      [-1.1, 1.1],
      [-0.36, 0.36],
      [-40, 40],
      [30, 709.78],
      [5e-324, 1],
      [-1, -1e-300],
    ],
    seams: [...halfSteps, 0, -38, 54 * Math.LN2],
    monotone: { on: [-38, 709], direction: 1, slack: 1 },
    derivative: Math.exp,
    fifth: (x) => Math.exp(x + 0.01),
  },
  {
    name: "log",
    f: math.log,
    exact: precise.log,
    bound: 1,
    ranges: [
      [0.5, 2],
      [0.999, 1.001],
      [0.01, 20],
      [5e-324, 2.3e-308],
      [2e-308, 1.7e308],
    ],
    seams: [0.5, 1, 2, 4, 1024, rootHalf, 2 * rootHalf, 4 * rootHalf, 8 * rootHalf],
    monotone: { on: [1e-300, 1e300], direction: 1, slack: 0 },
    derivative: (x) => 1 / x,
    fifth: (x) => 24 / (x - 0.01) ** 5,
  },
  {
    name: "log1p",
    f: math.log1p,
    exact: precise.log1p,
    bound: 1,
    ranges: [
      [-0.5, 1],
      [-0.9999, -0.3],
      [0.38, 0.45],
      [0.01, 20],
      [5e-324, 1],
      [-0.3, -1e-300],
      [1, 1.7e308],
    ],
    seams: [0, rootHalf - 1, 2 * rootHalf - 1, 4 * rootHalf - 1, 1, -0.5, 8 * rootHalf - 1],
    monotone: { on: [-0.999, 1e6], direction: 1, slack: 0 },
    derivative: (x) => 1 / (1 + x),
    fifth: (x) => 24 / (1 + x - 0.01) ** 5,
  },
  {
    name: "tanh",
    f: math.tanh,
    exact: precise.tanh,
    bound: 2,
    ranges: [
      [-0.56, 0.56],
      [0.5, 3],
      [-22, 22],
      [5e-324, 1],
      [-1, -1e-300],
    ],
    seams: [0, Math.log(3) / 2, -Math.log(3) / 2, 1e-8, 1, ...halfSteps.map((x) => x / 2)],
    monotone: { on: [-22, 22], direction: 1, slack: 0 },
    derivative: (x) => 1 / Math.cosh(x) ** 2,
    fifth: () => 16,
  },
  {
    name: "sigmoid",
    f: math.sigmoid,
    exact: precise.sigmoid,
    bound: 2,
    ranges: [
      [-1, 1],
      [-20, 20],
      [-708, 40],
      [-745, -700],
    ],
    seams: [0, ...halfSteps],
    monotone: { on: [-745, 40], direction: 1, slack: 1 },
    derivative: (x) => 1 / (2 + 2 * Math.cosh(x)),
    fifth: () => 0.25,
  },
  {
    name: "erf",
    f: math.erf,
    exact: precise.erf,
    bound: 1.2,
    ranges: [
      [-0.84375, 0.84375],
      [0.84, 1.25],
      [1.25, 3],
      [3, 6],
      [-6, 6],
      [5e-324, 1],
      [-1, -1e-300],
    ],
    seams: [0, 0.84375, -0.84375, 1, 1.25, -1.25, 2.857],
    monotone: { on: [-6, 6], direction: 1, slack: 1 },
    derivative: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
    fifth: () => 14,
  },
  {
    name: "erfc",
    f: math.erfc,
    exact: precise.erfc,
    bound: 2,
    ranges: [
      [-6.1, -0.84375],
      [-0.84375, 0.5],
      [0.5, 0.84375],
      [0.84375, 1.25],
      [1.25, 2.857],
      [2.857, 8],
      [8, 26.5],
      [26.5, 27.3],
      [5e-324, 0.3],
      [-0.3, -1e-300],
    ],
    seams: [0, 0.5, 0.84375, -0.84375, 1, 1.25, -1.25, 1 / 0.35, 6, -6, 28],
    monotone: { on: [-6, 27.3], direction: -1, slack: 1 },
    derivative: (x) => (-2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
    fifth: () => 14,
  },
  {
    name: "sin",
    f: math.sin,
    exact: precise.sin,
    ...circular,
    monotone: { on: [-1.57, 1.57], direction: 1, slack: 0 },
    derivative: Math.cos,
  },
  {
    name: "cos",
    f: math.cos,
    exact: precise.cos,
    ...circular,
    monotone: { on: [0, 3.14], direction: -1, slack: 0 },
    derivative: (x) => -Math.sin(x),
  },
];

/** Numbers in [0, 1) with 53 bits, the same in every run. */
function uniform(seed: number): () => number {
  let state = seed;
  const word = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 5;
  };
  return () => (word() * 2 ** 26 + (word() >>> 1)) / 2 ** 53;
}

/** `count` numbers of an interval: evenly, or with even exponents where it spans many of them. */
function draw(low: number, high: number, count: number, seed: number): number[] {
  const random = uniform(seed);
  const sign = Math.sign(low);
  const [a, b] = [Math.log2(Math.abs(low)), Math.log2(Math.abs(high))];
  const exponents = sign * high > 0 && Math.abs(b - a) > 20;
  return Array.from({ length: count }, () => {
    const u = random();
    return exponents ? sign * 2 ** (a + (b - a) * u) : low + (high - low) * u;
  });
}

/** The worst point of a list, so that one assertion speaks for all and names it. */
function worst(points: Iterable<number>, error: (x: number) => number): { error: number; at: number } {
  let found = { error: -1, at: Number.NaN };
  for (const at of points) {
    const e = error(at);
    if (!(e <= found.error)) found = { error: e, at };
  }
  return found;
}

describe("the oracle", () => {
  const digits = (p: Precise, count: number): string => {
    const scaled = p.mantissa * 10n ** BigInt(count);
    return (scaled >> BigInt(-p.exponent)).toString();
  };

  it("gives the published digits of well-known constants", () => {
    expect(digits({ mantissa: precise.pi(256), exponent: -256 }, 50)).toBe(
      "314159265358979323846264338327950288419716939937510",
    );
    expect(digits({ mantissa: precise.ln2(256), exponent: -256 }, 50)).toBe(
      "69314718055994530941723212145817656807550013436025",
    );
    expect(digits(precise.exp(1), 50)).toBe("271828182845904523536028747135266249775724709369995");
    expect(digits(precise.log(10), 50)).toBe("230258509299404568401799145468436420760110148862877");
    expect(digits(precise.sin(1), 50)).toBe("84147098480789650665250232163029899962256306079837");
    expect(digits(precise.cos(1), 50)).toBe("54030230586813971740093660744297660373231042061792");
    expect(digits(precise.erf(1), 50)).toBe("84270079294971486934122063508260925929606699796630");
    expect(digits(precise.erfc(1), 50)).toBe("15729920705028513065877936491739074070393300203369");
    expect(digits(precise.erfc(6), 50)).toBe("2151973671249891311659335039918738");
    expect(digits(precise.power(2, 0.5), 50)).toBe("141421356237309504880168872420969807856967187537694");
    expect(digits(precise.tanh(1), 50)).toBe("76159415595576488811945828260479359041276859725793");
    expect(digits(precise.sin(-1e22), 22)).toBe("8522008497671888017727");
  });

  const asFraction = (p: Precise): bigint =>
    p.exponent < -230 ? p.mantissa >> BigInt(-p.exponent - 230) : 0n;
  const one = 1n << 230n;
  const close = (a: bigint, b: bigint): boolean => a - b < 1n << 26n && b - a < 1n << 26n;

  it("rounds to the constants that JavaScript knows", () => {
    expect(nearestFloat(precise.exp(1))).toBe(Math.E);
    expect(nearestFloat(precise.log(10))).toBe(Math.LN10);
    expect(ulpError(Math.E, precise.exp(1))).toBeLessThan(0.5);
    expect(ulpError(stepped(Math.E, 1), precise.exp(1))).toBeGreaterThan(0.5);
    expect(ulpError(Math.fround(Math.E), precise.exp(1), "float32")).toBeLessThan(0.5);
  });

  it("keeps the identities that tie its functions together, to 200 bits", () => {
    for (const x of [-3.75, -1, -0.1, 1e-9, 0.3, 1, 2.5, 5.9]) {
      const [s, c, e, t] = [precise.sin, precise.cos, precise.exp, precise.tanh].map((f) => asFraction(f(x)));
      expect(close((s * s + c * c) >> 230n, one)).toBe(true);
      expect(close((e * asFraction(precise.exp(-x))) >> 230n, one)).toBe(true);
      expect(close(asFraction(precise.expm1(x)), e - one)).toBe(true);
      expect(close(asFraction(precise.sigmoid(2 * x)), (one + t) / 2n)).toBe(true);
      const y = Math.round((x + 4) * 1024) / 1024;
      expect(close(asFraction(precise.log1p(y)), asFraction(precise.log(1 + y)))).toBe(true);
      expect(close(asFraction(precise.erf(x)), -asFraction(precise.erf(-x)))).toBe(true);
    }
    expect(close(asFraction(precise.log(3)) + asFraction(precise.log(5)), asFraction(precise.log(15)))).toBe(
      true,
    );
  });

  it("finds the same by two ways, to 200 bits", () => {
    const fixed = ({ mantissa, exponent }: Precise): bigint => (mantissa << 900n) >> BigInt(-exponent);
    const agree = (a: Precise, b: Precise): void => {
      expect(fixed(b) >> 200n).not.toBe(0n);
      expect((fixed(a) - fixed(b)) / (fixed(b) >> 200n)).toBe(0n);
    };
    for (const x of [6, 7.3, 12]) agree(precise.erfcByFraction(x), precise.erfcByDifference(x));
    for (const x of [0.7, 1.3, 12.5, 1e-9]) {
      for (const n of [-5, 3, 8]) agree(precise.power(x, n), precise.integerPower(x, n));
    }
    for (const x of [0.75, 3, 1.5e3]) agree(precise.power(x * x, 0.5), precise.preciseFrom(x));
  });
});

describe("the distance between floats", () => {
  it("counts the representable numbers in between", () => {
    expect(ulpDistance(1, 1 + 2 ** -52)).toBe(1);
    expect(ulpDistance(1, 1 - 2 ** -53)).toBe(1);
    expect(ulpDistance(-5e-324, 5e-324)).toBe(2);
    expect(ulpDistance32(1, 1 + 2 ** -23)).toBe(1);
    expect(ulpDistance32(-(2 ** -149), 2 ** -149)).toBe(2);
    expect(nextUp(-0)).toBe(5e-324);
    expect(nextUp(1)).toBe(1 + 2 ** -52);
    expect(stepped(1, -1)).toBe(1 - 2 ** -53);
  });

  it("lets NaN equal only NaN, an infinity only itself, and tells the zeros apart on request", () => {
    for (const distance of [ulpDistance, ulpDistance32]) {
      expect(distance(Number.NaN, Number.NaN)).toBe(0);
      expect(distance(Number.NaN, 1)).toBe(Infinity);
      expect(distance(Infinity, Infinity)).toBe(0);
      expect(distance(Infinity, -Infinity)).toBe(Infinity);
      expect(distance(Infinity, 1)).toBe(Infinity);
      expect(distance(-0, 0)).toBe(0);
      expect(distance(-0, 0, { distinctZeros: true })).toBe(1);
    }
  });

  it("refuses a number that is not a float32 where float32 is counted", () => {
    expect(() => ulpDistance32(0.1, 0)).toThrow("ulpDistance32: expected two float32 values, got 0.1 and 0");
  });
});

describe.each(cases)("$name", ({ f, exact, bound, ranges, seams, monotone, derivative, fifth }) => {
  const error = (x: number): number => ulpError(f(x), exact(x));

  it("stays within its bound in every range", () => {
    for (const [i, [low, high]] of ranges.entries()) {
      const found = worst(draw(low, high, 400 * depth, i + 1), error);
      expect(found.error, `at ${found.at}`).toBeLessThanOrEqual(bound);
    }
  });

  it("stays within its bound on both sides of every seam, with no step back across it", () => {
    for (const seam of seams) {
      const points = Array.from({ length: 9 }, (_, i) => stepped(seam, 5 * (i - 4)));
      const found = worst(points, error);
      expect(found.error, `at ${found.at}`).toBeLessThanOrEqual(bound);
    }
  });

  it("is monotone from float to float", () => {
    const { on, direction, slack } = monotone;
    const random = uniform(5);
    const starts = Array.from(
      { length: 20000 * Math.min(depth, 20) },
      () => on[0] + (on[1] - on[0]) * random(),
    );
    const nearSeams = seams
      .filter((x) => x > on[0] && x < on[1])
      .flatMap((seam) => Array.from({ length: 400 }, (_, i) => stepped(seam, i - 200)));
    const nearZero = Array.from({ length: 4000 }, () => random() * 2 - 1).filter(
      (x) => x > on[0] && x < on[1],
    );
    const found = worst([...starts, ...nearSeams, ...nearZero], (x) => {
      const [here, next] = [direction * f(x), direction * f(nextUp(x))];
      return next >= here ? 0 : ulpDistance(here, next);
    });
    expect(found.error, `after ${found.at}`).toBeLessThanOrEqual(slack);
  });

  it("is as smooth across seams as its rounding allows: a fourth-order stencil finds the derivative", () => {
    const h = 2 ** -10;
    for (const seam of seams.filter((x) => Math.abs(x) < 40)) {
      for (let i = -8; i <= 8; i++) {
        // On a grid on which every point of the stencil is exact.
        const x = Math.round((seam + (i * h) / 4) * 2 ** 30) / 2 ** 30;
        const values = [-2, -1, 1, 2].map((j) => f(x + j * h));
        const found = (8 * (values[2]! - values[1]!) - (values[3]! - values[0]!)) / (12 * h);
        const size = Math.max(...values.map(Math.abs));
        // Σ|weights| = 18/12 times the error of a value, the differences' own rounding, and the truncation
        // term.
        const noise = ((1.5 * bound + 1) * 2 ** -52 * size) / h;
        const truncation = (h ** 4 / 30) * Math.abs(fifth(x));
        const want = derivative(x);
        expect(Math.abs(found - want), `at ${x}`).toBeLessThanOrEqual(
          noise + truncation + 4e-16 * Math.abs(want),
        );
      }
    }
  });
});

describe("special values", () => {
  const { exp, expm1, log, log1p, tanh, sigmoid, erf, erfc, sin, cos, integerPower, power } = math;
  const { MAX_VALUE, MIN_VALUE } = Number;

  it.each<[string, number, number]>([
    ["exp(NaN)", exp(Number.NaN), Number.NaN],
    ["exp(0)", exp(0), 1],
    ["exp(−0)", exp(-0), 1],
    ["exp(∞)", exp(Infinity), Infinity],
    ["exp(−∞)", exp(-Infinity), 0],
    ["exp of the last argument with a finite value", exp(709.782712893384), 1.7976931348622732e308],
    ["exp of the next one", exp(nextUp(709.782712893384)), Infinity],
    ["exp of the largest number", exp(MAX_VALUE), Infinity],
    ["exp of the last argument that does not vanish", exp(-745.1332191019411), MIN_VALUE],
    ["exp of the one before", exp(-745.1332191019412), 0],
    ["exp of the most negative number", exp(-MAX_VALUE), 0],
    ["expm1(NaN)", expm1(Number.NaN), Number.NaN],
    ["expm1(0)", expm1(0), 0],
    ["expm1(−0)", expm1(-0), -0],
    ["expm1(∞)", expm1(Infinity), Infinity],
    ["expm1(−∞)", expm1(-Infinity), -1],
    ["expm1 of the smallest number", expm1(MIN_VALUE), MIN_VALUE],
    ["expm1 beyond overflow", expm1(709.79), Infinity],
    ["log(NaN)", log(Number.NaN), Number.NaN],
    ["log(0)", log(0), -Infinity],
    ["log(−0)", log(-0), -Infinity],
    ["log(1)", log(1), 0],
    ["log(−1)", log(-1), Number.NaN],
    ["log(∞)", log(Infinity), Infinity],
    ["log(−∞)", log(-Infinity), Number.NaN],
    ["log of the smallest number", log(MIN_VALUE), -744.4400719213812],
    ["log of the largest number", log(MAX_VALUE), 709.782712893384],
    ["log1p(NaN)", log1p(Number.NaN), Number.NaN],
    ["log1p(0)", log1p(0), 0],
    ["log1p(−0)", log1p(-0), -0],
    ["log1p(−1)", log1p(-1), -Infinity],
    ["log1p(−2)", log1p(-2), Number.NaN],
    ["log1p(∞)", log1p(Infinity), Infinity],
    ["log1p(−∞)", log1p(-Infinity), Number.NaN],
    ["log1p of the smallest number", log1p(MIN_VALUE), MIN_VALUE],
    ["log1p of the largest number", log1p(MAX_VALUE), 709.782712893384],
    ["tanh(NaN)", tanh(Number.NaN), Number.NaN],
    ["tanh(0)", tanh(0), 0],
    ["tanh(−0)", tanh(-0), -0],
    ["tanh(∞)", tanh(Infinity), 1],
    ["tanh(−∞)", tanh(-Infinity), -1],
    ["tanh of the smallest number", tanh(MIN_VALUE), MIN_VALUE],
    ["sigmoid(NaN)", sigmoid(Number.NaN), Number.NaN],
    ["sigmoid(0)", sigmoid(0), 0.5],
    ["sigmoid(−0)", sigmoid(-0), 0.5],
    ["sigmoid(∞)", sigmoid(Infinity), 1],
    ["sigmoid(−∞)", sigmoid(-Infinity), 0],
    ["sigmoid where it is denormal", sigmoid(-745), MIN_VALUE],
    ["erf(NaN)", erf(Number.NaN), Number.NaN],
    ["erf(0)", erf(0), 0],
    ["erf(−0)", erf(-0), -0],
    ["erf(∞)", erf(Infinity), 1],
    ["erf(−∞)", erf(-Infinity), -1],
    ["erfc(NaN)", erfc(Number.NaN), Number.NaN],
    ["erfc(0)", erfc(0), 1],
    ["erfc(−0)", erfc(-0), 1],
    ["erfc(∞)", erfc(Infinity), 0],
    ["erfc(−∞)", erfc(-Infinity), 2],
    ["erfc of the last argument that does not vanish", erfc(27.226017111108362), MIN_VALUE],
    ["erfc of the next one", erfc(nextUp(27.226017111108362)), 0],
    ["erfc of the largest number", erfc(MAX_VALUE), 0],
    ["erfc of the most negative number", erfc(-MAX_VALUE), 2],
    ["sin(NaN)", sin(Number.NaN), Number.NaN],
    ["sin(0)", sin(0), 0],
    ["sin(−0)", sin(-0), -0],
    ["sin(∞)", sin(Infinity), Number.NaN],
    ["sin(−∞)", sin(-Infinity), Number.NaN],
    ["sin of the smallest number", sin(MIN_VALUE), MIN_VALUE],
    ["cos(NaN)", cos(Number.NaN), Number.NaN],
    ["cos(0)", cos(0), 1],
    ["cos(∞)", cos(Infinity), Number.NaN],
    ["cos(−∞)", cos(-Infinity), Number.NaN],
    ["NaN to the power 0", integerPower(Number.NaN, 0), 1],
    ["NaN to the power 1", integerPower(Number.NaN, 1), Number.NaN],
    ["0 to the power 0", integerPower(0, 0), 1],
    ["0 cubed", integerPower(0, 3), 0],
    ["−0 cubed", integerPower(-0, 3), -0],
    ["−0 squared", integerPower(-0, 2), 0],
    ["0 to the power −1", integerPower(0, -1), Infinity],
    ["−0 to the power −1", integerPower(-0, -1), -Infinity],
    ["−0 to the power −2", integerPower(-0, -2), Infinity],
    ["∞ to the power −2", integerPower(Infinity, -2), 0],
    ["−∞ cubed", integerPower(-Infinity, 3), -Infinity],
    ["−∞ to the power −3", integerPower(-Infinity, -3), -0],
    ["−2 cubed", integerPower(-2, 3), -8],
    ["2 to the power −1074", integerPower(2, -1074), MIN_VALUE],
    ["2 to the power −1075", integerPower(2, -1075), 0],
    ["2 to the power 1023", integerPower(2, 1023), 2 ** 1023],
    ["2 to the power 1024", integerPower(2, 1024), Infinity],
    ["the smallest number to the power −1", integerPower(MIN_VALUE, -1), Infinity],
    ["−3 to the largest safe power", integerPower(-3, Number.MAX_SAFE_INTEGER), -Infinity],
    ["the largest number to the power ½", power(MAX_VALUE, 0.5), 1.3407807929942596e154],
    ["the smallest number to the power ½", power(MIN_VALUE, 0.5), 2.2227587494850775e-162],
    ["the smallest number to the power −0.9", power(MIN_VALUE, -0.9), 9.45352569147208e290],
    ["2 to the power −1074.5", power(2, -1074.5), MIN_VALUE],
    ["2 to the power −1075.5", power(2, -1075.5), 0],
    ["2 to the power 1024.5", power(2, 1024.5), Infinity],
  ])("%s", (_, got, want) => {
    expect(Object.is(got, want), `got ${got}, want ${want}`).toBe(true);
  });
});

describe("the sine of arguments that are hard to reduce", () => {
  it.each([
    ["the float nearest to a multiple of π/2, relative to its size", 6381956970095103 * 2 ** 797],
    ["π itself", Math.PI],
    ["a million times π", 1e6 * Math.PI],
    ["the largest float", Number.MAX_VALUE],
    ["10²²", 1e22],
    ["the first number beyond the fast reduction", nextUp(1647099)],
  ])("%s", (_, x) => {
    for (const y of [x, -x]) {
      expect(ulpError(math.sin(y), precise.sin(y))).toBeLessThanOrEqual(1);
      expect(ulpError(math.cos(y), precise.cos(y))).toBeLessThanOrEqual(1);
    }
  });
});

describe("integerPower", () => {
  it("is within 0.51 ULP for exponents of every size, the results spread over the range of floats", () => {
    const random = uniform(3);
    for (let i = 0; i < 1500 * depth; i++) {
      const n = Math.round((random() < 0.5 ? -1 : 1) * 2 ** (40 * random()));
      const base = Math.exp((1400 * random() - 700) / n) * (random() < 0.5 ? -1 : 1);
      expect(
        ulpError(math.integerPower(base, n), precise.integerPower(base, n)),
        `${base}^${n}`,
      ).toBeLessThan(0.51);
    }
  });

  it("multiplies like the hand would, where that is exact", () => {
    expect(math.integerPower(3, 33)).toBe(5559060566555523);
    expect(math.integerPower(-1.5, 7)).toBe(-17.0859375);
    expect(math.integerPower(0.1, 2)).toBe(0.1 * 0.1);
    expect(math.integerPower(10, -3)).toBe(0.001);
  });

  it.each([0.5, Number.NaN, Infinity])("refuses the exponent %s", (n) => {
    expect(() => math.integerPower(2, n)).toThrow(
      expect.objectContaining({
        code: "value",
        message: `integerPower: expected a whole number as exponent, got ${n}`,
      }),
    );
  });
});

describe("power", () => {
  /** One draw of a base and an exponent. */
  type Draw = (random: () => number) => readonly [x: number, exponent: number];
  const over = (y: number, x: number): number => y / Math.log(x);

  it.each<[what: string, draw: Draw]>([
    ["small exponents", (random) => [Math.exp(20 * random() - 10), 6 * random() - 3]],
    [
      "results of every size",
      (random) => {
        const x = Math.exp(1400 * random() - 700);
        return [x, over(1480 * random() - 744, x)];
      },
    ],
    [
      "bases near 1",
      (random) => {
        const x = 1 + (random() < 0.5 ? -0.5 : 1) * (0.5 + random() / 2) * 2 ** (-40 * random());
        return [x, over(1400 * random() - 700, x)];
      },
    ],
    [
      "the ends of the reduction, with results that are hardest",
      (random) => {
        const x = (random() < 0.5 ? 1.413 : 0.7072) + 0.001 * random();
        return [x, over(690 + 19 * random(), x)];
      },
    ],
    ["denormal bases", (random) => [Number.MIN_VALUE * 2 ** (50 * random()), 1.9 * random() - 0.95]],
    [
      "whole exponents, too large for products",
      (random) => [1 + 2 ** (-45 * random() - 6), Math.round(2 ** (40 + 12 * random()))],
    ],
    ["whole exponents", (random) => [Math.exp(6 * random() - 3), Math.round(200 * random() - 100)]],
  ])("is within 1.5 ULP, and within 0.5001 in float32: %s", (_, draw) => {
    const random = uniform(7);
    for (let i = 0; i < 1500 * depth; i++) {
      const [x, exponent] = draw(random);
      const [got, exact] = [math.power(x, exponent), precise.power(x, exponent)];
      expect(ulpError(got, exact), `${x}^${exponent}`).toBeLessThanOrEqual(1.5);
      expect(ulpError(Math.fround(got), exact, "float32"), `${x}^${exponent}`).toBeLessThanOrEqual(0.5001);
    }
  });

  it("rises or falls with its base and its exponent, stepping back by one ULP at the most", () => {
    const random = uniform(9);
    const stepBack = (here: number, next: number): number => (next >= here ? 0 : ulpDistance(here, next));
    for (let i = 0; i < 5000 * depth; i++) {
      const exponent = (random() - 0.5) * (i % 2 === 0 ? 2 : 300);
      const x = Math.exp(((random() - 0.5) * 1400) / Math.max(1, Math.abs(exponent)));
      const here = math.power(x, exponent);
      const [right, up] = [math.power(nextUp(x), exponent), math.power(x, nextUp(exponent))];
      const [rises, grows] = [exponent > 0, x > 1];
      expect(rises ? stepBack(here, right) : stepBack(right, here)).toBeLessThanOrEqual(1);
      expect(grows ? stepBack(here, up) : stepBack(up, here)).toBeLessThanOrEqual(1);
    }
  });

  const { MAX_VALUE, MIN_VALUE, MAX_SAFE_INTEGER } = Number;
  const magnitudes = [
    0,
    MIN_VALUE,
    0.3,
    0.5,
    1 - 2 ** -53,
    1,
    1 + 2 ** -52,
    1.5,
    2,
    3,
    1e300,
    MAX_VALUE,
    Infinity,
  ];
  const bases = [Number.NaN, ...magnitudes, ...magnitudes.map((x) => -x)];
  const exponents = [
    ...bases,
    2 ** 40,
    2 ** 40 + 1,
    -MAX_SAFE_INTEGER,
    MAX_SAFE_INTEGER,
    2 ** 53,
    -(2 ** 64),
  ];

  it.each(exponents)("has JavaScript's special values for the exponent %d", (exponent) => {
    for (const x of bases) {
      const [got, wanted] = [math.power(x, exponent), x ** exponent];
      // Between the special values the engine's own is not exact; its sign is.
      if (Number.isFinite(wanted) && wanted !== 0) expect(Math.abs(got / wanted - 1)).toBeLessThan(1e-15);
      else expect(got, `${x}^${exponent}`).toBe(wanted);
    }
  });

  it("is exact where one operation gives it", () => {
    for (const x of [0.1, 1.7, 1e-200, 12345.678]) {
      expect(math.power(x, 1)).toBe(x);
      expect(math.power(-x, 2)).toBe(x * x);
      expect(math.power(x, 0.5)).toBe(Math.sqrt(x));
      expect(math.power(x, -1)).toBe(1 / x);
    }
  });
});

describe("reproducibility", () => {
  it("gives these bits on every engine and every processor", () => {
    const view = new DataView(new ArrayBuffer(8));
    let hash = 0x811c9dc5 | 0;
    const absorb = (y: number): void => {
      view.setFloat64(0, y);
      for (let i = 0; i < 8; i++) hash = Math.imul(hash ^ view.getUint8(i), 0x01000193);
    };
    const random = uniform(11);
    for (let i = 0; i < 20000; i++) {
      const x = 12 * random() - 6;
      for (const { name, f } of cases)
        absorb(f(name === "log" ? x + 6.5 : name === "log1p" ? (x + 6) / 2 : x));
      absorb(math.integerPower(x, (i % 41) - 20));
      absorb(math.power(Math.abs(x), ((i % 401) - 200) / 7));
    }
    expect((hash >>> 0).toString(16)).toBe("7a6296b");
  });
});
