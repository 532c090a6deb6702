/**
 * Floor 0: what a product of two float64 loses by rounding. Knows the halves of a mantissa; refuses to know what the
 * lost bits are for.
 */

/**
 * a b − fl(a b), exactly, by splitting each factor into halves of at most 26 bits and a sign.
 *
 * @see Shewchuk, Adaptive precision floating-point arithmetic (1997), theorems 17 and 18 (Veltkamp's and
 *   Dekker's)
 */
export function productError(a: number, b: number, rounded: number): number {
  const splitter = 134217729;
  const ta = splitter * a;
  const tb = splitter * b;
  const aHigh = ta - (ta - a);
  const bHigh = tb - (tb - b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aHigh * bHigh - rounded + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
