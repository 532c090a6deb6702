/**
 * A function of one value at every float32, or at a part of them, against its exact value.
 *
 * The numbers are cut into pieces, each short enough that ten terms of Taylor's series around one point c serve all of
 * it. Let ρ be the radius of a disc around c on which |f| is at most K |f(c)|, and |x − c| ≤ ρ/256: by Cauchy's bound of
 * the coefficients, what the series leaves out is below 2⁻⁷⁹ K |f(c)|. The difference to the float64 value y is taken in
 * an order in which nothing large is rounded:
 *
 *     y − f(x) = ((y − high) − h slopeHigh) − (low + h slopeLow + h² (…))       h = x − c, exactly
 *
 * y − high is exact, as both are within a factor of two. h slopeHigh is exact: h has 24 bits, slopeHigh 26. All else is
 * at most 2⁻¹⁶ K |f|, and its roundings are below K/4000 units in the last place of y. Around a root the same holds of
 * f(x)/h. K is at most 60 for the radii that the tests give, so errors are known to 0.015 units.
 *
 * Sine and cosine are compared after their argument has been reduced, in whole numbers, to r = x − n π/2; the series are
 * then around multiples of 1/128. There h has more bits than 24, and what is beyond them counts with the small terms.
 */
import { cos, type Expand, type Expansion, sin } from "./expansions.ts";
import { type Precise, parted, pi, preciseFrom, sum } from "./precise.ts";

/** A part of the line, from its first number up to, but not including, its last, where f is compared with its series. */
export interface Expanded {
  readonly from: number;
  readonly to: number;
  readonly expand: Expand;
  /** ρ at x. */
  readonly radius: (x: number) => number;
  /** A root, or a point that very many numbers are close to, and ρ there. */
  readonly anchor?: { readonly at: number; readonly radius: number };
  /** Whether f rises (1) or falls (−1) from number to number; 0 where it does neither, or this is not asked. */
  readonly direction: 1 | -1 | 0;
}

/** A part of the line where every value rounds to the same float32. */
export interface Rounded {
  readonly from: number;
  readonly to: number;
  readonly rounded: number;
}

/** A part of the line, away from 0, where f is sin(x + turns · π/2). */
export interface Circular {
  readonly from: number;
  readonly to: number;
  readonly turns: 0 | 1;
  readonly direction: 1 | -1 | 0;
  /** One number of so many is taken, and of these one of the stride. */
  readonly every: number;
}

export type Zone = Expanded | Rounded | Circular;

export interface Worst {
  /** In units in the last place. */
  readonly error: number;
  readonly at: number;
}

/** Which part of the numbers is taken: one piece of so many, and in these one number of so many. */
export interface Stride {
  readonly pieces: number;
  readonly inputs: number;
}

export const everyInput: Stride = { pieces: 1, inputs: 1 };

const word = new Int32Array(1);
const value = new Float32Array(word.buffer);

/** The place of a float32 in their order, with 0 for both zeros. */
export function rankOf(x: number): number {
  value[0] = x;
  return word[0]! >= 0 ? word[0]! : -(2 ** 31) - word[0]!;
}

export function fromRank(rank: number): number {
  word[0] = rank >= 0 ? rank : -(2 ** 31) - rank;
  return value[0]!;
}

/** How many numbers in a row have the same distance to their neighbours. */
const BINADE = 2 ** 23;

/** The end of the equally spaced numbers that begin at a rank, at the most `end`. */
function spacedUntil(rank: number, end: number): number {
  const next =
    rank >= 0 ? (Math.floor(rank / BINADE) + 1) * BINADE : -Math.floor(-rank / BINADE) * BINADE + 1;
  return Math.min(next, end);
}

/** What was found. */
export class Tally {
  /** How many numbers were taken. */
  inputs = 0;
  /** The largest error of the float64 value. */
  wide: Worst = { error: 0, at: Number.NaN };
  /** The largest error of the same value rounded to float32. */
  narrow: Worst = { error: 0, at: Number.NaN };
  /** Numbers whose float32 value is not the nearest one. */
  misrounded = 0;
  /** Numbers whose float32 value moves against the direction of f from the number before. */
  stepsBack = 0;
  /** Numbers whose value is 0 or not finite where f is neither, or does not round to what a zone says. */
  strays = 0;
  #before = Number.NaN;
  #units: Units = { above: 0, below: 0, perWide: 0, perNarrow: 0 };

  /** Takes the value of the number before those to come, or NaN where f may turn. */
  startAfter(y: number): void {
    this.#before = Math.fround(y);
  }

  /** Takes numbers x with y = f(x) + off. In variables of its own, since fields of an object are slow. */
  take(xs: Numbers, ys: Numbers, offs: Numbers, direction: number): void {
    let { error: wide, at: wideAt } = this.wide;
    let { error: narrow, at: narrowAt } = this.narrow;
    let { above, below, perWide, perNarrow } = this.#units;
    let before = this.#before;
    let [misrounded, stepsBack] = [0, 0];
    for (let k = 0; k < xs.length; k++) {
      const y = ys[k]!;
      const off = offs[k]!;
      const size = Math.abs(y);
      if (!(size > above && size < below)) {
        if (!(size > 0 && size < Infinity)) {
          if (y !== 0 || off !== 0) this.strays++;
          continue;
        }
        ({ above, below, perWide, perNarrow } = unitsOf(size, y < 0 ? off < 0 : off > 0));
      }
      const wideError = Math.abs(off) * perWide;
      if (wideError > wide) {
        wide = wideError;
        wideAt = xs[k]!;
      }
      const rounded = Math.fround(y);
      let narrowError = Math.abs(rounded - y + off) * perNarrow;
      if (narrowError > 0.5) {
        // Infinity stands for 2¹²⁸, and so does every exact number beyond.
        if (Math.abs(rounded) === Infinity)
          narrowError = Math.max(2 ** 128 - Math.abs(y - off), 0) / 2 ** 104;
        if (narrowError > 0.5) misrounded++;
      }
      if (narrowError > narrow) {
        narrow = narrowError;
        narrowAt = xs[k]!;
      }
      if (direction * (rounded - before) < 0) stepsBack++;
      before = rounded;
    }
    this.inputs += xs.length;
    this.wide = { error: wide, at: wideAt };
    this.narrow = { error: narrow, at: narrowAt };
    this.misrounded += misrounded;
    this.stepsBack += stepsBack;
    this.#before = before;
    this.#units = { above, below, perWide, perNarrow };
  }
}

type Numbers = ArrayLike<number>;

/** Between which sizes a unit in the last place is how large, in float64 and in float32. */
interface Units {
  readonly above: number;
  readonly below: number;
  readonly perWide: number;
  readonly perNarrow: number;
}

/** Around a size; a power of two next to a smaller exact value counts with the numbers below it. */
function unitsOf(size: number, exactIsSmaller: boolean): Units {
  let above = 2 ** Math.floor(Math.log2(size));
  if (above > size) above /= 2;
  if (above * 2 <= size) above *= 2;
  if (above === size && exactIsSmaller) above /= 2;
  return {
    above,
    below: 2 * above,
    perWide: 2 ** 52 / above,
    perNarrow: 1 / Math.max(above * 2 ** -23, 2 ** -149),
  };
}

/** A function, of many numbers at once. */
export type Batch = (x: Float64Array) => Numbers;

/** How many numbers are taken at a time. */
const BLOCK = 4096;

/** These numbers, and how far their values are off. */
const block = new Float64Array(BLOCK);
const offs = new Float64Array(BLOCK);

export const each =
  (f: (x: number) => number): Batch =>
  (x) => {
    const y = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) y[i] = f(x[i]!);
    return y;
  };

/** Equally spaced numbers first, first + spacing, …, of which one of `stride` is taken, after some that are skipped. */
interface Run {
  readonly first: number;
  readonly spacing: number;
  readonly count: number;
  readonly skipped: number;
  readonly stride: number;
}

/** Compares f with what zones say about it, at all numbers or at some. */
export function sweep(f: Batch, zones: readonly Zone[], stride: Stride): Tally {
  const tally = new Tally();
  let piece = 0;
  let skipped = 0;
  for (const zone of zones) {
    const [begin, end] = [rankOf(zone.from), rankOf(zone.to)];
    const every = stride.inputs * ("every" in zone ? zone.every : 1);
    for (let start = begin; start < end; start = spacedUntil(start, end)) {
      for (const { from, to, center } of piecesOf(zone, start, spacedUntil(start, end))) {
        if ("expand" in zone && piece++ % stride.pieces !== 0) continue;
        const count = to - from;
        if (skipped >= count) {
          skipped -= count;
          continue;
        }
        const first = fromRank(from);
        const run = { first, spacing: fromRank(from + 1) - first, count, skipped, stride: every };
        tally.startAfter(from > begin ? f(Float64Array.of(fromRank(from - 1)))[0]! : Number.NaN);
        if ("rounded" in zone) compareRounded(f, zone.rounded, run, tally);
        else if ("turns" in zone) compareCircular(f, zone, run, tally);
        else compareExpanded(f, zone.expand(center), center, zone.direction, run, tally);
        skipped = every - 1 - ((count - 1 - skipped) % every);
      }
    }
  }
  return tally;
}

/** The numbers of a run, block by block, each in the memory of the last. */
function* blocksOf({ first, spacing, count, skipped, stride }: Run): Generator<Float64Array> {
  for (let i = skipped; i < count; ) {
    let k = 0;
    for (; k < block.length && i < count; k++, i += stride) block[k] = first + i * spacing;
    yield block.subarray(0, k);
  }
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly center: number;
}

/** Cuts the numbers from one rank to another where one expansion does not serve them all. */
function* piecesOf(zone: Zone, from: number, to: number): Generator<Piece> {
  if (!("expand" in zone)) {
    yield { from, to, center: 0 };
    return;
  }
  const [low, high] = [fromRank(from), fromRank(to - 1)];
  const serves = (center: number, radius: number): boolean =>
    Math.max(Math.abs(low - center), Math.abs(high - center)) <= radius / 256;
  const { anchor } = zone;
  const middle = Math.floor((from + to) / 2);
  const center = fromRank(middle);
  if (anchor && serves(anchor.at, anchor.radius)) yield { from, to, center: anchor.at };
  else if (to - from === 1 || serves(center, zone.radius(center))) yield { from, to, center };
  else {
    yield* piecesOf(zone, from, middle);
    yield* piecesOf(zone, middle, to);
  }
}

function compareRounded(f: Batch, rounded: number, run: Run, tally: Tally): void {
  for (const xs of blocksOf(run)) {
    const ys = f(xs);
    for (let k = 0; k < xs.length; k++) {
      const y = Math.fround(ys[k]!);
      if (!(y === rounded || (Number.isNaN(y) && Number.isNaN(rounded)))) tally.strays++;
    }
    tally.inputs += xs.length;
  }
}

/** The numbers of an expansion: high, low, slopeHigh, slopeLow and eight more coefficients. */
const ENTRY = 12;

function entryOf({ value, slope, rest }: Expansion): Float64Array {
  const entry = new Float64Array(ENTRY);
  entry.set([...parted(value, 53), ...parted(slope, 26), ...rest]);
  return entry;
}

/** The terms of an expansion from t² on, the entry being at some place of a table. */
function curve(table: Float64Array, at: number, t: number): number {
  let sum = table[at + 11]! * t + table[at + 10]!;
  sum = sum * t + table[at + 9]!;
  sum = sum * t + table[at + 8]!;
  sum = sum * t + table[at + 7]!;
  sum = sum * t + table[at + 6]!;
  sum = sum * t + table[at + 5]!;
  sum = sum * t + table[at + 4]!;
  return t * t * sum;
}

function compareExpanded(
  f: Batch,
  expansion: Expansion,
  center: number,
  direction: number,
  run: Run,
  tally: Tally,
): void {
  const entry = entryOf(expansion);
  const [high = 0, low = 0, slopeHigh = 0, slopeLow = 0] = entry;
  const perScale = 1 / (expansion.scale ?? 1);
  for (const xs of blocksOf(run)) {
    const ys = f(xs);
    for (let k = 0; k < xs.length; k++) {
      const h = xs[k]! - center;
      const rest = low + h * slopeLow + curve(entry, 0, h * perScale);
      offs[k] = ys[k]! - high - h * slopeHigh - rest;
    }
    tally.take(xs, ys, offs, direction);
  }
}

const LIMB = 2 ** 26;

/** A power of two, in quarter turns modulo 4: whole ones, then five limbs of 26 bits behind the point. */
function quarterTurns(power: number): [number, number, number, number, number, number] {
  const bits = 400;
  const turns = (1n << BigInt(Math.log2(power) + 5 * 26 + bits + 1)) / pi(bits);
  const limb = (i: number): number => Number((turns >> BigInt(26 * (5 - i))) & BigInt(LIMB - 1));
  return [limb(0) % 4, limb(1), limb(2), limb(3), limb(4), limb(5)];
}

/** π/2 in two parts of 26 bits and a rest. */
function halfPi(): readonly [number, number, number] {
  const exact: Precise = { mantissa: pi(200), exponent: -201 };
  const [first] = parted(exact, 26);
  const [second, third] = parted(sum(exact, preciseFrom(-first)), 26);
  return [first, second, third];
}

/** Beyond this many 1/128 there is another quarter turn. */
const REACH = 101;
const ENTRIES = 2 * REACH + 1;

/** The expansions of sine around −REACH/128, …, REACH/128, then those of cosine. */
function circularTable(): Float64Array {
  const table = new Float64Array(2 * ENTRIES * ENTRY);
  for (const [which, expand] of [sin, cos].entries()) {
    for (let j = 0; j < ENTRIES; j++) {
      table.set(entryOf(expand((j - REACH) / 128)), ENTRY * (which * ENTRIES + j));
    }
  }
  return table;
}

let constants:
  | { readonly table: Float64Array; readonly halfPi: readonly [number, number, number] }
  | undefined;

function compareCircular(f: Batch, { turns, direction }: Circular, run: Run, tally: Tally): void {
  constants ??= { table: circularTable(), halfPi: halfPi() };
  const { table } = constants;
  const [q1, q2, q3] = constants.halfPi;
  const [t0, t1, t2, t3, t4, t5] = quarterTurns(run.spacing);
  for (const xs of blocksOf(run)) {
    const ys = f(xs);
    for (let k = 0; k < xs.length; k++) {
      const x = xs[k]!;
      // |x| = m · spacing with a whole m of at most 24 bits, whose products with the limbs carry from the last to the
      // first: |x| is n + a + b + c + d quarter turns, |a| ≤ ½.
      const m = Math.abs(x) / run.spacing;
      const p4 = m * t4 + Math.floor((m * t5) / LIMB);
      const p3 = m * t3 + Math.floor(p4 / LIMB);
      const p2 = m * t2 + Math.floor(p3 / LIMB);
      const p1 = m * t1 + Math.floor(p2 / LIMB);
      const up = Math.floor(p1 / LIMB + 0.5);
      const a = (p1 - up * LIMB) / LIMB;
      const b = (p2 - Math.floor(p2 / LIMB) * LIMB) / LIMB ** 2;
      const c = (p3 - Math.floor(p3 / LIMB) * LIMB) / LIMB ** 3;
      const d = (p4 - Math.floor(p4 / LIMB) * LIMB) / LIMB ** 4;
      // r = (a + b + c + d) π/2: the first three products are exact, and so are their sums with what these lose.
      const large = a * q1;
      const left = a * q2;
      const right = b * q1;
      const middle = left + right;
      const middleLost = left - (middle - (middle - left)) + (right - (middle - left));
      const r = large + middle;
      const lost = large - (r - (r - large)) + (middle - (r - large));
      const small = a * q3 + b * q2 + c * q1 + (b * q3 + c * q2 + d * q1);
      // Its neighbourhood: h = main + beside, of which main has 24 bits.
      const nearest = Math.round(r * 128);
      const main = Math.fround(r - nearest / 128);
      const beside = r - nearest / 128 - main + (lost + middleLost + small);
      const h = main + beside;
      // sin(−x) = −sin x, and cos(−x) = sin(π/2 − x) = −sin(x − π/2).
      const side = Math.sign(x);
      const n = m * t0 + up + turns * side;
      const quarter = n - 4 * Math.floor(n / 4);
      const sign = quarter >= 2 ? -side : side;
      const at = ENTRY * ((quarter & 1) * ENTRIES + nearest + REACH);
      const rest = table[at + 1]! + h * table[at + 3]! + beside * table[at + 2]! + curve(table, at, h);
      offs[k] = sign * (sign * ys[k]! - table[at]! - main * table[at + 2]! - rest);
    }
    tally.take(xs, ys, offs, direction);
  }
}
