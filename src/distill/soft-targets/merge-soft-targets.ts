import { kindOf, requireInstance } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { firstDifference, inWords } from "./description.ts";
import { answersIn, KEY } from "./format.ts";
import { codecOf } from "./mode.ts";
import { SoftTargets } from "./soft-targets.ts";

/**
 * One store from the shards of a recording, in any order: the bytes that a recording in one piece would have given.
 *
 * @throws `data` where rows are missing or there twice, or where shards differ in teacher, mode, classes, data, epochs or
 *   augmentation
 */
export function mergeSoftTargets(shards: readonly SoftTargets[]): SoftTargets {
  if (!Array.isArray(shards) || shards.length === 0) {
    throw new DistilgradError(
      "data",
      `mergeSoftTargets: expected a list of at least one shard, got ${Array.isArray(shards) ? "none" : kindOf(shards)}`,
    );
  }
  for (const shard of shards) {
    requireInstance("mergeSoftTargets", "soft targets, as recordSoftTargets makes them", shard, SoftTargets);
  }
  const parts = shards.map(({ stored }) => stored).sort((a, b) => a.description.start - b.description.start);
  const whole = { ...parts[0].description, start: 0, end: parts[0].description.rows };
  let done = 0;
  for (const { description } of parts) {
    const { start, end } = description;
    const name = firstDifference(whole, { ...description, start: 0, end: whole.rows });
    if (name !== null) {
      throw new DistilgradError(
        "data",
        `mergeSoftTargets: expected shards of one recording, got ${name} ${inWords(whole[name])} from row ${parts[0].description.start} on and ${inWords(description[name])} from row ${start} on`,
      );
    }
    if (start > done) throw incomplete("missing", done, start, whole.rows);
    if (start < done) throw incomplete("there twice", start, Math.min(done, end), whole.rows);
    done = end;
  }
  if (done < whole.rows) throw incomplete("missing", done, whole.rows, whole.rows);

  const { bytes } = codecOf(whole.mode, whole.classes);
  const keys = new Uint8Array(KEY * answersIn(whole));
  const records = new Uint8Array(bytes * answersIn(whole));
  for (const part of parts) {
    const { start, end } = part.description;
    for (let epoch = 0; epoch < whole.epochs; epoch++) {
      const from = epoch * (end - start);
      const to = epoch * whole.rows + start;
      keys.set(part.keys.subarray(KEY * from, KEY * (from + end - start)), KEY * to);
      records.set(part.records.subarray(bytes * from, bytes * (from + end - start)), bytes * to);
    }
  }
  return new SoftTargets({ description: whole, keys, records });
}

/** @param end the first row after `start` that it is not about */
const incomplete = (what: string, start: number, end: number, rows: number): DistilgradError =>
  new DistilgradError(
    "data",
    `mergeSoftTargets: expected each of ${rows} rows once, got rows ${start} to ${end - 1} ${what}`,
  );
