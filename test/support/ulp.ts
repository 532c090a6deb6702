/**
 * Distances between floats, counted in representable numbers. The bits of a float, read as an integer with
 * the negative half mirrored, are in the order of the floats; neighbours differ by 1.
 *
 * NaN equals only NaN and is infinitely far from every number, an infinity from everything but itself.
 */

const bits = new DataView(new ArrayBuffer(8));

export interface ZeroOption {
  /** Whether −0 and +0 are 1 apart. Default: false, they are the same. */
  distinctZeros?: boolean;
}

/** How many float64 steps lie between a and b. Distances above 2⁵³ are rounded. */
export function ulpDistance(a: number, b: number, { distinctZeros = false }: ZeroOption = {}): number {
  return special(a, b, distinctZeros) ?? Number(magnitude(rank64(a) - rank64(b)));
}

/** How many float32 steps lie between a and b, which must be float32 values. */
export function ulpDistance32(a: number, b: number, { distinctZeros = false }: ZeroOption = {}): number {
  if (!Object.is(Math.fround(a), a) || !Object.is(Math.fround(b), b)) {
    throw new RangeError(`ulpDistance32: expected two float32 values, got ${a} and ${b}`);
  }
  return special(a, b, distinctZeros) ?? Math.abs(rank32(a) - rank32(b));
}

/** The next float64 above x; +∞ stays. */
export function nextUp(x: number): number {
  return x === Infinity || Number.isNaN(x) ? x : fromRank64(rank64(x) + 1n);
}

/** The float64 that is `steps` after x in the order of the floats. */
export function stepped(x: number, steps: number): number {
  return fromRank64(rank64(x) + BigInt(steps));
}

function special(a: number, b: number, distinctZeros: boolean): number | undefined {
  if (Object.is(a, b)) return 0;
  if (a === 0 && b === 0) return distinctZeros ? 1 : 0;
  return Number.isFinite(a) && Number.isFinite(b) ? undefined : Infinity;
}

function rank64(x: number): bigint {
  bits.setFloat64(0, x);
  const word = bits.getBigInt64(0);
  return word >= 0n ? word : -(2n ** 63n) - word;
}

function fromRank64(rank: bigint): number {
  bits.setBigInt64(0, rank >= 0n ? rank : -(2n ** 63n) - rank);
  return bits.getFloat64(0);
}

function rank32(x: number): number {
  bits.setFloat32(0, x);
  const word = bits.getInt32(0);
  return word >= 0 ? word : -(2 ** 31) - word;
}

function magnitude(n: bigint): bigint {
  return n < 0n ? -n : n;
}
