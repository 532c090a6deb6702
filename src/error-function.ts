/**
 * Floor 0: the error function and its complement in float64. Knows rational approximations on four intervals; refuses
 * to know the normal distribution, which is the same curve in other units.
 */

import { expQuotient } from "./exponential.ts";

/**
 * The error function 2/√π ∫₀ˣ exp(−t²) dt.
 *
 *     |x| < 0.84375 : x + x R(x²)
 *     |x| < 1.25    : ±(erf 1 + R(|x| − 1))
 *     |x| < 6       : ±(1 − erfc |x|)
 *     else          : ±1
 *
 * R stands for a rational approximation, another one on each line. Odd, and the sign of zero is kept. Error ≤ 1.2 ULP.
 *
 * @see FDLIBM s_erf.c, Sun Microsystems (1993), whose coefficients these are
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 0.84375) return x + x * beyondLinear(x);
  const y = a < 1.25 ? ERF_1 + aroundOne(a - 1) : a < 6 ? 1 - erfcTail(a) : a >= 6 ? 1 : NaN;
  return x < 0 ? -y : y;
}

/**
 * The complementary error function 1 − erf x, accurate also where erf x is close to 1.
 *
 *     x < −6        : 2
 *     x ≤ −1.25     : 2 − erfc |x|
 *     |x| < 0.84375 : 1 − (x + x R(x²))         from ½ on as (1 − x) − x R(x²)
 *     |x| < 1.25    : 1 ∓ (erf 1 + R(|x| − 1))
 *     x < 28        : e^−x² S(1/x²)/x           see `erfcTail`
 *     else          : 0
 *
 * It falls from 2 to 0 and vanishes beyond 27.2, where the result is denormal. Error ≤ 2 ULP.
 *
 * @see FDLIBM s_erf.c, Sun Microsystems (1993), whose coefficients these are
 */
export function erfc(x: number): number {
  const a = Math.abs(x);
  if (a < 0.84375) {
    const r = x * beyondLinear(x);
    // From ½ on, 1 − x is exact.
    return x < 0.5 ? 1 - (x + r) : 1 - x - r;
  }
  if (a < 1.25) return x < 0 ? 1 + (ERF_1 + aroundOne(a - 1)) : 1 - ERF_1 - aroundOne(a - 1);
  if (x < 0) return x < -6 ? 2 : 2 - erfcTail(a);
  return x < 28 ? erfcTail(x) : x >= 28 ? 0 : NaN;
}

/** erf 1, rounded to 24 bits: 1 − ERF_1 is exact. */
const ERF_1 = 0.8450629115104675;

/**
 * (erf x)/x − 1 for |x| < 0.84375.
 *
 *     (c₀ − c₁ z + z² P)/Q                                                     z = x²
 *     c₀ − c₁ z = (c₀ − 21/64 t²) + ((21/64 − c₁) t² − c₁ (x − t)(x + t))      t is x rounded to 24 bits
 *
 * The first difference is exact, and the second small. Around 0.8 what is added here is as large as half of erfc.
 */
function beyondLinear(x: number): number {
  const z = x * x;
  let p = -2.3763016656650163e-5;
  p = p * z - 0.005770270296489442;
  p = p * z - 0.02848174957559851;
  let q = -3.960228278775368e-6;
  q = q * z + 0.00013249473800432164;
  q = q * z + 0.005081306281875766;
  q = q * z + 0.0650222499887673;
  q = q * z + 0.39791722395915535;
  q = q * z + 1;
  const t = Math.fround(x);
  const main = 0.12837916709551256 - 0.328125 * (t * t);
  const rest = (0.328125 - 0.3250421072470015) * (t * t) - 0.3250421072470015 * ((x - t) * (x + t));
  return (main + (rest + z * z * p)) / q;
}

/**
 * erf(1 + s) − ERF_1 for −0.15625 ≤ s < 0.25.
 *
 *     (c₀ + c₁ s + s² P)/(1 + Q) = c₁ s + (c₀ + s² P − c₁ s Q)/(1 + Q)
 *
 * The right-hand side leaves the larger part of the result out of the quotient: its rounding errors weigh less.
 */
function aroundOne(s: number): number {
  const linear = s * 0.41485611868374833;
  let p = -0.002166375594868791;
  p = p * s + 0.035478304325618236;
  p = p * s - 0.11089469428239668;
  p = p * s + 0.31834661990116175;
  p = p * s - 0.3722078760357013;
  let q = 0.011984499846799107;
  q = q * s + 0.01363708391202905;
  q = q * s + 0.12617121980876164;
  q = q * s + 0.07182865441419627;
  q = q * s + 0.540397917702171;
  q = q * s + 0.10642088040084423;
  q = q * s;
  return linear + (s * s * p - 0.0023621185607526594 - linear * q) / (1 + q);
}

/**
 * erfc a for 1.25 ≤ a < 28.
 *
 *     erfc a = exp(−a² − 0.5625 + R(1/a²))/a        the exponent as high + low
 *     high   = −t² − 0.5625                          t is a rounded to 24 bits, so that this is exact
 *     low    = (t − a)(t + a) + R
 *
 * An error in the exponent is a relative one in the result: the rounding of a² alone would cost 400 ULP at a = 27.
 */
function erfcTail(a: number): number {
  const t = Math.fround(a);
  const high = -t * t - 0.5625;
  const z = 1 / (a * a);
  const low = (t - a) * (t + a) + (a < 2.857142857142857 ? nearTail(z) : farTail(z));
  const exponent = high + low;
  return expQuotient(exponent, low - (exponent - high), a);
}

/** a² + 0.5625 + log(a erfc a) for 1.25 ≤ a < 1/0.35, z = 1/a². */
function nearTail(z: number): number {
  let p = -9.814329344169145;
  p = p * z - 81.2874355063066;
  p = p * z - 184.60509290671104;
  p = p * z - 162.39666946257347;
  p = p * z - 62.375332450326006;
  p = p * z - 10.558626225323291;
  p = p * z - 0.6938585727071818;
  p = p * z - 0.009864944034847148;
  let q = -0.0604244152148581;
  q = q * z + 6.570249770319282;
  q = q * z + 108.63500554177944;
  q = q * z + 429.00814002756783;
  q = q * z + 645.3872717332679;
  q = q * z + 434.56587747522923;
  q = q * z + 137.65775414351904;
  q = q * z + 19.651271667439257;
  q = q * z + 1;
  return p / q;
}

/** The same for 1/0.35 ≤ a < 28. */
function farTail(z: number): number {
  let p = -483.5191916086514;
  p = p * z - 1025.0951316110772;
  p = p * z - 637.5664433683896;
  p = p * z - 160.63638485582192;
  p = p * z - 17.757954917754752;
  p = p * z - 0.799283237680523;
  p = p * z - 0.0098649429247001;
  let q = -22.44095244658582;
  q = q * z + 474.52854120695537;
  q = q * z + 2553.0504064331644;
  q = q * z + 3199.8582195085955;
  q = q * z + 1536.729586084437;
  q = q * z + 325.7925129965739;
  q = q * z + 30.33806074348246;
  q = q * z + 1;
  return p / q;
}
