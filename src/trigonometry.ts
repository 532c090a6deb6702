/**
 * Floor 0: sine and cosine in float64, for every argument. Knows π to as many bits as the largest float asks
 * for; refuses to know degrees, tables and approximate reduction.
 */

/**
 * π/2 = FIRST + SECOND + THIRD to 119 bits; the first two have 33 bits, so that n·FIRST and n·SECOND are
 * exact.
 */
const HALF_PI_FIRST = 1.5707963267341256;
const HALF_PI_SECOND = 6.077100506303966e-11;
const HALF_PI_THIRD = 2.0222662487959506e-21;
const TWO_OVER_PI = 0.6366197723675814;

/** 2²⁰·π/2, rounded down: up to here n has at most 20 bits. */
const FAST_LIMIT = 1647099;

/** 2⁻³⁶: a remainder closer to zero has lost too many of the 119 bits. */
const SAFE_REMAINDER = 1.4551915228366852e-11;

/**
 * How many bits of π/2 `sineExactly` uses behind the point: 1024 for the largest float, 192 for the
 * remainder.
 */
const HALF_PI_BITS = 1216n;

const TWO_TO_53 = 9007199254740992;
const TWO_TO_MINUS_192 = 1.5930919111324523e-58;

/** ⌊π/2·2¹²¹⁶⌋ */
const HALF_PI_HEX =
  "0x1" +
  "921fb54442d18469898cc51701b839a252049c1114cf98e804177d4c76273644a29410f31c68" +
  "09bbdf2a33679a748636605614dbe4be286e9fc26adadaa3848bc90b6aecc4bcfd8de89885d3" +
  "4c6fdad617feb96de80d6fdbdc70d7f6b5133f4b5d3e4822f8963fcc9250cca3d9c8b67b8400" +
  "f97142c77e0b31b4906c38aba734d22c7f51fa499ebf06caba47b9475b2c38c5e6ac410aa577";

/**
 * The sine.
 *
 *     x     = n·π/2 + r        |r| ≤ π/4, see `sineAfterTurns`
 *     sin x = ±sin r, ±cos r   by n mod 4
 *
 * sin ±∞ = NaN; the sign of zero is kept. Error ≤ 1 ULP for every x.
 *
 * @see Cody & Waite, Software Manual for the Elementary Functions (1980), ch. 8; FDLIBM s_sin.c, Sun
 *   Microsystems (1993)
 */
export function sin(x: number): number {
  return sineAfterTurns(x, 0);
}

/**
 * The cosine.
 *
 *     cos x = sin(x + π/2)     the quarter turn is added to n, not to x
 *
 * cos ±∞ = NaN. Error ≤ 1 ULP for every x.
 *
 * @see Cody & Waite, Software Manual for the Elementary Functions (1980), ch. 8; FDLIBM s_cos.c, Sun
 *   Microsystems (1993)
 */
export function cos(x: number): number {
  return sineAfterTurns(x, 1);
}

/**
 * sin(x + turns·π/2), the remainder of x in three parts.
 *
 *     n = ⌊x·2/π + ½⌋
 *     r = ((x − n·FIRST) − n·SECOND) − n·THIRD = high + low
 *
 * The first difference is exact; what the second loses is computed exactly and joins the third. Two kinds of
 * arguments are too much for 119 bits and are reduced in whole numbers: large ones, and those within 2⁻³⁶ of
 * a multiple of π/2.
 */
function sineAfterTurns(x: number, turns: number): number {
  const a = Math.abs(x);
  if (a <= 0.7853981633974483) return sineOfRemainder(x, 0, turns);
  if (a <= FAST_LIMIT) {
    const n = Math.floor(x * TWO_OVER_PI + 0.5);
    const first = x - n * HALF_PI_FIRST;
    const second = n * HALF_PI_SECOND;
    const main = first - second;
    const subtracted = first - main;
    const lost = first - (main + subtracted) + (subtracted - second);
    const rest = n * HALF_PI_THIRD - lost;
    const high = main - rest;
    const low = main - high - rest;
    if (Math.abs(high) > SAFE_REMAINDER) return sineOfRemainder(high, low, n + turns);
  }
  return a < Infinity ? sineExactly(x, turns) : NaN;
}

/**
 * sin(x + turns·π/2) for |x| ≥ π/4, the remainder in whole numbers.
 *
 *     X = x·2¹²¹⁶                  exact: a float ≥ ½ is a multiple of 2⁻⁵³
 *     H = ⌊π/2·2¹²¹⁶⌋
 *     n = ⌊X/H + ½⌋, r = X − n H   off by at most n < 2¹⁰²⁴, which is 2⁻¹⁹² in x
 *
 * No float comes closer to a multiple of π/2 than 2⁻⁶², so that 130 good bits of r remain. Slow: a few
 * microseconds.
 *
 * @see Payne & Hanek, Radian reduction for trigonometric functions (1983), who keep only the bits that matter
 */
function sineExactly(x: number, turns: number): number {
  const halfPi = BigInt(HALF_PI_HEX);
  const scaled =
    Math.abs(x) < TWO_TO_53 ? BigInt(x * TWO_TO_53) << (HALF_PI_BITS - 53n) : BigInt(x) << HALF_PI_BITS;
  // Truncating division after adding or subtracting half the divisor rounds to the nearest.
  const n = (scaled + (x < 0 ? -halfPi : halfPi) / 2n) / halfPi;
  // 192 bits behind the point, within the range of a float.
  const remainder = (scaled - n * halfPi) >> (HALF_PI_BITS - 192n);
  const high = Number(remainder);
  const low = Number(remainder - BigInt(high));
  return sineOfRemainder(high * TWO_TO_MINUS_192, low * TWO_TO_MINUS_192, Number(n & 3n) + turns);
}

/** sin(high + low + turns·π/2) for |high| ≤ π/4 and |low| ≤ ½ ULP of high. */
function sineOfRemainder(high: number, low: number, turns: number): number {
  const y = turns & 1 ? cosineKernel(high, low) : sineKernel(high, low);
  return turns & 2 ? -y : y;
}

/**
 *     sin(x + t) ≈ x + (t (1 − x²/2) + x³ (S₁ + x² R(x²)))
 *
 * Approximation error below 2⁻⁵⁸. x enters last; −0 meets +0 there and keeps its sign.
 */
function sineKernel(x: number, t: number): number {
  const z = x * x;
  const cube = z * x;
  let r = 1.58969099521155e-10;
  r = r * z - 2.5050760253406863e-8;
  r = r * z + 2.7557313707070068e-6;
  r = r * z - 0.0001984126982985795;
  r = r * z + 0.00833333333332249;
  return x - (z * (0.5 * t - cube * r) - t - cube * -0.16666666666666632);
}

/**
 *     cos(x + t) ≈ 1 − x²/2 + (x⁴ R(x²) − x t)
 *
 * Approximation error below 2⁻⁵⁸. What 1 − x²/2 loses by rounding is computed exactly and joins the smaller
 * terms.
 */
function cosineKernel(x: number, t: number): number {
  const z = x * x;
  const half = 0.5 * z;
  const main = 1 - half;
  let r = -1.1359647557788195e-11;
  r = r * z + 2.087572321298175e-9;
  r = r * z - 2.7557314351390663e-7;
  r = r * z + 2.480158728947673e-5;
  r = r * z - 0.001388888888887411;
  r = r * z + 0.0416666666666666;
  return main + (1 - main - half + (z * (z * r) - x * t));
}
