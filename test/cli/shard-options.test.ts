import { describe, expect, it } from "vitest";
import { chosenShard, shardOptions } from "../../src/cli/shard-options.ts";
import { UsageError } from "../../src/cli/usage-error.ts";

const slurm = { SLURM_ARRAY_TASK_ID: "3", SLURM_ARRAY_TASK_COUNT: "4", SLURM_ARRAY_TASK_MIN: "2" };
const kubernetes = { JOB_COMPLETION_INDEX: "2" };
const none = { shard: null, shards: null };

describe("--shard", () => {
  it("reads parts that are below their number, counted from 0", () => {
    expect(["0/1", "2/3", "00/07", "999999998/999999999"].map(shardOptions.shard.read)).toEqual([
      { index: 0, count: 1 },
      { index: 2, count: 3 },
      { index: 0, count: 7 },
      { index: 999999998, count: 999999999 },
    ]);
    for (const text of ["3/3", "1/0", "0/0", "-1/3", "1", "1/3/5", "1.5/3", "1 / 3", "a/3", "", "/"]) {
      expect(shardOptions.shard.read(text)).toBe(undefined);
    }
  });

  it("is all rows where neither options nor a launcher say anything", () => {
    expect(chosenShard("label", none, {})).toEqual({ index: 0, count: 1, source: null });
  });

  it("goes before the environment, whatever that says", () => {
    const shard = { index: 1, count: 3 };
    const chosen = { ...shard, source: null };
    expect(chosenShard("label", { shard, shards: null }, slurm)).toEqual(chosen);
    expect(chosenShard("label", { shard, shards: 3 }, { SLURM_ARRAY_TASK_ID: "x" })).toEqual(chosen);
  });

  it("is otherwise what the launcher says, with --shards where that says no number", () => {
    const inSlurm = { index: 1, count: 4, source: "Slurm array" };
    expect(chosenShard("label", none, slurm)).toEqual(inSlurm);
    expect(chosenShard("label", { ...none, shards: 4 }, slurm)).toEqual(inSlurm);
    const inKubernetes = { index: 2, count: 3, source: "Kubernetes" };
    expect(chosenShard("label", { ...none, shards: 3 }, kubernetes)).toEqual(inKubernetes);
  });

  it.each([
    [
      { shard: { index: 1, count: 3 }, shards: 4 },
      {},
      "--shards 4 contradicts --shard 1/3; leave out --shards, which --shard says too",
    ],
    [
      { ...none, shards: 3 },
      {},
      "--shards 3 says how many parts there are, and nothing says which this is; give --shard I/3 with I from 0",
    ],
    [none, kubernetes, "Kubernetes says that this is part 2, and not of how many; give --shards N"],
    [
      { ...none, shards: 3 },
      slurm,
      "--shards 3 contradicts Slurm array, which says 1/4; leave it out, or give --shard I/N",
    ],
    [
      { ...none, shards: 2 },
      kubernetes,
      "Kubernetes says that this is part 2, and the last of --shards 2 is 1",
    ],
    [
      none,
      { SLURM_ARRAY_TASK_ID: "3" },
      "SLURM_ARRAY_TASK_ID needs SLURM_ARRAY_TASK_COUNT and SLURM_ARRAY_TASK_MIN beside it; --shard I/N goes before it",
    ],
  ])("refuses %j in %j", (values, environment, message) => {
    expect(() => chosenShard("label", values, environment)).toThrow(new UsageError(`label: ${message}`));
  });
});
