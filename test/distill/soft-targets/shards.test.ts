/** Rows among workers, and their answers in one store again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { takeRows } from "../../../src/data/dataset.ts";
import {
  mergeSoftTargets,
  type RecordSoftTargetsOptions,
  recordSoftTargets,
  type SoftTargets,
  shardRows,
} from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { network } from "../models.ts";
import { augment, dataset, teacher } from "./models.ts";

const shard = (index: number, count: number, options: RecordSoftTargetsOptions = {}): SoftTargets =>
  recordSoftTargets(teacher, dataset, { ...options, shard: { index, count } });
const shards = (count: number, options: RecordSoftTargetsOptions = {}): SoftTargets[] =>
  Array.from({ length: count }, (_, index) => shard(index, count, options));
const refusal = (message: string): DistilgradError =>
  new DistilgradError("data", `mergeSoftTargets: ${message}`);

describe("shardRows", () => {
  it("gives each row to one shard, in order, and none more than one row above another", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 40 }), (rows, count) => {
        let done = 0;
        for (let index = 0; index < count; index++) {
          const { start, end } = shardRows(rows, index, count);
          expect(start).toBe(done);
          expect([Math.floor(rows / count), Math.ceil(rows / count)]).toContain(end - start);
          done = end;
        }
        expect(done).toBe(rows);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it.each<[number, number, number, string]>([
    [10, 3, 3, "index must be below count, counted from 0, got 3 of 3"],
    [10, 0, 0, "count must be a whole number of at least 1, got 0"],
    [10, -1, 3, "index must be a whole number of at least 0, got -1"],
    [1.5, 0, 1, "rows must be a whole number of at least 0, got 1.5"],
    [2 ** 52, 0, 3, "4503599627370496 rows in 3 shards are too many to count"],
  ])("refuses %d rows, index %d, count %d", (rows, index, count, message) => {
    expect(() => shardRows(rows, index, count)).toThrow(
      new DistilgradError("value", `shardRows: ${message}`),
    );
  });
});

describe("mergeSoftTargets", () => {
  it("gives the bytes of a recording in one piece, for any number of shards in any order", () => {
    const whole = recordSoftTargets(teacher, dataset).bytes();
    for (const count of [1, 2, 5, 23]) {
      expect(mergeSoftTargets(shards(count).reverse()).bytes()).toEqual(whole);
    }
  });

  it("does so with an augmentation and with top classes", () => {
    const options: RecordSoftTargetsOptions = { augment, epochs: 3, mode: { top: 1, rest: "spread" } };
    const whole = recordSoftTargets(teacher, dataset, options).bytes();
    expect(mergeSoftTargets(shards(4, options)).bytes()).toEqual(whole);
  });

  it.each<[string, () => SoftTargets[], string]>([
    ["the first", () => shards(4).slice(1), "expected each of 23 rows once, got rows 0 to 4 missing"],
    [
      "one between",
      () => shards(4).filter((_, i) => i !== 2),
      "expected each of 23 rows once, got rows 11 to 16 missing",
    ],
    ["the last", () => shards(4).slice(0, 3), "expected each of 23 rows once, got rows 17 to 22 missing"],
  ])("refuses a recording without %s", (_, make, message) => {
    expect(() => mergeSoftTargets(make())).toThrow(refusal(message));
  });

  it("refuses rows that are there twice, by one shard or by shards of other counts", () => {
    expect(() => mergeSoftTargets([...shards(4), shard(1, 4)])).toThrow(
      refusal("expected each of 23 rows once, got rows 5 to 10 there twice"),
    );
    expect(() => mergeSoftTargets([shard(0, 2), shard(1, 3), shard(1, 2)])).toThrow(
      refusal("expected each of 23 rows once, got rows 7 to 10 there twice"),
    );
  });

  it.each<[string, SoftTargets, string, string, string]>([
    [
      "teachers",
      recordSoftTargets(network(16, 101), dataset, { shard: { index: 1, count: 2 } }),
      "teacher",
      JSON.stringify(shard(0, 2).description.teacher),
      JSON.stringify(recordSoftTargets(network(16, 101), dataset).description.teacher),
    ],
    ["modes", shard(1, 2, { mode: "float16" }), "mode", '"float32"', '"float16"'],
    ["class names", shard(1, 2, { classNames: ["a", "b", "c"] }), "classNames", "null", '["a","b","c"]'],
    [
      "data",
      recordSoftTargets(teacher, takeRows(dataset, [...Array(23).keys()].reverse()), {
        shard: { index: 1, count: 2 },
      }),
      "data",
      JSON.stringify(shard(0, 2).description.data),
      '"',
    ],
    ["augmentations", shard(1, 2, { augment, epochs: 1 }), "augmentation", "null", '"shift 1,'],
  ])("refuses other %s", (_, other, name, own, others) => {
    const call = (): SoftTargets => mergeSoftTargets([other, shard(0, 2)]);
    expect(call).toThrow(
      `mergeSoftTargets: expected shards of one recording, got ${name} ${own} from row 0 on and ${others}`,
    );
    expect(call).toThrow(/ from row 11 on$/);
  });

  it("refuses other epochs", () => {
    const parts = [shard(0, 2, { augment, epochs: 2 }), shard(1, 2, { augment, epochs: 3 })];
    expect(() => mergeSoftTargets(parts)).toThrow(
      refusal("expected shards of one recording, got epochs 2 from row 0 on and 3 from row 11 on"),
    );
  });

  it("refuses no shards, and what is none", () => {
    expect(() => mergeSoftTargets([])).toThrow(refusal("expected a list of at least one shard, got none"));
    expect(() => mergeSoftTargets(shard(0, 1) as never)).toThrow(
      refusal("expected a list of at least one shard, got a SoftTargets"),
    );
    expect(() => mergeSoftTargets([new Uint8Array(3) as never])).toThrow(
      new DistilgradError(
        "value",
        "mergeSoftTargets: expected soft targets, as recordSoftTargets makes them, got a Uint8Array",
      ),
    );
  });
});
