/** Floor 4: float32 as IEEE half precision and back, on bits. Refuses to know what an engine makes of a NaN. */

/**
 * The half nearest to a float32, of two equally near the one whose last bit is 0. From 65520 on that is infinity. A NaN
 * keeps its sign and the first ten bits of its payload, and stays one.
 *
 * @param bits of a float32
 * @returns the 16 bits of the half
 * @see IEEE 754-2019, §3.6 (binary16) and §4.3.1 (roundTiesToEven)
 */
export function halfFromFloat32(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) {
    const payload = (size >>> 13) & 0x3ff;
    return sign | 0x7c00 | (payload === 0 ? 0x200 : payload);
  }
  if (size >= 0x47800000) return sign | 0x7c00; // 2¹⁶ and beyond
  // At least 2⁻¹⁴: another exponent, thirteen bits less. A carry into the exponent is right as it is.
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  // Below, a half counts in units of 2⁻²⁴.
  const shift = 126 - (size >>> 23);
  if (shift > 24) return sign;
  const significand = (size & 0x7fffff) | 0x800000;
  const units = significand >>> shift;
  const rest = significand - (units << shift);
  const tie = 1 << (shift - 1);
  return sign | (units + (rest > tie || (rest === tie && (units & 1) === 1) ? 1 : 0));
}

/**
 * The float32 that is a half: every half is one.
 *
 * @param half 16 bits
 * @returns the bits of the float32
 * @see IEEE 754-2019, §3.6 (binary16)
 */
export function float32FromHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // A fraction of units 2⁻²⁴ that begins at bit 31 − clz32: shifted until that is the implicit bit.
  const up = Math.clz32(fraction) - 8;
  return (sign | ((126 - up) << 23) | ((fraction << up) & 0x7fffff)) >>> 0;
}
