/**
 * Dual numbers: a value and its derivative in one direction, computed forwards, with bounds of what float64 may have
 * lost. Nothing here knows the library; functions are the engine's own `Math`.
 *
 * @see Higham, Accuracy and Stability of Numerical Algorithms (2002), §3.3, for running error bounds
 */

/** A little more than the unit roundoff of float64, for products of two errors, which the bounds leave out. */
const u = 1.0001 * 2 ** -53;

/** How many roundings one step is granted: more than any op here has for one entry, the errors of `Math` included. */
const STEP = 16;

export interface Dual {
  readonly value: number;
  /** How far the value may be from the exact one. */
  readonly error: number;
  readonly slope: number;
  /** Σ over all paths from the input of the product of the absolute partial derivatives on it: at least |slope|. */
  readonly reach: number;
  /** How far the slope may be from the exact one. */
  readonly slopeError: number;
}

export const constant = (value: number): Dual => ({ value, error: 0, slope: 0, reach: 0, slopeError: 0 });
export const variable = (value: number): Dual => ({ value, error: 0, slope: 1, reach: 1, slopeError: 0 });

/** y with partial derivatives ∂y/∂xᵢ, each known up to an error. */
function composed(
  value: number,
  error: number,
  partials: readonly (readonly [x: Dual, partial: number, error: number])[],
): Dual {
  let [slope, reach, slopeError] = [0, 0, 0];
  for (const [x, partial, off] of partials) {
    slope += partial * x.slope;
    reach += (Math.abs(partial) + off) * x.reach;
    slopeError += (Math.abs(partial) + off) * x.slopeError + off * x.reach;
  }
  return {
    value,
    error: error + STEP * u * Math.abs(value),
    slope,
    reach,
    slopeError: slopeError + STEP * u * reach,
  };
}

export const add = (a: Dual, b: Dual): Dual =>
  composed(a.value + b.value, a.error + b.error, [
    [a, 1, 0],
    [b, 1, 0],
  ]);

export const sub = (a: Dual, b: Dual): Dual =>
  composed(a.value - b.value, a.error + b.error, [
    [a, 1, 0],
    [b, -1, 0],
  ]);

export const mul = (a: Dual, b: Dual): Dual =>
  composed(a.value * b.value, Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error, [
    [a, b.value, b.error],
    [b, a.value, a.error],
  ]);

export const scale = (s: number, a: Dual): Dual => composed(s * a.value, Math.abs(s) * a.error, [[a, s, 0]]);

/** The sum of any number of duals, in whatever order the op under test takes. */
export function sum(terms: readonly Dual[]): Dual {
  const total = terms.reduce(add, constant(0));
  const size = terms.reduce((sum, { value }) => sum + Math.abs(value), 0);
  const reach = terms.reduce((sum, term) => sum + term.reach, 0);
  const order = terms.length * u;
  return { ...total, error: total.error + order * size, slopeError: total.slopeError + order * reach };
}

/**
 * A function of one value.
 *
 * @param derivative at x
 * @param bend a bound of |f″| around x
 */
function smooth(
  f: (x: number) => number,
  derivative: (x: number) => number,
  bend: (x: number) => number,
): (a: Dual) => Dual {
  return (a) => {
    const partial = derivative(a.value);
    const off = bend(a.value) * a.error + STEP * u * Math.abs(partial);
    return composed(f(a.value), (Math.abs(partial) + off) * a.error, [[a, partial, off]]);
  };
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

export const exp = smooth(Math.exp, Math.exp, (x) => 1.1 * Math.exp(x));
export const log = smooth(
  Math.log,
  (x) => 1 / x,
  (x) => 1.1 / x ** 2,
);
export const sqrt = smooth(
  Math.sqrt,
  (x) => 0.5 / Math.sqrt(x),
  (x) => 0.3 / x ** 1.5,
);
export const reciprocal = smooth(
  (x) => 1 / x,
  (x) => -1 / x ** 2,
  (x) => 2.2 / Math.abs(x) ** 3,
);
export const tanh = smooth(
  Math.tanh,
  (x) => 1 / Math.cosh(x) ** 2,
  () => 1,
);
export const sigmoid = smooth(
  logistic,
  (x) => logistic(x) * logistic(-x),
  () => 1,
);
export const softplus = smooth(
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  logistic,
  () => 1,
);
/** Away from 0. */
export const relu = smooth(
  (x) => Math.max(x, 0),
  (x) => (x > 0 ? 1 : 0),
  () => 0,
);
