/** How far roundings may carry a float32 result, for the bounds of an op's entry. */

/** Unit roundoff of float32, 2⁻²⁴: an operation is off by at most this share of its result. */
export const unitRoundoff = 5.9604644775390625e-8;

/**
 * The relative error of n roundings in a row: γₙ = n u / (1 − n u).
 *
 * @param roundoff u. Default: that of float32
 * @see Higham, Accuracy and Stability of Numerical Algorithms (2002), §3.1
 */
export function gamma(n: number, roundoff = unitRoundoff): number {
  return (n * roundoff) / (1 - n * roundoff);
}

/** The smallest number of float32, 2⁻¹⁴⁹: a store that rounds to 0 loses half of it at the most. */
export const smallest = 1.401298464324817e-45;
