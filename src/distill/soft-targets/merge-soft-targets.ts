import { kindOf, requireInstance } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { firstDifference, inWords } from "./description.ts";
import { answersIn, KEY } from "./format.ts";
import { codecOf } from "./mode.ts";
import { SoftTargets } from "./soft-targets.ts";

/**
 * One store from the shards of a recording, in any order: the bytes that a recording in one piece would have given.
 *
 * @param names what messages call the shards, such as their files. Default: by their first rows
 * @throws `data` where rows are missing or there twice, or where shards differ in teacher, mode, classes, data, epochs or
 *   augmentation
 */
export function mergeSoftTargets(shards: readonly SoftTargets[], names?: readonly string[]): SoftTargets {
  if (!Array.isArray(shards) || shards.length === 0) {
    throw new DistilgradError(
      "data",
      `mergeSoftTargets: expected a list of at least one shard, got ${Array.isArray(shards) ? "none" : kindOf(shards)}`,
    );
  }
  for (const shard of shards) {
    requireInstance("mergeSoftTargets", "soft targets, as recordSoftTargets makes them", shard, SoftTargets);
  }
  const parts = shards
    .map(({ stored }, i) => ({ ...stored, name: names?.[i] }))
    .sort((a, b) => a.description.start - b.description.start);
  const whole = { ...parts[0].description, start: 0, end: parts[0].description.rows };
  const placeOf = ({ name, description: { start } }: (typeof parts)[number]): string =>
    name === undefined ? `from row ${start} on` : `in ${name}`;
  const beside = (text: string): string => (names === undefined ? "" : `, ${text}`);
  let done = 0;
  for (const [i, part] of parts.entries()) {
    const { description } = part;
    const { start, end } = description;
    const field = firstDifference(whole, { ...description, start: 0, end: whole.rows });
    if (field !== null) {
      throw new DistilgradError(
        "data",
        `mergeSoftTargets: expected shards of one recording, got ${field} ${inWords(whole[field])} ${placeOf(parts[0])} and ${inWords(description[field])} ${placeOf(part)}`,
      );
    }
    if (start > done) {
      throw incomplete(`missing${beside(`before ${part.name}`)}`, done, start, whole.rows);
    }
    if (start < done) {
      const both = beside(`in ${parts[i - 1].name} and ${part.name}`);
      throw incomplete(`there twice${both}`, start, Math.min(done, end), whole.rows);
    }
    done = end;
  }
  if (done < whole.rows) {
    const last = parts[parts.length - 1].name;
    throw incomplete(`missing${beside(`after ${last}`)}`, done, whole.rows, whole.rows);
  }

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
