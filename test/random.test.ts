import { describe, expect, it } from "vitest";
import { DistilgradError, type ErrorCode } from "../src/errors.ts";
import { libraryStream, manualSeed, type RandomState, RandomStream } from "../src/random.ts";

function refuses(run: () => unknown, code: ErrorCode, message: string): void {
  let error: unknown;
  try {
    run();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(DistilgradError);
  expect((error as DistilgradError).message).toBe(message);
  expect((error as DistilgradError).code).toBe(code);
}

const take = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next);

function streamAt(...words: [number, number, number, number]): RandomStream {
  const stream = new RandomStream(0);
  stream.restore({ words });
  return stream;
}

// The same generator and the same seeding once more, in whole numbers of any size.
const MASK = 0xffffffffn;
const rotl = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & MASK;

function* xoshiro128StarStar(words: readonly bigint[]): Generator<bigint, never> {
  let [a, b, c, d] = words;
  for (;;) {
    yield (rotl((b * 5n) & MASK, 7n) * 9n) & MASK;
    const t = (b << 9n) & MASK;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11n);
  }
}

const GOLDEN = 0x9e3779b9n;

function fmix32(x: bigint): bigint {
  x = ((x ^ (x >> 16n)) * 0x85ebca6bn) & MASK;
  x = ((x ^ (x >> 13n)) * 0xc2b2ae35n) & MASK;
  return x ^ (x >> 16n);
}

const mixed = (w: bigint[], r: number): bigint => fmix32((w[(r + 3) % 4] + BigInt(r + 1) * GOLDEN) & MASK);

function seeded(seed: number, purpose: string): bigint[] {
  let hash = 0x811c9dc5n;
  for (let i = 0; i < purpose.length; i++) {
    hash = ((hash ^ BigInt(purpose.charCodeAt(i))) * 0x01000193n) & MASK;
  }
  const w = [BigInt(seed) & MASK, BigInt(seed) >> 32n, hash, GOLDEN];
  for (let r = 0; r < 12; r++) w[r % 4] ^= mixed(w, r);
  return w;
}

/**
 * Pearson's Σ (observed − expected)² / expected over equally likely cells, and an interval that it leaves with a chance
 * of at most 2e⁻¹⁴ ≈ 1.7e-6, taking it as χ² with k = cells − 1 degrees of freedom:
 * P(χ² ≥ k + 2√(kt) + 2t) ≤ e⁻ᵗ and P(χ² ≤ k − 2√(kt)) ≤ e⁻ᵗ (Laurent & Massart 2000, lemma 1). The seeds are fixed.
 */
function expectUniform(observed: ArrayLike<number>, draws: number): void {
  const expected = draws / observed.length;
  let chiSquare = 0;
  for (let i = 0; i < observed.length; i++) chiSquare += (observed[i] - expected) ** 2 / expected;
  const k = observed.length - 1;
  const t = 14;
  expect(chiSquare).toBeLessThan(k + 2 * Math.sqrt(k * t) + 2 * t);
  expect(chiSquare).toBeGreaterThan(k - 2 * Math.sqrt(k * t));
}

describe("RandomStream.uint32", () => {
  it("gives the published numbers of xoshiro128** from the state 1, 2, 3, 4", () => {
    const stream = streamAt(1, 2, 3, 4);
    expect(take(10, () => stream.uint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it("agrees with a model in big integers over a thousand numbers", () => {
    const words = [0xffffffff, 0, 0x80000000, 0x12345678] as const;
    const stream = streamAt(...words);
    const model = xoshiro128StarStar(words.map(BigInt));
    for (let i = 0; i < 1000; i++) expect(stream.uint32()).toBe(Number(model.next().value));
  });

  it("fills all values of each byte evenly", () => {
    const stream = new RandomStream(1, "bytes");
    const counts = take(4, () => new Uint32Array(256));
    const draws = 1 << 16;
    for (let i = 0; i < draws; i++) {
      const x = stream.uint32();
      for (let byte = 0; byte < 4; byte++) counts[byte][(x >>> (8 * byte)) & 255]++;
    }
    for (const count of counts) expectUniform(count, draws);
  });
});

describe("RandomStream's seeding", () => {
  it("is the documented one", () => {
    for (const seed of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
      for (const purpose of ["", "init", "shuffle", "Zufall für 😀"]) {
        expect(new RandomStream(seed, purpose).state().words).toEqual(seeded(seed, purpose).map(Number));
      }
    }
    expect(new RandomStream(7).state()).toEqual(new RandomStream(7, "").state());
  });

  it("starts each seed and purpose with the same numbers for ever", () => {
    const first = (seed: number, purpose?: string): number[] => {
      const stream = new RandomStream(seed, purpose);
      return take(3, () => stream.uint32());
    };
    expect(first(0)).toEqual([3632880350, 1213527537, 1700170773]);
    expect(first(1)).toEqual([567444892, 517768834, 1888661027]);
    expect(first(2 ** 53 - 1)).toEqual([2987198264, 653335590, 1801012641]);
    expect(first(0, "init")).toEqual([967649108, 1133034036, 474380025]);
    expect(first(0, "shuffle")).toEqual([662767415, 3678815987, 2252953260]);
    expect(first(0, "dropout")).toEqual([864625715, 3008876763, 4031433675]);
  });

  it("never gives the state of four zeros, which only another fourth word could lead to", () => {
    const w = [0n, 0n, 0n, 0n];
    for (let r = 11; r >= 0; r--) w[r % 4] ^= mixed(w, r);
    expect(w[3]).not.toBe(GOLDEN);
  });

  it("changes about half of the 128 bits of state with any bit of the seed", () => {
    const bitsChanged = (a: RandomState, b: RandomState): number =>
      a.words.reduce(
        (sum, word, i) => sum + ((word ^ b.words[i]) >>> 0).toString(2).replaceAll("0", "").length,
        0,
      );
    let sum = 0;
    for (let bit = 0; bit < 53; bit++) {
      const changed = bitsChanged(new RandomStream(0).state(), new RandomStream(2 ** bit).state());
      // Hoeffding: 128 fair bits are 42 away from 64 with a chance of at most 2·exp(−2·42²/128) < 3e-12.
      expect(Math.abs(changed - 64), `bit ${bit}`).toBeLessThan(42);
      sum += changed;
    }
    // 53·128 fair bits: five standard deviations of √(53·128)/2.
    expect(Math.abs(sum - 53 * 64)).toBeLessThan((5 * Math.sqrt(53 * 128)) / 2);
  });

  it("gives streams for different purposes that have nothing in common", () => {
    const purposes = ["", "init", "shuffle", "dropout", "augment", "library", "inti", "a", "b"];
    const streams = purposes.map((purpose) => new RandomStream(42, purpose));
    const seen = new Set(streams.flatMap((stream) => take(1000, () => stream.uint32())));
    // 9,000 numbers of 32 bits are expected to meet in 9000²/2³³ ≈ 0.01 pairs.
    expect(seen.size).toBe(9000);
  });

  it("gives neighbouring seeds streams without correlation", () => {
    const a = new RandomStream(1);
    const b = new RandomStream(2);
    const draws = 1 << 16;
    let sum = 0;
    for (let i = 0; i < draws; i++) sum += (a.uniform() - 0.5) * (b.uniform() - 0.5);
    // The products have variance 1/144.
    expect(Math.abs(sum)).toBeLessThan((5 * Math.sqrt(draws)) / 12);
  });

  it("refuses a seed that is not a whole number up to 2⁵³ − 1", () => {
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN, Infinity]) {
      refuses(
        () => new RandomStream(seed),
        "value",
        `RandomStream: seed must be a whole number in [0, 2^53 - 1], got ${seed}`,
      );
    }
  });
});

describe("RandomStream.uniform", () => {
  it("joins 27 and 26 bits of two draws", () => {
    const stream = new RandomStream(3);
    const twin = new RandomStream(3);
    for (let i = 0; i < 1000; i++) {
      const bits = (BigInt(twin.uint32() >>> 5) << 26n) | BigInt(twin.uint32() >>> 6);
      const x = stream.uniform();
      expect(x * 2 ** 53).toBe(Number(bits));
      expect(x).toBeLessThan(1);
    }
  });

  it("fills [0, 1) evenly", () => {
    const stream = new RandomStream(4);
    const counts = new Uint32Array(1000);
    const draws = 200_000;
    for (let i = 0; i < draws; i++) counts[Math.floor(stream.uniform() * 1000)]++;
    expectUniform(counts, draws);
  });
});

describe("RandomStream.normal", () => {
  it("is Box and Muller's formula of two uniform numbers", () => {
    const stream = new RandomStream(5);
    const twin = new RandomStream(5);
    for (let i = 0; i < 10_000; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - twin.uniform()));
      const expected = radius * Math.cos(2 * Math.PI * twin.uniform());
      // Some ULP of logarithm and cosine; the argument 2πv < 6.3 is rounded to 4.4e-16.
      expect(Math.abs(stream.normal() - expected)).toBeLessThan(1e-14);
    }
    expect(stream.state()).toEqual(twin.state());
  });

  it("has the moments 0, 1, 0 and 3 of the normal distribution", () => {
    const stream = new RandomStream(6);
    const draws = 200_000;
    const sums = [0, 0, 0, 0];
    for (let i = 0; i < draws; i++) {
      const x = stream.normal();
      for (let power = 1; power <= 4; power++) sums[power - 1] += x ** power;
    }
    // xᵏ has variance E x²ᵏ − (E xᵏ)²: 1, 3 − 1, 15, 105 − 9; five standard errors of the mean.
    const mean = [0, 1, 0, 3];
    const variance = [1, 2, 15, 96];
    for (let k = 0; k < 4; k++) {
      expect(Math.abs(sums[k] / draws - mean[k]), `moment ${k + 1}`).toBeLessThan(
        5 * Math.sqrt(variance[k] / draws),
      );
    }
  });

  it("stays below 8.6 and finite at the smallest u", () => {
    // The logarithm's argument is 1 − uniform(), whose smallest value is 2⁻⁵³.
    expect(Math.sqrt(-2 * Math.log(2 ** -53))).toBeLessThan(8.6);
    const stream = new RandomStream(8);
    const farthest = take(100_000, () => Math.abs(stream.normal())).reduce((most, x) => Math.max(most, x), 0);
    // Of 100,000 draws one beyond 3 is missing with a chance of 0.9973¹⁰⁰⁰⁰⁰ < 1e-117.
    expect(farthest).toBeGreaterThan(3);
    expect(farthest).toBeLessThan(8.6);
  });

  it("starts with the same numbers for ever", () => {
    const stream = new RandomStream(0, "init");
    expect(take(4, () => stream.normal())).toEqual([
      0.5492650691455759, -1.8421173821042707, 1.8509502709803705, 0.3949638588738559,
    ]);
  });
});

describe("RandomStream.below", () => {
  it("gives each of n numbers equally often", () => {
    const stream = new RandomStream(9);
    for (const n of [2, 6, 10, 1000]) {
      const counts = new Uint32Array(n);
      const draws = 100 * n + 50_000;
      for (let i = 0; i < draws; i++) counts[stream.below(n)]++;
      expectUniform(counts, draws);
    }
  });

  it("is not biased where n is a large part of 2³²", () => {
    // The remainder alone would fall into the first third half of the time.
    const stream = new RandomStream(10);
    const counts = new Uint32Array(3);
    for (let i = 0; i < 30_000; i++) counts[Math.floor(stream.below(3 * 2 ** 30) / 2 ** 30)]++;
    expectUniform(counts, 30_000);
  });

  it("throws away exactly the draws beyond the last multiple of n", () => {
    for (const n of [1, 3, 2 ** 31, 2 ** 31 + 1, 3 * 2 ** 30, 2 ** 32 - 1, 2 ** 32]) {
      const stream = new RandomStream(11);
      const twin = new RandomStream(11);
      const end = Math.floor(2 ** 32 / n) * n;
      for (let i = 0; i < 200; i++) {
        let draw = twin.uint32();
        while (draw >= end) draw = twin.uint32();
        expect(stream.below(n)).toBe(draw % n);
      }
      expect(stream.state()).toEqual(twin.state());
    }
  });

  it("throws away the first draw beyond, and keeps the last one before", () => {
    // A draw is rotl(5·w₁, 7)·9, and 0x38e38e39·9 = 1, 0xcccccccd·5 = 1 modulo 2³²: so w₁ says what is drawn.
    const drawing = (draw: number): RandomStream => {
      const turned = Math.imul(draw, 0x38e38e39);
      const word = Math.imul((turned >>> 7) | (turned << 25), 0xcccccccd) >>> 0;
      const stream = new RandomStream(0);
      stream.restore({ words: [1, word, 3, 4] });
      return stream;
    };
    const end = 3 * 2 ** 30;
    for (const draw of [end - 1, end]) expect(drawing(draw).uint32()).toBe(draw);
    expect(drawing(end - 1).below(end)).toBe(end - 1);
    const beyond = drawing(end);
    const twin = drawing(end);
    twin.uint32();
    expect(beyond.below(end)).toBe(twin.below(end));
    expect(beyond.state()).toEqual(twin.state());
  });

  it("refuses an n outside [1, 2³²]", () => {
    const stream = new RandomStream(0);
    for (const n of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN, Infinity]) {
      refuses(
        () => stream.below(n),
        "value",
        `RandomStream.below: n must be a whole number in [1, 2^32], got ${n}`,
      );
    }
  });
});

describe("RandomStream.permutation", () => {
  it("contains each number once", () => {
    const stream = new RandomStream(12);
    for (const n of [0, 1, 2, 3, 10, 1000]) {
      const order = stream.permutation(n);
      expect(order).toBeInstanceOf(Uint32Array);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
  });

  it("gives each of the 24 orders of four equally often", () => {
    const stream = new RandomStream(13);
    const counts = new Map<string, number>();
    const draws = 24_000;
    for (let i = 0; i < draws; i++) {
      const order = stream.permutation(4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expectUniform([...counts.values()], draws);
  });

  it("starts with the same order for ever", () => {
    expect([...new RandomStream(0, "shuffle").permutation(10)]).toEqual([9, 7, 3, 1, 2, 6, 0, 4, 8, 5]);
  });

  it("refuses an n outside [0, 2³²)", () => {
    const stream = new RandomStream(0);
    for (const n of [-1, 1.5, 2 ** 32, Number.NaN]) {
      refuses(
        () => stream.permutation(n),
        "value",
        `RandomStream.permutation: n must be a whole number in [0, 2^32), got ${n}`,
      );
    }
  });
});

describe("RandomStream.state and restore", () => {
  const draw = (stream: RandomStream): unknown[] => [
    stream.uint32(),
    stream.uniform(),
    stream.normal(),
    stream.below(10),
    stream.permutation(5),
  ];

  it("continue the sequence exactly, through JSON and in another stream", () => {
    const stream = new RandomStream(14, "dropout");
    draw(stream);
    const saved = JSON.stringify(stream.state());
    const expected = take(5, () => draw(stream));
    const other = new RandomStream(99);
    other.restore(JSON.parse(saved));
    expect(take(5, () => draw(other))).toEqual(expected);
    stream.restore(JSON.parse(saved));
    expect(take(5, () => draw(stream))).toEqual(expected);
  });

  it("are copies: drawing does not change a saved state", () => {
    const stream = new RandomStream(15);
    const state = stream.state();
    const words = [...state.words];
    stream.uint32();
    expect(state.words).toEqual(words);
    stream.restore(state);
    stream.uint32();
    expect(state.words).toEqual(words);
  });

  it("refuse anything but four words that are not all zero, and change nothing", () => {
    const stream = new RandomStream(16);
    const before = stream.state();
    const expected =
      "RandomStream.restore: expected { words: four whole numbers in [0, 2^32), not all 0 }, got ";
    const cases: [unknown, string][] = [
      [undefined, "something else"],
      [null, "something else"],
      [{}, "something else"],
      [{ words: "1234" }, "something else"],
      [{ words: [1, 2, 3] }, "something else"],
      [{ words: [1, 2, 3, 4, 5] }, "something else"],
      [{ words: [1, 2, 3, 2 ** 32] }, "4294967296 as word 3"],
      [{ words: [1, -1, 3, 4] }, "-1 as word 1"],
      [{ words: [0.5, 2, 3, 4] }, "0.5 as word 0"],
      [{ words: [1, 2, Number.NaN, 4] }, "NaN as word 2"],
      [{ words: [1, 2, "3", 4] }, "string as word 2"],
      [{ words: [1, 2, null, 4] }, "object as word 2"],
      [{ words: [0, 0, 0, 0] }, "four zeros"],
    ];
    for (const [state, got] of cases) {
      refuses(() => stream.restore(state as RandomState), "state", expected + got);
      expect(stream.state()).toEqual(before);
    }
  });
});

describe("libraryStream", () => {
  it("is one stream that starts at seed 0, purpose library", () => {
    expect(libraryStream()).toBe(libraryStream());
    expect(libraryStream().state()).toEqual(new RandomStream(0, "library").state());
  });

  it("starts again with manualSeed, for whoever holds it", () => {
    const held = libraryStream();
    held.uint32();
    manualSeed(17);
    expect(libraryStream()).toBe(held);
    expect(held.state()).toEqual(new RandomStream(17, "library").state());
    manualSeed(0);
    expect(held.state()).toEqual(new RandomStream(0, "library").state());
  });

  it("stays as it was when the seed is refused", () => {
    manualSeed(18);
    refuses(
      () => manualSeed(-1),
      "value",
      "RandomStream: seed must be a whole number in [0, 2^53 - 1], got -1",
    );
    expect(libraryStream().state()).toEqual(new RandomStream(18, "library").state());
  });
});
