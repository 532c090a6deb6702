import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batches, type BatchesOptions, type BatchesState } from "../../src/data/batches.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor, zeros } from "../../src/factories.ts";
import { RandomStream } from "../../src/random.ts";

/** Rows that know their number: x is [i], the label i mod 5, the teacher's logits [i, −i]. */
function numbered(rows: number): Dataset {
  const range = Array.from({ length: rows }, (_, i) => i);
  return {
    x: tensor(Float32Array.from(range), { shape: [rows, 1] }),
    labels: Int32Array.from(range, (i) => i % 5),
    teacherLogits: tensor(Float32Array.from(range.flatMap((i) => [i, -i])), { shape: [rows, 2] }),
  };
}

const numbersOf = ({ x }: Dataset): number[] => [...x.data];
const shuffled = (rows: number, options: Omit<BatchesOptions, "random">, seed = 1): Batches =>
  new Batches(numbered(rows), { ...options, random: new RandomStream(seed, "shuffle") });
const epochOf = (batches: Batches): number[][] => [...batches].map(numbersOf);

describe("Batches", () => {
  it("hand out each row once an epoch, in batches of the size asked for and a smaller last one", () => {
    const size = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), size, fc.nat(100), (rows, size, seed) => {
        const batches = shuffled(rows, { size }, seed);
        expect(batches.perEpoch).toBe(Math.ceil(rows / size));
        for (let epoch = 0; epoch < 3; epoch++) {
          const parts = epochOf(batches);
          const sizes = parts.map((part) => part.length);
          expect(sizes.slice(0, -1).every((length) => length === size)).toBe(true);
          expect(sizes).toHaveLength(batches.perEpoch);
          expect(parts.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("leave out a smaller last batch with dropLast, other rows in each epoch", () => {
    const batches = shuffled(10, { size: 4, dropLast: true });
    expect(batches.perEpoch).toBe(2);
    const epochs = Array.from({ length: 5 }, () => epochOf(batches));
    for (const parts of epochs) {
      expect(parts.map((part) => part.length)).toEqual([4, 4]);
      expect(new Set(parts.flat()).size).toBe(8);
    }
    expect(new Set(epochs.flat(2)).size).toBe(10);
  });

  it("have another order in every epoch, the same for the same seed", () => {
    const [a, b] = [shuffled(20, { size: 5 }), shuffled(20, { size: 5 })];
    const first = epochOf(a);
    expect(epochOf(b)).toEqual(first);
    const second = epochOf(a);
    expect(second).not.toEqual(first);
    expect(epochOf(b)).toEqual(second);
    expect(epochOf(shuffled(20, { size: 5 }, 2))).not.toEqual(first);
  });

  it("keep the order of the data without a stream", () => {
    const batches = new Batches(numbered(5), { size: 2 });
    for (let epoch = 0; epoch < 2; epoch++) expect(epochOf(batches)).toEqual([[0, 1], [2, 3], [4]]);
  });

  it("keep labels and teacher logits with their rows, however they are shuffled", () => {
    for (const { x, labels, teacherLogits } of shuffled(23, { size: 4 })) {
      expect([...labels!]).toEqual([...x.data].map((i) => i % 5));
      expect([...teacherLogits!.data]).toEqual([...x.data].flatMap((i) => [i, -i]));
    }
  });

  it("are new memory each: a later batch does not change an earlier one", () => {
    const batches = shuffled(8, { size: 4 });
    const first = batches.next();
    const numbers = numbersOf(first);
    batches.next();
    expect(numbersOf(first)).toEqual(numbers);
    expect(first.x.data.buffer).not.toBe(batches.next().x.data.buffer);
  });

  it("count epochs, and say when the next batch is the first of one", () => {
    const batches = shuffled(5, { size: 2 });
    const seen: [number, boolean][] = [[batches.epoch, batches.atEpochStart]];
    for (let i = 0; i < 4; i++) {
      batches.next();
      seen.push([batches.epoch, batches.atEpochStart]);
    }
    expect(seen).toEqual([
      [0, true],
      [0, false],
      [0, false],
      [1, true],
      [1, false],
    ]);
  });

  it("go on where an epoch was left early, and end where it ends", () => {
    const whole = epochOf(shuffled(10, { size: 3 }));
    const batches = shuffled(10, { size: 3 });
    const seen: number[][] = [];
    for (const batch of batches) {
      seen.push(numbersOf(batch));
      if (seen.length === 2) break;
    }
    expect(batches.atEpochStart).toBe(false);
    seen.push(...epochOf(batches));
    expect(seen).toEqual(whole);
    expect(batches.epoch).toBe(1);
  });

  it("go on from a saved state at any position with the same batches, in this epoch and those after it", () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 20 }),
      size: fc.integer({ min: 1, max: 6 }),
      taken: fc.integer({ min: 0, max: 25 }),
      seed: fc.nat(100),
      stream: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ rows, size, taken, seed, stream }) => {
        const make = (of: number): Batches =>
          new Batches(numbered(rows), { size, ...(stream && { random: new RandomStream(of) }) });
        const batches = make(seed);
        for (let i = 0; i < taken; i++) batches.next();
        // Through JSON: a state is plain data.
        const state: BatchesState = JSON.parse(JSON.stringify(batches.state()));
        const other = make(seed + 1);
        other.next();
        other.restore(state);
        expect(other.state()).toEqual(state);
        expect([other.epoch, other.atEpochStart]).toEqual([batches.epoch, batches.atEpochStart]);
        for (let i = 0; i < 10; i++) expect(numbersOf(other.next())).toEqual(numbersOf(batches.next()));
        expect(other.state()).toEqual(batches.state());
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it("save between epochs where their stream is then, also when others drew from it in between", () => {
    const stream = new RandomStream(1);
    const batches = new Batches(numbered(6), { size: 3, random: stream });
    expect([...batches]).toHaveLength(2);
    stream.uniform();
    const state = batches.state();
    const expected = epochOf(batches);
    const other = new Batches(numbered(6), { size: 3, random: new RandomStream(2) });
    other.restore(state);
    expect(epochOf(other)).toEqual(expected);
  });

  it("draw nothing until the first batch is asked for, so that a state can be saved before", () => {
    const stream = new RandomStream(1);
    const batches = new Batches(numbered(6), { size: 3, random: stream });
    expect(stream.state()).toEqual(new RandomStream(1).state());
    expect(batches.state()).toEqual({
      rows: 6,
      size: 3,
      epoch: 0,
      position: 0,
      random: new RandomStream(1).state(),
    });
  });

  it.each<[string, Dataset, BatchesOptions, string]>([
    ["no rows", { x: zeros([0, 2]) }, { size: 2 }, "Batches: 0 rows give no batch"],
    [
      "fewer rows than a batch with dropLast",
      numbered(3),
      { size: 4, dropLast: true },
      "Batches: 3 rows give no batch of 4 without a smaller last one",
    ],
    ["size 0", numbered(3), { size: 0 }, "Batches: size must be a whole number of at least 1, got 0"],
    ["size 1.5", numbered(3), { size: 1.5 }, "Batches: size must be a whole number of at least 1, got 1.5"],
    [
      "labels that do not line up",
      { ...numbered(3), labels: new Int32Array(2) },
      { size: 1 },
      "Batches: expected one label for each of 3 rows, got 2",
    ],
  ])("refuse %s", (_, dataset, options, message) => {
    expect(() => new Batches(dataset, options)).toThrow(
      expect.objectContaining({ name: "DistilgradError", message }),
    );
  });

  it.each<[string, (state: BatchesState) => BatchesState, string]>([
    [
      "a position beyond the epoch",
      (state) => ({ ...state, position: 2 }),
      "Batches: position 2 of epoch 0 does not fit 2 batches an epoch",
    ],
    [
      "a position that is not whole",
      (state) => ({ ...state, position: 0.5 }),
      "Batches: position 0.5 of epoch 0 does not fit 2 batches an epoch",
    ],
    [
      "an epoch below 0",
      (state) => ({ ...state, epoch: -1 }),
      "Batches: position 0 of epoch -1 does not fit 2 batches an epoch",
    ],
    [
      "a state without a stream",
      (state) => ({ ...state, random: null }),
      "Batches: the state is of a loader without a random stream, this one is with",
    ],
    [
      "a stream that is none",
      (state) => ({ ...state, position: 1, random: { words: [0, 0, 0, 0] } }),
      "RandomStream.restore: expected { words: four whole numbers in [0, 2^32), not all 0 }, got four zeros",
    ],
  ])("refuse to restore %s, and stay where they are", (_, change, message) => {
    const batches = shuffled(4, { size: 2 });
    const before = batches.state();
    expect(() => batches.restore(change(before))).toThrow(new DistilgradError("state", message));
    expect(batches.state()).toEqual(before);
  });

  it("refuse the state of a shuffled loader where there is no stream", () => {
    const batches = new Batches(numbered(4), { size: 2 });
    expect(() => batches.restore(shuffled(4, { size: 2 }).state())).toThrow(
      new DistilgradError(
        "state",
        "Batches: the state is of a loader with a random stream, this one is without",
      ),
    );
  });
});
