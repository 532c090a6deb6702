/**
 * How far softmaxes, their logarithms and divergences of a row may be off, in whatever way they are computed in float64.
 * From these the laws' tolerances are made.
 *
 * @see Higham, Accuracy and Stability of Numerical Algorithms (2002), §3.1
 */
import type { Kernels } from "../../src/kernels/kernels.ts";
import { gamma as roundings } from "../ops/spec.ts";

/** The unit roundoff of float64, in which rows and losses are computed. */
export const w = 2 ** -53;

/** That of what a set stores. */
export const unitOf = (kernels: Kernels): number => (kernels.bytesPerElement === 4 ? 2 ** -24 : w);

/** γₙ = n w / (1 − n w), the relative error of n roundings in a row. */
export const gamma = (n: number): number => roundings(n, w);

export const total = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
export const absolute = (values: Iterable<number>): number => total([...values].map(Math.abs));
export const spread = (row: readonly number[]): number => Math.max(...row) - Math.min(...row);

/**
 * The relative error of softmax(row / T) before it is stored, and the absolute one of its logarithm. A logit's distance
 * from the largest is rounded up to four times on its way into an exponential, where that is a relative error, as the
 * function's own 2w is; the sum of all, its logarithm or reciprocal and a product take a rounding for each class and
 * some more.
 */
export const rowError = (row: readonly number[], T = 1): number =>
  gamma((4 * spread(row)) / T + 4 * row.length + 8);

/**
 * The error of KL(softmax(v / T) ‖ softmax(z / T)): every q (log q − log p) is off by the errors of its three parts, Σ q
 * is 1, and |log q − log p| is at most the spread of both rows and 2 log classes.
 */
export function divergenceError(z: readonly number[], v: readonly number[], T: number): number {
  const largest = (spread(z) + spread(v)) / T + 2 * Math.log(z.length);
  return 3 * (rowError(z, T) + rowError(v, T)) * (3 + largest);
}

/**
 * How far two distributions softened by T, and all between them, are from uniform: Σ |p − 1/classes| ≤ e^ρ − 1, where ρ
 * is the larger spread of the logits over T, since every p is within a factor of e^±ρ of 1/classes.
 */
export const unevenness = (z: readonly number[], v: readonly number[], T: number): number =>
  Math.expm1(Math.max(spread(z), spread(v)) / T);

/**
 * How far T² KL is from its limit ½ Var(z − v), the variance over classes: KL is half the variance of (z − v)/T under a
 * distribution between the two, and one that is η from uniform changes a variance by at most (η + η²) times the squared
 * spread.
 */
export function distanceFromLimit(z: readonly number[], v: readonly number[], T: number): number {
  const eta = unevenness(z, v, T);
  return 0.5 * differences(z, v) ** 2 * (eta + eta ** 2) + T * T * divergenceError(z, v, T);
}

/**
 * How far an entry of T (p − q) is from its limit, the centred z − v over classes: T (p − q) = s ⊙ (d − ⟨s, d⟩) for a
 * distribution s between the two, and d = z − v.
 */
export function gradientDistanceFromLimit(z: readonly number[], v: readonly number[], T: number): number {
  const eta = unevenness(z, v, T);
  return ((2 * eta + eta ** 2) * differences(z, v)) / z.length + 2 * T * (rowError(z, T) + rowError(v, T));
}

const differences = (z: readonly number[], v: readonly number[]): number =>
  spread(z.map((x, i) => x - v[i]!));
