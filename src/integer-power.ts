/**
 * Floor 0: whole powers of a float64. Knows numbers of twice the precision and of any exponent; refuses to
 * know exp and log, which would need as many digits again.
 */

import { DistilgradError } from "./errors.ts";
import { exponentOf, powerOfTwo, SMALLEST_NORMAL, scale, TWO_TO_54 } from "./powers-of-two.ts";
import { productError } from "./product-error.ts";

/** (high + low)·2^exponent, high in [√½, √2) and |low| ≤ ½ ULP of high. */
interface Scaled {
  readonly high: number;
  readonly low: number;
  readonly exponent: number;
}

/**
 * base^n for a whole number n.
 *
 *     base^n = Π base^(2^i)       over the bits i set in n, by repeated squaring
 *     base^−n = 1/base^n
 *
 * Every product keeps about 104 bits and its exponent apart. Squaring doubles the relative error, so that n
 * multiplies it: plain products would lose log₂ n bits, these lose theirs beyond the last bit of the result.
 * One rounding at the end.
 *
 * base^0 = 1, also for NaN. Error ≤ 0.51 ULP for |n| ≤ 2⁴⁰; denormal results ≤ 1 ULP.
 *
 * @throws `value` if n is not a whole number
 * @see Knuth, The Art of Computer Programming, vol. 2, 3rd ed., §4.6.3, algorithm A
 */
export function integerPower(base: number, n: number): number {
  if (!Number.isInteger(n)) {
    throw new DistilgradError("value", `integerPower: expected a whole number as exponent, got ${n}`);
  }
  if (n === 0) return 1;
  if (Number.isNaN(base)) return NaN;
  const sign = n % 2 !== 0 && (base < 0 || Object.is(base, -0)) ? -1 : 1;
  const a = Math.abs(base);
  if (a === 0 || a === Infinity) return sign * ((a === 0) === n > 0 ? 0 : Infinity);

  let square = scaledFrom(a);
  let power: Scaled = { high: 1, low: 0, exponent: 0 };
  for (let bits = Math.abs(n); ; ) {
    if (bits % 2 === 1) power = product(power, square);
    bits = Math.floor(bits / 2);
    if (bits === 0) break;
    square = product(square, square);
  }
  return sign * (n > 0 ? rounded(power.high, power.exponent) : rounded(reciprocal(power), -power.exponent));
}

/** A positive finite number, exactly. */
function scaledFrom(a: number): Scaled {
  const lift = a < SMALLEST_NORMAL ? 54 : 0;
  const normal = lift === 0 ? a : a * TWO_TO_54;
  const k = exponentOf(normal);
  return { high: normal * powerOfTwo(-k), low: 0, exponent: k - lift };
}

/** a b, except for the product of the two low parts: relative error below 2⁻¹⁰². */
function product(a: Scaled, b: Scaled): Scaled {
  const main = a.high * b.high;
  const rest = productError(a.high, b.high, main) + (a.high * b.low + a.low * b.high);
  const high = main + rest;
  const low = rest - (high - main);
  const k = exponentOf(high);
  const unit = powerOfTwo(-k);
  return { high: high * unit, low: low * unit, exponent: a.exponent + b.exponent + k };
}

/** 1/(high + low), rounded nearly correctly: one Newton step from 1/high, its residual computed exactly. */
function reciprocal({ high, low }: Scaled): number {
  const q = 1 / high;
  const one = q * high;
  const residual = 1 - one - productError(q, high, one) - q * low;
  return q + q * residual;
}

/**
 * y·2^exponent; beyond ±2040 the result is 0 or ∞ whatever y is, and the exponent is cut to what `scale`
 * takes.
 */
function rounded(y: number, exponent: number): number {
  return scale(y, Math.max(-2040, Math.min(2040, exponent)));
}
