import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batches, type BatchesOptions, type BatchesState } from "../../src/data/batches.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { RandomStream } from "../../src/random.ts";

/** Rows that know their number: x is [i], the teacher's logits [i, label]. */
function numbered(labels: readonly number[]): Dataset & { readonly labels: Int32Array } {
  const rows = labels.length;
  return {
    x: tensor(
      Float32Array.from(labels, (_, i) => i),
      { shape: [rows, 1] },
    ),
    labels: Int32Array.from(labels),
    teacherLogits: tensor(Float32Array.from(labels.flatMap((label, i) => [i, label])), { shape: [rows, 2] }),
  };
}

const balanced = (labels: readonly number[], options: Partial<BatchesOptions> = {}, seed = 1): Batches =>
  new Batches(numbered(labels), {
    size: 3,
    balanced: true,
    random: new RandomStream(seed, "shuffle"),
    ...options,
  });
const numbersOf = ({ x }: Dataset): number[] => [...x.data];
const epochOf = (batches: Batches): number[] => [...batches].flatMap(numbersOf);

function counts<T>(values: Iterable<T>): Map<T, number> {
  const found = new Map<T, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

const spread = (numbers: Iterable<number>): number => Math.max(...numbers) - Math.min(...numbers);

/** Labels with gaps, rare and frequent ones. */
const labels = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 4, 9), { minLength: 1, maxLength: 40 });
/** 20 of class 0, 3 of class 2, 1 of class 5. */
const skewed = [...new Array<number>(20).fill(0), 2, 5, 2, 2];

describe("balanced Batches", () => {
  it("hand out as many rows as there are, every class that has any equally often, give or take one", () => {
    fc.assert(
      fc.property(labels, fc.nat(100), (labels, seed) => {
        const batches = balanced(labels, {}, seed);
        for (let epoch = 0; epoch < 3; epoch++) {
          const rows = epochOf(batches);
          expect(rows).toHaveLength(labels.length);
          const drawn = counts(rows.map((row) => labels[row]));
          expect(drawn.size).toBe(new Set(labels).size);
          expect(spread(drawn.values())).toBeLessThanOrEqual(1);
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("use every row of a class once before one twice, at every point of an epoch", () => {
    fc.assert(
      fc.property(labels, fc.nat(100), (labels, seed) => {
        const used = new Map(labels.map((_, row) => [row, 0]));
        for (const row of epochOf(balanced(labels, {}, seed))) {
          const mates = [...used].filter(([other]) => labels[other] === labels[row]);
          expect(used.get(row)).toBe(Math.min(...mates.map(([, times]) => times)));
          used.set(row, used.get(row)! + 1);
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("are every row once where the classes are equally large", () => {
    const rows = epochOf(balanced([3, 1, 2, 3, 2, 1]));
    expect([...rows].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("leave it to chance which class gets the turns that are left over, and which comes where", () => {
    const batches = balanced([0, 0, 0, 1, 2]); // 5 turns for 3 classes
    const short = counts<number>([]);
    const first = counts<number>([]);
    for (let epoch = 0; epoch < 900; epoch++) {
      const drawn = epochOf(batches).map((row) => [0, 0, 0, 1, 2][row]);
      const once = [0, 1, 2].filter((label) => drawn.indexOf(label) === drawn.lastIndexOf(label));
      expect(once).toHaveLength(1);
      short.set(once[0], (short.get(once[0]) ?? 0) + 1);
      first.set(drawn[0], (first.get(drawn[0]) ?? 0) + 1);
    }
    // 300 each are expected, with a deviation of √(900 · ⅓ · ⅔) = 14.1.
    for (const times of [...short.values(), ...first.values()])
      expect(Math.abs(times - 300)).toBeLessThan(71);
    expect([short.size, first.size]).toEqual([3, 3]);
  });

  it("mix the classes, so that none follows another by rule", () => {
    const labels = Array.from({ length: 1000 }, (_, row) => row % 2);
    const drawn = epochOf(balanced(labels)).map((row) => labels[row]);
    const same = drawn.filter((label, i) => i > 0 && label === drawn[i - 1]).length;
    // Of 999 neighbours about half are of one class, with a deviation of about √(999 · ½ · ½) = 15.8.
    expect(Math.abs(same - 499)).toBeLessThan(79);
  });

  it("use every row of a large class, over the epochs equally often up to chance", () => {
    const batches = balanced(skewed);
    const used = counts(Array.from({ length: 500 }, () => epochOf(batches)).flat());
    // 8 of 20 each epoch: 200 are expected, with a deviation of √(500 · 0.4 · 0.6) = 11.
    for (let row = 0; row < 20; row++) expect(Math.abs(used.get(row)! - 200)).toBeLessThan(55);
  });

  it("shuffle a class anew whenever it is used up", () => {
    const rows = epochOf(balanced([0, 0, ...new Array<number>(2000).fill(1)]));
    const drawn = rows.filter((row) => row < 2); // 0 and 1, about 500 times each
    const pairs = Array.from(
      { length: Math.floor(drawn.length / 2) },
      (_, i) => drawn[2 * i] < drawn[2 * i + 1],
    );
    const ascending = pairs.filter(Boolean).length;
    expect(Math.abs(ascending - pairs.length / 2)).toBeLessThan(2.5 * Math.sqrt(pairs.length));
  });

  it("have another order in every epoch, the same for the same seed", () => {
    const [a, b] = [balanced(skewed), balanced(skewed)];
    const first = epochOf(a);
    expect(epochOf(b)).toEqual(first);
    expect(epochOf(a)).not.toEqual(first);
    expect(epochOf(balanced(skewed, {}, 2))).not.toEqual(first);
  });

  it("are the same rows whatever the size of a batch, and leave out a smaller last one with dropLast", () => {
    const whole = epochOf(balanced(skewed));
    for (const size of [1, 5, 24, 100]) expect(epochOf(balanced(skewed, { size }))).toEqual(whole);
    const batches = balanced(skewed, { size: 5, dropLast: true });
    expect(batches.perEpoch).toBe(4);
    expect(epochOf(batches)).toEqual(whole.slice(0, 20));
  });

  it("keep labels and teacher logits with their rows", () => {
    for (const { x, labels, teacherLogits } of balanced(skewed)) {
      expect([...labels!]).toEqual([...x.data].map((row) => skewed[row]));
      expect([...teacherLogits!.data]).toEqual([...x.data].flatMap((row) => [row, skewed[row]]));
    }
  });

  it("go on from a saved state at any position with the same batches, in this epoch and those after it", () => {
    fc.assert(
      fc.property(labels, fc.integer({ min: 1, max: 6 }), fc.nat(25), (labels, size, taken) => {
        const batches = balanced(labels, { size }, 1);
        for (let i = 0; i < taken; i++) batches.next();
        const state: BatchesState = JSON.parse(JSON.stringify(batches.state()));
        const other = balanced(labels, { size }, 2);
        other.next();
        other.restore(state);
        expect(other.state()).toEqual(state);
        for (let i = 0; i < 10; i++) expect(numbersOf(other.next())).toEqual(numbersOf(batches.next()));
        expect(other.state()).toEqual(batches.state());
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("say so in their state, which no other loader takes", () => {
    const plain = balanced(skewed, { balanced: false });
    const state = balanced(skewed).state();
    expect(state.balanced).toBe(true);
    expect("balanced" in plain.state()).toBe(false);
    expect(() => plain.restore(state)).toThrow(
      new DistilgradError(
        "state",
        "Batches: the state is of a loader with balanced classes, this one is without",
      ),
    );
    expect(() => balanced(skewed).restore(plain.state())).toThrow(
      new DistilgradError(
        "state",
        "Batches: the state is of a loader without balanced classes, this one is with",
      ),
    );
  });

  const { x } = numbered(skewed);
  it.each<[string, () => Batches]>([
    [
      "Batches: balanced needs random, a RandomStream to draw each epoch from",
      () => balanced(skewed, { random: undefined }),
    ],
    [
      "Batches: balanced needs labels, and the dataset has none",
      () => new Batches({ x }, { size: 2, balanced: true, random: new RandomStream(1) }),
    ],
    [
      "Batches: balanced needs a label for every row, row 2 has none; take the labelled rows first",
      () => balanced([0, 1, -1, 0]),
    ],
    [
      'Batches: balanced must be true or false, got "classes", a string',
      () => balanced(skewed, { balanced: "classes" as unknown as boolean }),
    ],
  ])("refuse what cannot be balanced: %s", (message, make) => {
    expect(make).toThrow(expect.objectContaining({ name: "DistilgradError", message }));
  });
});
