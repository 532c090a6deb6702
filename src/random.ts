/**
 * Floor 0: random numbers that are the same everywhere, from integer arithmetic and a saved state of four words.
 * Knows no clock, no entropy of the machine and nothing of what its numbers are used for, but the name of the
 * purpose.
 */
import { DistilgradError } from "./errors.ts";
import { cos, log } from "./math.ts";

const TWO_32 = 4294967296;
const TWO_PI = 6.283185307179586;
/** 2³² / golden ratio, made odd: a start and a step that no small seed resembles. */
const GOLDEN = 0x9e3779b9;

/** All there is to a stream, as plain numbers: it survives JSON. */
export interface RandomState {
  /** Four whole numbers in [0, 2³²), not all 0. */
  readonly words: readonly [number, number, number, number];
}

/**
 * A stream of random numbers: xoshiro128**, period 2¹²⁸ − 1.
 *
 *     result = rotl(5·w₁, 7)·9        t = w₁ ≪ 9        (all modulo 2³²)
 *     w₂ ^= w₀    w₃ ^= w₁    w₁ ^= w₂    w₀ ^= w₃    w₂ ^= t    w₃ = rotl(w₃, 11)
 *
 * The first state is mixed from seed and purpose:
 *
 *     w = [seed mod 2³², ⌊seed / 2³²⌋, fnv1a(purpose), 0x9e3779b9]
 *     w[r mod 4] ^= fmix32(w[(r + 3) mod 4] + (r + 1)·0x9e3779b9)        r = 0 … 11
 *
 * where fnv1a runs over the UTF-16 code units of the purpose. Each step of the mixing is its own inverse, so no two
 * seeds of a purpose start alike; and the four zeros, from which xoshiro never leaves, would need another fourth
 * word.
 *
 * @param seed whole number in [0, 2⁵³ − 1]
 * @param purpose such as "init", "shuffle" or "dropout": the same seed for another purpose is another stream;
 *   default ""
 * @throws `value` for a seed that is not such a number
 * @see Blackman & Vigna, Scrambled Linear Pseudorandom Number Generators, ACM TOMS 47 (2021), arXiv 1805.01407
 * @see Appleby, MurmurHash3.cpp (2011), fmix32
 * @see Fowler, Noll, Vo & Eastlake, The FNV Non-Cryptographic Hash Algorithm, draft-eastlake-fnv-21 (2024), §2
 */
export class RandomStream {
  readonly #words: Uint32Array;

  constructor(seed: number, purpose = "") {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new DistilgradError(
        "value",
        `RandomStream: seed must be a whole number in [0, 2^53 - 1], got ${seed}`,
      );
    }
    const w = new Uint32Array([seed % TWO_32, Math.floor(seed / TWO_32), fnv1a(purpose), GOLDEN]);
    for (let r = 0; r < 12; r++) w[r % 4] ^= fmix32(w[(r + 3) % 4] + Math.imul(r + 1, GOLDEN));
    this.#words = w;
  }

  /** The next whole number in [0, 2³²). */
  uint32(): number {
    const w = this.#words;
    const result = Math.imul(rotl(Math.imul(w[1], 5), 7), 9) >>> 0;
    const t = w[1] << 9;
    w[2] ^= w[0];
    w[3] ^= w[1];
    w[1] ^= w[2];
    w[0] ^= w[3];
    w[2] ^= t;
    w[3] = rotl(w[3], 11);
    return result;
  }

  /**
   * The next number in [0, 1), a multiple of 2⁻⁵³, from two draws a and b.
   *
   *     (⌊a / 2⁵⌋·2²⁶ + ⌊b / 2⁶⌋) / 2⁵³
   */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /**
   * The next number of the standard normal distribution, from two uniform numbers.
   *
   *     √(−2 log u)·cos(2πv)        u = 1 − uniform() in (0, 1], so that the logarithm is finite; then v = uniform()
   *
   * Its twin √(−2 log u)·sin(2πv) is not kept: a spare would be state beside the four words. |x| ≤ √(106 log 2) <
   * 8.6.
   *
   * @see Box & Muller, A Note on the Generation of Random Normal Deviates, Ann. Math. Statist. 29 (1958)
   */
  normal(): number {
    const u = 1 - this.uniform();
    const v = this.uniform();
    return Math.sqrt(-2 * log(u)) * cos(TWO_PI * v);
  }

  /**
   * The next whole number in [0, n), each equally likely: draws beyond the last multiple of n are thrown away.
   *
   * @param n whole number in [1, 2³²]
   * @throws `value` for another n
   */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO_32) {
      throw new DistilgradError(
        "value",
        `RandomStream.below: n must be a whole number in [1, 2^32], got ${n}`,
      );
    }
    const end = TWO_32 - (TWO_32 % n);
    let draw = this.uint32();
    while (draw >= end) draw = this.uint32();
    return draw % n;
  }

  /**
   * The numbers 0 … n − 1 in a random order, each order equally likely.
   *
   *     for i = n − 1 … 1:  swap i with below(i + 1)
   *
   * @param n whole number in [0, 2³²)
   * @throws `value` for another n
   * @see Knuth, The Art of Computer Programming 2 (1997), §3.4.2, algorithm P
   */
  permutation(n: number): Uint32Array {
    if (!Number.isInteger(n) || n < 0 || n >= TWO_32) {
      throw new DistilgradError(
        "value",
        `RandomStream.permutation: n must be a whole number in [0, 2^32), got ${n}`,
      );
    }
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const last = order[i];
      order[i] = order[j];
      order[j] = last;
    }
    return order;
  }

  /** A copy of the four words: restored, the stream continues with the number that would have come next. */
  state(): RandomState {
    const [a, b, c, d] = this.#words;
    return { words: [a, b, c, d] };
  }

  /**
   * Continues from a saved state.
   *
   * @throws `state` for anything but four whole numbers in [0, 2³²), not all 0; the stream then stays as it was
   */
  restore(state: RandomState): void {
    const words: unknown = (state as RandomState | null | undefined)?.words;
    if (!Array.isArray(words) || words.length !== 4) throw refused("something else");
    for (let i = 0; i < 4; i++) {
      const word: unknown = words[i];
      if (typeof word !== "number" || word >>> 0 !== word) {
        throw refused(`${typeof word === "number" ? word : typeof word} as word ${i}`);
      }
    }
    if (words.every((word) => word === 0)) throw refused("four zeros");
    this.#words.set(words);
  }
}

let library: RandomStream | undefined;

/** The one stream that serves where no stream is given; it starts at seed 0, purpose "library". */
export function libraryStream(): RandomStream {
  library ??= new RandomStream(0, "library");
  return library;
}

/**
 * Starts the library's stream again, for whoever holds it too.
 *
 * @param seed whole number in [0, 2⁵³ − 1]
 * @throws `value` for another seed; the stream then stays as it was
 */
export function manualSeed(seed: number): void {
  libraryStream().restore(new RandomStream(seed, "library").state());
}

const rotl = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** A bijection of 32 bits in which each bit of x changes every bit of the result with a chance near ½. */
function fmix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

const refused = (got: string): DistilgradError =>
  new DistilgradError(
    "state",
    `RandomStream.restore: expected { words: four whole numbers in [0, 2^32), not all 0 }, got ${got}`,
  );
