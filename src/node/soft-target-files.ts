/** Floor 5: soft targets as files, in one piece and in shards. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { requireInstance } from "../arguments.ts";
import type { Dataset } from "../data/dataset.ts";
import {
  mergeSoftTargets,
  type RecordSoftTargetsOptions,
  readSoftTargets,
  recordSoftTargets,
  type Shard,
  SoftTargets,
} from "../distill/soft-targets/index.ts";
import { differenceFromPlan } from "../distill/soft-targets/record-soft-targets.ts";
import { requireShard } from "../distill/soft-targets/shard-rows.ts";
import type { Teacher } from "../distill/teacher.ts";
import { DistilgradError } from "../errors.ts";
import { writeFileAtomically } from "./atomic-write.ts";
import { readFrom } from "./read-file.ts";

/** Saves a store; the file is there whole or not at all. */
export function saveSoftTargets(path: string, targets: SoftTargets): void {
  requireInstance("saveSoftTargets", "soft targets second", targets, SoftTargets);
  writeFileAtomically(path, targets.bytes());
}

/** The store in a file. @throws `data`, with the path, on a file that is torn, was edited, or is of another kind */
export const loadSoftTargets = (path: string): SoftTargets =>
  readFrom("loadSoftTargets", path, readSoftTargets);

const PREFIX = "shard-";
const SUFFIX = ".softtargets";

/** What a shard's file is called: in a sorted folder, shards stand in order. */
function shardFileName({ index, count }: Shard): string {
  const digits = Math.max(5, String(count).length);
  const [at, of] = [index, count].map((number) => String(number).padStart(digits, "0"));
  return `${PREFIX}${at}-of-${of}${SUFFIX}`;
}

/**
 * Records one shard into a folder, unless it is there already. A job that is started again does what is missing.
 *
 * @param options as for `recordSoftTargets`, with the shard
 * @returns the file's path, and whether the teacher was asked
 * @throws, with the path, on a file of that name that is torn, was edited, or is of another recording; delete it
 */
export function recordSoftTargetShard(
  folder: string,
  teacher: Teacher,
  dataset: Dataset,
  options: RecordSoftTargetsOptions & { readonly shard: Shard },
): { readonly path: string; readonly recorded: boolean } {
  const where = "recordSoftTargetShard";
  requireShard(where, options?.shard);
  const path = join(folder, shardFileName(options.shard));
  return { path, recorded: recordUnlessThere(where, path, teacher, dataset, options) };
}

/** Records into a file, unless it is there already. @returns whether the teacher was asked @throws as for a shard */
export function recordUnlessThere(
  where: string,
  path: string,
  teacher: Teacher,
  dataset: Dataset,
  options: RecordSoftTargetsOptions,
): boolean {
  if (!existsSync(path)) {
    const folder = dirname(path);
    if (!existsSync(folder)) {
      throw new DistilgradError(
        "data",
        `${where}: expected a folder ${folder} to write to, got none; make it first`,
      );
    }
    saveSoftTargets(path, recordSoftTargets(teacher, dataset, options));
    return true;
  }
  readFrom(where, path, (bytes) => {
    const name = differenceFromPlan(readSoftTargets(bytes).description, teacher, dataset, options);
    if (name === null) return;
    throw new DistilgradError("data", `the file is of another recording: its ${name} differs; delete it`);
  });
  return false;
}

/** The store in a folder's shards, merged. @throws on a file that is torn, and on shards that are not one recording */
export function loadSoftTargetShards(folder: string): SoftTargets {
  const names = readdirSync(folder)
    .filter((name) => name.startsWith(PREFIX) && name.endsWith(SUFFIX))
    .sort();
  if (names.length === 0) {
    throw new DistilgradError("data", `loadSoftTargetShards: expected shards in ${folder}, got none`);
  }
  return mergeSoftTargets(
    names.map((name) => loadSoftTargets(join(folder, name))),
    names,
  );
}
