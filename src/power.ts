/**
 * Floor 0: powers of a float64 with any exponent. Knows a logarithm of twice the precision; refuses to know more bits
 * than an exponential can use.
 */

import { expQuotient, LN2_HIGH, LN2_LOW } from "./exponential.ts";
import { integerPower } from "./integer-power.ts";
import { exponentOf, powerOfTwo, SMALLEST_NORMAL, TWO_TO_54 } from "./powers-of-two.ts";
import { productError } from "./product-error.ts";

/** Up to here a whole exponent is a matter of products, within 0.51 ULP. */
const TWO_TO_40 = 1099511627776;

/** No exponent beyond differs from it: log x of the float next to 1 is 2⁻⁵³, and e^(2¹¹) overflows. */
const TWO_TO_64 = 18446744073709552000;

/**
 * x^exponent, for any two numbers.
 *
 *     0, 1, 2, 3, −1, ½       : 1, x, x·x, x·x·x, 1/x, √x
 *     whole, at most 2⁴⁰      : products, see `integerPower`
 *     any other               : e^(exponent · log x), see `positivePower`
 *
 * Special values are those of JavaScript's `**`: x^0 = 1, also for NaN; ±1 to the power ±∞ is NaN; a negative number to
 * a power that is not whole is NaN. Error ≤ 1.5 ULP. From float to float it may step back by one ULP.
 */
export function power(x: number, exponent: number): number {
  if (exponent === 0) return 1;
  if (exponent === 1) return x;
  if (exponent === 2) return x * x;
  if (exponent === 3) return x * x * x;
  if (exponent === -1) return 1 / x;
  if (Number.isNaN(x) || Number.isNaN(exponent)) return NaN;
  const p = Math.max(-TWO_TO_64, Math.min(TWO_TO_64, exponent));
  const whole = Number.isInteger(p);
  if (whole && Math.abs(p) <= TWO_TO_40) return integerPower(x, p);
  const a = Math.abs(x);
  const odd = Math.abs(p % 2) === 1;
  if (a === 0 || a === Infinity) return integerPower(odd ? x : a, p > 0 ? 1 : -1);
  if ((x < 0 && !whole) || (a === 1 && Math.abs(exponent) === Infinity)) return NaN;
  if (p === 0.5) return Math.sqrt(x);
  return x < 0 && odd ? -positivePower(a, p) : positivePower(a, p);
}

/**
 * a^p for a positive, finite a.
 *
 *     a     = 2^k m                           √½ ≤ m < √2
 *     log m = 2 artanh s = 2s (1 + v)         s = (m − 1)/(m + 1), z = s² < 0.0295
 *     v     = z/3 + z² (1/5 + z/7 + …)        Taylor's series; what is cut off is below 2⁻⁷⁰
 *     a^p   = e^(p (k ln 2 + log m))
 *
 * An error in the exponent, up to 745, is a relative one in the result, so log a is needed to some 64 bits. s, z/3, the
 * sums and the product with p are therefore pairs high + low, in which low is what high lost by rounding; the rest of
 * the series is small enough to be one number.
 *
 * @see Dekker, A floating-point technique for extending the available precision (1971), §5, for the pairs
 */
function positivePower(a: number, p: number): number {
  const lift = a < SMALLEST_NORMAL ? 54 : 0;
  const normal = lift === 0 ? a : a * TWO_TO_54;
  const shift = exponentOf(normal);
  const m = normal * powerOfTwo(-shift);
  const k = shift - lift;

  const below = m - 1;
  const above = m + 1;
  const s = below / above;
  const ratio = s * above;
  const sLow = (below - ratio - productError(s, above, ratio) - s * (m - (above - 1))) / above;

  const z = s * s;
  const zLow = productError(s, s, z) + 2 * s * sLow;
  const third = z / 3;
  const thrice = third * 3;
  let series = 0;
  for (let n = 25; n >= 5; n -= 2) series = series * z + 1 / n;
  series *= z * z;
  const v = third + series;
  const vLow = third - v + series + (z - thrice - productError(third, 3, thrice) + zLow) / 3;

  const beyond = s * v;
  const half = s + beyond;
  const halfLow = s - half + beyond + (productError(s, v, beyond) + s * vLow + sLow * (1 + v));

  const main = k * LN2_HIGH;
  const sum = main + 2 * half;
  const rest = main - sum + 2 * half + (k * LN2_LOW + 2 * halfLow);
  const log = sum + rest;
  const logLow = sum - log + rest;

  const exponent = p * log;
  return expQuotient(exponent, productError(p, log, exponent) + p * logLow, 1);
}
