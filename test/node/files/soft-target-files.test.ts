import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { recordSoftTargets, type Teacher } from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { stateHash } from "../../../src/nn/state-hash.ts";
import {
  loadSoftTargetShards,
  loadSoftTargets,
  recordSoftTargetShard,
  saveSoftTargets,
} from "../../../src/node/soft-target-files.ts";
import { network } from "../../distill/models.ts";
import { augment, dataset, taught, teacher } from "../../distill/soft-targets/models.ts";
import { pathsInAFolder } from "./folder.ts";

const path = pathsInAFolder();
const torn =
  "readSoftTargets: the SHA-256 at the end is not that of the bytes before it; they are torn or were edited";

/** Without its last byte. */
function tear(file: string): void {
  writeFileSync(file, readFileSync(file).subarray(0, -1));
}

describe("a store in a file", () => {
  it("is the store that was saved: a student learns the same from it", () => {
    saveSoftTargets(path("t"), recordSoftTargets(teacher, dataset, { augment, epochs: 3 }));
    expect(taught(loadSoftTargets(path("t")), dataset, { augment })).toBe(
      taught(teacher, dataset, { augment }),
    );
    expect(readdirSync(path())).toEqual(["t"]);
  });

  it("is refused by its path when it is torn or of another kind", () => {
    saveSoftTargets(path("t"), recordSoftTargets(teacher, dataset));
    tear(path("t"));
    expect(() => loadSoftTargets(path("t"))).toThrow(
      new DistilgradError("data", `loadSoftTargets: ${path("t")}: ${torn}`),
    );
    expect(() => loadSoftTargets(path("none"))).toThrow(/ENOENT/);
    expect(() => saveSoftTargets(path("t"), dataset as never)).toThrow(
      new DistilgradError("value", "saveSoftTargets: expected soft targets second, got an object"),
    );
  });
});

describe("shards in a folder", () => {
  const record = (
    index: number,
    count = 3,
    by: Teacher = teacher,
  ): ReturnType<typeof recordSoftTargetShard> =>
    recordSoftTargetShard(path(), by, dataset, { shard: { index, count } });
  const nameOf = (index: number): string => `shard-0000${index}-of-00003.softtargets`;

  it("stand in order, and are one recording when they are loaded", () => {
    for (const index of [2, 0, 1]) {
      expect(record(index)).toEqual({ path: path(nameOf(index)), recorded: true });
    }
    expect(readdirSync(path())).toEqual([0, 1, 2].map(nameOf));
    expect(loadSoftTargetShards(path()).bytes()).toEqual(recordSoftTargets(teacher, dataset).bytes());
  });

  it("are named so that they sort beyond 99,999", () => {
    const { path: file } = recordSoftTargetShard(path(), teacher, dataset, {
      shard: { index: 99_999, count: 100_000 },
    });
    expect(file).toBe(path("shard-099999-of-100000.softtargets"));
  });

  it("are skipped when they are there: the teacher is not asked again", () => {
    record(1);
    const before = readFileSync(path(nameOf(1)));
    const again = network(16, 100);
    again.forward = () => {
      throw new Error("asked");
    };
    expect(record(1, 3, again)).toEqual({ path: path(nameOf(1)), recorded: false });
    expect(readFileSync(path(nameOf(1)))).toEqual(before);
  });

  it("are refused by their path when they are torn, and stay as they are", () => {
    record(0);
    record(1);
    tear(path(nameOf(1)));
    const before = readFileSync(path(nameOf(1)));
    expect(() => record(1)).toThrow(
      new DistilgradError("data", `recordSoftTargetShard: ${path(nameOf(1))}: ${torn}`),
    );
    expect(() => loadSoftTargetShards(path())).toThrow(
      new DistilgradError("data", `loadSoftTargets: ${path(nameOf(1))}: ${torn}`),
    );
    expect(readFileSync(path(nameOf(1)))).toEqual(before);
    rmSync(path(nameOf(1)));
    expect(record(1).recorded).toBe(true);
  });

  it("are not recorded for a folder that does not exist, before the teacher is asked", () => {
    const silent = network(16, 100);
    silent.forward = () => {
      throw new Error("asked");
    };
    const folder = path("nowhere");
    expect(() => recordSoftTargetShard(folder, silent, dataset, { shard: { index: 0, count: 2 } })).toThrow(
      new DistilgradError(
        "data",
        `recordSoftTargetShard: expected a folder ${folder} to write to, got none; make it first`,
      ),
    );
  });

  it("are refused by their path when they are of another recording", () => {
    record(1);
    const refusal = (file: string, field: string): DistilgradError =>
      new DistilgradError(
        "data",
        `recordSoftTargetShard: ${file}: the file is of another recording: its ${field} differs; delete it`,
      );
    expect(() => record(1, 3, network(16, 101))).toThrow(refusal(path(nameOf(1)), "teacher"));
    expect(() =>
      recordSoftTargetShard(path(), teacher, dataset, { shard: { index: 1, count: 3 }, mode: "float16" }),
    ).toThrow(refusal(path(nameOf(1)), "mode"));
    renameSync(path(nameOf(1)), path(nameOf(2)));
    expect(() => record(2)).toThrow(refusal(path(nameOf(2)), "start"));
  });

  it("are refused where one is missing, where there is none, and where none is asked for", () => {
    record(0);
    record(2);
    expect(() => loadSoftTargetShards(path())).toThrow(
      new DistilgradError(
        "data",
        `mergeSoftTargets: expected each of 23 rows once, got rows 7 to 14 missing, before ${nameOf(2)}`,
      ),
    );
    rmSync(path(nameOf(2)));
    expect(() => loadSoftTargetShards(path())).toThrow(
      new DistilgradError(
        "data",
        `mergeSoftTargets: expected each of 23 rows once, got rows 7 to 22 missing, after ${nameOf(0)}`,
      ),
    );
    record(0, 2);
    expect(() => loadSoftTargetShards(path())).toThrow(
      new DistilgradError(
        "data",
        `mergeSoftTargets: expected each of 23 rows once, got rows 0 to 6 there twice, in shard-00000-of-00002.softtargets and ${nameOf(0)}`,
      ),
    );
    rmSync(path("shard-00000-of-00002.softtargets"));
    record(2, 3, network(16, 101));
    const teachers = [teacher, network(16, 101)].map((each) => `"sha256:${stateHash(each.stateDict())}"`);
    expect(() => loadSoftTargetShards(path())).toThrow(
      new DistilgradError(
        "data",
        `mergeSoftTargets: expected shards of one recording, got teacher ${teachers[0]} in ${nameOf(0)} and ${teachers[1]} in ${nameOf(2)}`,
      ),
    );
    for (const index of [0, 2]) rmSync(path(nameOf(index)));
    writeFileSync(path("notes.txt"), "");
    expect(() => loadSoftTargetShards(path())).toThrow(
      new DistilgradError("data", `loadSoftTargetShards: expected shards in ${path()}, got none`),
    );
    expect(() => recordSoftTargetShard(path(), teacher, dataset, {} as never)).toThrow(
      new DistilgradError("value", "recordSoftTargetShard: expected { index, count }, got undefined"),
    );
  });
});
