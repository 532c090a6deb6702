/**
 * Floor 0: the exponential function, its inverse, and the sigmoids that are made of it, in float64. Knows ln 2 to 86
 * bits; refuses to know powers of another base.
 */

import { exponentOf, powerOfTwo, SMALLEST_NORMAL, scale, TWO_TO_54 } from "./powers-of-two.ts";
import { productError } from "./product-error.ts";

/**
 * ln 2 = LN2_HIGH + LN2_LOW to 86 bits; the high part ends in 21 zero bits, so that k·LN2_HIGH is exact for
 * |k| < 2²¹.
 */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;
export const INVERSE_LN2 = 1 / (LN2_HIGH + LN2_LOW);

/** Of P in `expBeyondLinear`, the highest power first. */
export const EXP_5 = 4.1381367970572385e-8;
export const EXP_4 = -1.6533902205465252e-6;
export const EXP_3 = 6.613756321437934e-5;
export const EXP_2 = -0.0027777777777015593;
export const EXP_1 = 0.16666666666666602;

/**
 * What e^r adds to 1 + r, for |r| ≤ ½ ln 2.
 *
 *     r·(e^r + 1)/(e^r − 1) = 2 + r² P(r²)          even in r, so half as many coefficients
 *     e^r − 1 − r           = r c/(2 − c)            c = r − r² P(r²)
 *
 * The approximation error is below 2⁻⁵⁹, and the result is a small correction to r.
 */
function expBeyondLinear(r: number): number {
  const z = r * r;
  const p = (((EXP_5 * z + EXP_4) * z + EXP_3) * z + EXP_2) * z + EXP_1;
  const c = r - z * p;
  return (r * c) / (2 - c);
}

/**
 * The exponential function.
 *
 *     x   = k ln 2 + r            k = ⌊x / ln 2 + ½⌋, |r| ≤ ½ ln 2, r = high − low to 86 bits
 *     e^r = 1 + r + r c/(2 − c)   see `expBeyondLinear`
 *     e^x = 2^k e^r
 *
 * What the sum 1 + high loses by rounding is computed exactly and joins the smaller terms. Error ≤ 1 ULP.
 *
 * @see FDLIBM e_exp.c, Sun Microsystems (1993), whose coefficients these are
 */
export function exp(x: number): number {
  // Generous limits: between them the rounding in `scale` decides what overflows or vanishes.
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  const k = Math.floor(x * INVERSE_LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const rest = expBeyondLinear(high - low) - low;
  const main = 1 + high;
  return scale(main + (high - (main - 1) + rest), k);
}

/**
 * e^(x + tail)/divisor, for functions that know their exponent to more than 53 bits.
 *
 *     e^r         = main + rest                                   as in `exp`, the tail in the low part of r
 *     e^r/divisor = q + (main − q divisor + rest)/divisor         q = main/divisor, its residual exact
 *
 * Error ≤ 0.75 ULP and that of the exponent.
 *
 * @param tail at most an ULP of x
 * @param divisor between 1 and 2²⁷
 */
export function expQuotient(x: number, tail: number, divisor: number): number {
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  const k = Math.floor(x * INVERSE_LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW - tail;
  const main = 1 + high;
  const rest = high - (main - 1) + (expBeyondLinear(high - low) - low);
  const q = main / divisor;
  const product = q * divisor;
  const residual = main - product - productError(q, divisor, product);
  return scale(q + (residual + rest) / divisor, k);
}

/**
 * e^x − 1, accurate also where e^x is close to 1.
 *
 *     x       = k ln 2 + r                    as in `exp`
 *     e^r − 1 = r + r c/(2 − c)
 *     e^x − 1 = 2^k ((1 − 2^−k) + (e^r − 1))
 *
 * The sign of zero is kept: the correction of r is +0 there, and −0 − 0 = −0. Error ≤ 1.5 ULP.
 *
 * @see FDLIBM s_expm1.c, Sun Microsystems (1993), with the approximation of e_exp.c
 */
export function expm1(x: number): number {
  if (x > 710) return Infinity;
  // Half the gap below 1 is 2⁻⁵⁴ = e^−37.43: from here on the result rounds to −1.
  if (x < -38) return -1;
  const k = Math.floor(x * INVERSE_LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const correction = low - expBeyondLinear(high - low);
  if (k === 0) return x - correction;
  const start = 1 - powerOfTwo(-k);
  // For k = ±1 the sum start + high is nearly exact; further out r is small beside start and is better
  // rounded alone.
  const sum = k === 1 || k === -1 ? start + high - correction : start + (high - correction);
  return scale(sum, k);
}

/**
 * log(2^k (1 + f)) + tail, for √½ − 1 ≤ f ≤ √2 − 1.
 *
 *     s          = f/(2 + f)                              log(1 + f) = 2 artanh s
 *     log(1 + f) = f − (½f² − s (½f² + R(s²)))            2 artanh s = 2s + s R(s²)
 *     log        = k ln 2 + log(1 + f)                    smallest terms first
 *
 * The approximation error is below 2⁻⁵⁸·⁴⁵. f, which is exact, enters last: the rounding of all else is small
 * beside it.
 */
function logReduced(f: number, k: number, tail: number): number {
  const s = f / (2 + f);
  const z = s * s;
  let p = 0.14798198605116586;
  p = p * z + 0.15313837699209373;
  p = p * z + 0.1818357216161805;
  p = p * z + 0.22222198432149784;
  p = p * z + 0.2857142874366239;
  p = p * z + 0.3999999999940942;
  p = p * z + 0.6666666666666735;
  const r = z * p;
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + r) + (k * LN2_LOW + tail)) - f);
}

/**
 * The natural logarithm.
 *
 *     x     = 2^k (1 + f)              √½ ≤ 1 + f < √2, so that k = 0 around x = 1, where log x vanishes
 *     log x = k ln 2 + log(1 + f)      see `logReduced`
 *
 * log 0 = −∞; the logarithm of a negative number is NaN. Error ≤ 1 ULP.
 *
 * @see FDLIBM e_log.c, Sun Microsystems (1993), whose coefficients these are
 */
export function log(x: number): number {
  if (x >= SMALLEST_NORMAL) {
    if (x === Infinity) return x;
    const k = exponentOf(x);
    return logReduced(x * powerOfTwo(-k) - 1, k, 0);
  }
  if (x > 0) {
    const normal = x * TWO_TO_54;
    const k = exponentOf(normal);
    return logReduced(normal * powerOfTwo(-k) - 1, k - 54, 0);
  }
  return x === 0 ? -Infinity : NaN;
}

/**
 * log(1 + x), accurate also where x is close to 0.
 *
 *     u          = fl(1 + x) = 2^k (1 + f)
 *     log(1 + x) = log u + (1 + x − u)/u       what the rounding of u lost, to first order
 *     k = 0      : f = x, exactly
 *
 * log1p(−1) = −∞; below −1 the result is NaN; the sign of zero is kept. Error ≤ 1 ULP.
 *
 * @see FDLIBM s_log1p.c, Sun Microsystems (1993)
 */
export function log1p(x: number): number {
  if (!(x > -1)) return x === -1 ? -Infinity : NaN;
  if (x === Infinity) return x;
  // x²/2 is below half an ULP of x.
  if (Math.abs(x) < 1e-16) return x;
  const u = 1 + x;
  const k = exponentOf(u);
  if (k === 0) return logReduced(x, 0, 0);
  // The larger summand is subtracted first: then both differences are exact.
  const lost = x < 1 ? x - (u - 1) : 1 - (u - x);
  return logReduced(u * powerOfTwo(-k) - 1, k, lost / u);
}

/**
 * The hyperbolic tangent.
 *
 *     |x| ≤ ½ ln 3 : tanh x = x + x z P(z)/Q(z)         z = x²
 *     |x| > ½ ln 3 : tanh x = ±(1 − 2/(e^2|x| + 1))
 *
 * At ½ ln 3 the tangent is ½: beyond, the quotient is the smaller part and its error halves. Odd, and the
 * sign of zero is kept. Error ≤ 2 ULP.
 *
 * @see Cody & Waite, Software Manual for the Elementary Functions (1980), ch. 13, whose coefficients these
 *   are
 */
export function tanh(x: number): number {
  const a = Math.abs(x);
  if (a > 0.5493061443340549) {
    const t = 1 - 2 / (exp(2 * a) + 1);
    return x < 0 ? -t : t;
  }
  // x³/3 is below half an ULP of x.
  if (a < 1e-8) return x;
  const z = x * x;
  let p = -0.9643991794250523;
  p = p * z - 99.28772310019185;
  p = p * z - 1614.6876844170845;
  let q = z + 112.81167849163293;
  q = q * z + 2235.4883906010045;
  q = q * z + 4844.063053251255;
  return x + x * ((z * p) / q);
}

/**
 * The logistic function 1/(1 + e^−x).
 *
 *     e = e^−|x|
 *     x ≥ 0 : 1/(1 + e)
 *     x < 0 : e − e t            t = e/(1 + e): equal to t, but the errors of 1 + e and t weigh only t
 *
 * e never overflows, and far to the left the result is e itself, denormal numbers included. Error ≤ 2 ULP.
 *
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), §3.10
 */
export function sigmoid(x: number): number {
  const e = exp(-Math.abs(x));
  return x < 0 ? e - e * (e / (1 + e)) : 1 / (1 + e);
}
