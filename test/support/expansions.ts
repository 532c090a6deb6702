/**
 * Taylor's series of elementary functions around a point, ten terms of each: what a neighbourhood of the point is
 * compared with. The first two coefficients are exact; the others, which weigh little, are float64.
 */
import * as precise from "./precise.ts";
import { type Precise, preciseFrom, product, sum } from "./precise.ts";

/** f(c + h) = value + slope h + rest[0] t² + rest[1] t³ + …, where t = h/scale */
export interface Expansion {
  readonly value: Precise;
  readonly slope: Precise;
  readonly rest: readonly number[];
  /** Default 1. */
  readonly scale?: number;
}

/** A function of a point that gives a function's expansion there. */
export type Expand = (c: number) => Expansion;

/** The powers of h from h² to h⁹. */
const REST = 8;

const exactly = preciseFrom;
const float = precise.nearestFloat;
const coefficients = (of: (k: number) => number): number[] =>
  Array.from({ length: REST }, (_, i) => of(i + 2));
const times = (x: number, a: Precise): Precise => product(exactly(x), a);
const minus = (a: Precise): Precise => ({ ...a, mantissa: -a.mantissa });

const factorials = [1];
for (let k = 1; k < REST + 2; k++) factorials.push(factorials[k - 1]! * k);

/** A straight line is its own expansion. */
export const constant =
  (y: number): Expand =>
  () => ({ value: exactly(y), slope: exactly(0), rest: [] });
export const identity: Expand = (c) => ({ value: exactly(c), slope: exactly(1), rest: [] });

export const exp: Expand = (c) => {
  const value = precise.exp(c);
  const y = float(value);
  return { value, slope: value, rest: coefficients((k) => y / factorials[k]!) };
};

export const expm1: Expand = (c) => ({ ...exp(c), value: precise.expm1(c) });

export const log: Expand = (c) => ({
  value: precise.log(c),
  slope: precise.reciprocal(exactly(c)),
  rest: coefficients((k) => -((-1) ** k) / k),
  scale: c,
});

export const log1p: Expand = (c) => ({
  value: precise.log1p(c),
  slope: precise.reciprocal(sum(exactly(1), exactly(c))),
  rest: coefficients((k) => -((-1) ** k) / k),
  scale: 1 + c,
});

/** y′ = 1 − y² */
export const tanh: Expand = (c) => {
  const slope = times(4, product(precise.sigmoid(2 * c), precise.sigmoid(-2 * c)));
  const value = precise.tanh(c);
  return { value, slope, rest: grown(value, slope, (y, k) => -convolved(y, y, k)) };
};

/** y′ = y − y² */
export const sigmoid: Expand = (c) => {
  const slope = product(precise.sigmoid(c), precise.sigmoid(-c));
  const value = precise.sigmoid(c);
  return { value, slope, rest: grown(value, slope, (y, k) => y[k]! - convolved(y, y, k)) };
};

/** Of y′ = σ: the integral of the logistic function's series. */
export const softplus: Expand = (c) => {
  const s = sigmoid(c);
  return { value: precise.softplus(c), slope: s.value, rest: integrated(s) };
};

/** x σ(x) = (c + h) σ(c + h) */
export const silu: Expand = (c) => timesArgument(c, sigmoid(c));

/** The slope g has g′ = −2x g. */
export const erf: Expand = (c) => {
  const slope = precise.erfSlope(c);
  return { value: precise.erf(c), slope, rest: bellIntegrated(c, float(slope), 2) };
};

export const erfc: Expand = (c) => {
  const { slope, rest } = erf(c);
  return { value: precise.erfc(c), slope: minus(slope), rest: rest.map((a) => -a) };
};

/** x Φ(x); the density φ has φ′ = −x φ. */
export const gelu: Expand = (c) => {
  const slope = precise.normalDensity(c);
  const rest = bellIntegrated(c, float(slope), 1);
  return timesArgument(c, { value: precise.normalDistribution(c), slope, rest });
};

/** x s(x), where s = σ(u) has s′ = (s − s²) u′ for u = √(8/π) (x + 0.044715 x³). */
export const geluByTanh: Expand = (c) => {
  const scale = Math.sqrt(8 / Math.PI);
  const growth = [scale * (1 + 3 * 0.044715 * c * c), scale * 6 * 0.044715 * c, scale * 3 * 0.044715];
  const value = precise.geluGate(c);
  const slope = times(growth[0]!, product(value, precise.geluGate(-c)));
  const rest = grown(value, slope, (s, k) => {
    const product = Array.from({ length: k + 1 }, (_, i) => s[i]! - convolved(s, s, i));
    return convolved(product, growth, k);
  });
  return timesArgument(c, { value, slope, rest });
};

export const sin: Expand = (c) => circular(precise.sin(c), precise.cos(c));
export const cos: Expand = (c) => circular(precise.cos(c), minus(precise.sin(c)));

/** The derivatives of both repeat, with the sign turned: y, y′, −y, −y′, y, … */
function circular(value: Precise, slope: Precise): Expansion {
  const cycle = [float(value), float(slope), -float(value), -float(slope)];
  return { value, slope, rest: coefficients((k) => cycle[k % 4]! / factorials[k]!) };
}

/** The rest of a series from y′ = Σ next(y, k) hᵏ, which reads coefficients up to k. */
function grown(value: Precise, slope: Precise, next: (y: readonly number[], k: number) => number): number[] {
  const y = [float(value), float(slope)];
  for (let k = 1; k <= REST; k++) y.push(next(y, k) / (k + 1));
  return y.slice(2);
}

/** The rest of ∫ g, where g starts with `first` and g′ = −rate · x g. */
function bellIntegrated(c: number, first: number, rate: number): number[] {
  const g = [first, -rate * c * first];
  for (let k = 1; k < REST; k++) g.push((-rate * (c * g[k]! + g[k - 1]!)) / (k + 1));
  return coefficients((k) => g[k - 1]! / k);
}

function integrated({ slope, rest }: Expansion): number[] {
  const y = [float(slope), ...rest];
  return coefficients((k) => y[k - 2]! / k);
}

/** (c + h) y */
function timesArgument(c: number, y: Expansion): Expansion {
  const before = [float(y.slope), ...y.rest];
  return {
    value: times(c, y.value),
    slope: sum(y.value, times(c, y.slope)),
    rest: y.rest.map((a, i) => c * a + before[i]!),
  };
}

/** The k-th coefficient of a product of series. */
function convolved(a: readonly number[], b: readonly number[], k: number): number {
  let total = 0;
  for (let i = 0; i <= k; i++) total += a[i]! * (b[k - i] ?? 0);
  return total;
}
