/**
 * Floor 0: multiplication by powers of two. Knows the binary format of a float64 and how it ends at either
 * side; refuses to know any function that is evaluated with it.
 */

export const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** Lifts every denormal number into the normal range. */
export const TWO_TO_54 = 18014398509481984;

/** Exponents of the smallest and the largest finite power of two. */
const SMALLEST_EXPONENT = -1074;
const LARGEST_EXPONENT = 1023;

/**
 * Every finite power of two: a load is several times faster than writing bits and reading them back as a
 * float.
 */
const POWERS_OF_TWO = /* @__PURE__ */ powersOfTwo();

const BITS = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

function powersOfTwo(): Float64Array {
  const one = -SMALLEST_EXPONENT;
  const powers = new Float64Array(LARGEST_EXPONENT - SMALLEST_EXPONENT + 1);
  powers[one] = 1;
  for (let i = one + 1; i < powers.length; i++) powers[i] = powers[i - 1] * 2;
  for (let i = one - 1; i >= 0; i--) powers[i] = powers[i + 1] / 2;
  return powers;
}

/**
 * 2^k for a whole number −1074 ≤ k ≤ 1023; a NaN, which is then also in the number to be scaled, counts as 0.
 */
export function powerOfTwo(k: number): number {
  return POWERS_OF_TWO[(k | 0) - SMALLEST_EXPONENT];
}

/**
 * y·2^k, rounded once, for 2⁻²⁸ ≤ |y| < 2 and a whole number −2148 ≤ k ≤ 2046.
 *
 * In two halves, because 2^k itself may be out of range where y·2^k is not. Unless the result vanishes, the
 * first product is exact, so overflow and underflow are decided by the one rounding of the second.
 */
export function scale(y: number, k: number): number {
  const half = k >> 1;
  return y * powerOfTwo(half) * powerOfTwo(k - half);
}

/**
 * The whole number k with √½ ≤ x·2^−k < √2, for a positive, normal, finite x; √½ is met to 20 bits.
 *
 * The exponent field steps at 1. Adding the distance from √½ to 1 in the upper word makes it step at √½
 * instead. DataView's byte order does not depend on the machine.
 */
export function exponentOf(x: number): number {
  BITS.setFloat64(0, x);
  return ((BITS.getInt32(0) + (0x3ff00000 - 0x3fe6a09e)) >> 20) - 1023;
}
