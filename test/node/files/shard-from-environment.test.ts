import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../../src/errors.ts";
import { type EnvironmentShard, shardFromEnvironment } from "../../../src/node/shard-from-environment.ts";

type Environment = Readonly<Record<string, string>>;
const array = (id: number, count: number, min: number, max?: number): Environment => ({
  SLURM_ARRAY_TASK_ID: `${id}`,
  SLURM_ARRAY_TASK_COUNT: `${count}`,
  SLURM_ARRAY_TASK_MIN: `${min}`,
  ...(max !== undefined && { SLURM_ARRAY_TASK_MAX: `${max}` }),
});
const tasks = (index: number, count: number): Environment => ({
  SLURM_PROCID: `${index}`,
  SLURM_NTASKS: `${count}`,
});
const openMpi = (index: number, count: number): Environment => ({
  OMPI_COMM_WORLD_RANK: `${index}`,
  OMPI_COMM_WORLD_SIZE: `${count}`,
});

describe("shardFromEnvironment", () => {
  it.each<[string, Environment, EnvironmentShard | null]>([
    ["nothing", { HOME: "/", SLURM_JOB_ID: "7" }, null],
    ["a Slurm array from 0", array(2, 4, 0), { index: 2, count: 4, source: "Slurm array" }],
    ["a Slurm array from 1", array(4, 4, 1, 4), { index: 3, count: 4, source: "Slurm array" }],
    ["a Slurm array with steps, 1-7:2", array(5, 4, 1, 7), { index: 2, count: 4, source: "Slurm array" }],
    ["a Slurm array of one", array(9, 1, 9, 9), { index: 0, count: 1, source: "Slurm array" }],
    ["Slurm tasks", tasks(3, 8), { index: 3, count: 8, source: "Slurm tasks" }],
    ["a Slurm task of unknown many", { SLURM_PROCID: "3" }, { index: 3, count: null, source: "Slurm tasks" }],
    [
      "an indexed job in Kubernetes",
      { JOB_COMPLETION_INDEX: "5" },
      { index: 5, count: null, source: "Kubernetes" },
    ],
    ["Open MPI", openMpi(1, 2), { index: 1, count: 2, source: "Open MPI" }],
    ["another MPI", { PMI_RANK: "1", PMI_SIZE: "2" }, { index: 1, count: 2, source: "MPI" }],
    [
      "an array in AWS Batch",
      { AWS_BATCH_JOB_ARRAY_INDEX: "9", AWS_BATCH_JOB_ARRAY_SIZE: "10" },
      { index: 9, count: 10, source: "AWS Batch" },
    ],
    [
      "one without its size",
      { AWS_BATCH_JOB_ARRAY_INDEX: "9" },
      { index: 9, count: null, source: "AWS Batch" },
    ],
    [
      "a Slurm array of programs with one task",
      { ...array(2, 4, 0), ...tasks(0, 1) },
      { index: 2, count: 4, source: "Slurm array" },
    ],
    [
      "Slurm tasks in an array of one",
      { ...array(0, 1, 0), ...tasks(2, 4) },
      { index: 2, count: 4, source: "Slurm tasks" },
    ],
    [
      "MPI that Slurm has started",
      { ...openMpi(5, 8), ...tasks(0, 8) },
      { index: 5, count: 8, source: "Open MPI" },
    ],
    [
      "two that agree",
      { ...openMpi(5, 8), PMI_RANK: "5", PMI_SIZE: "8" },
      { index: 5, count: 8, source: "Open MPI" },
    ],
    ["only one of one", { ...array(3, 1, 3), ...tasks(0, 1) }, { index: 0, count: 1, source: "Slurm array" }],
    ["sizes without an index", { SLURM_NTASKS: "8", PMI_SIZE: "4", SLURM_ARRAY_TASK_COUNT: "3" }, null],
  ])("finds what is said: %s", (_, env, expected) => {
    expect(shardFromEnvironment(env)).toEqual(expected);
  });

  it.each<[string, Environment, string]>([
    [
      "an index that is no number",
      { JOB_COMPLETION_INDEX: "x" },
      'JOB_COMPLETION_INDEX must be a whole number of at least 0, got "x"',
    ],
    [
      "an empty one",
      { JOB_COMPLETION_INDEX: "" },
      'JOB_COMPLETION_INDEX must be a whole number of at least 0, got ""',
    ],
    [
      "a negative one",
      { PMI_RANK: "-1", PMI_SIZE: "2" },
      'PMI_RANK must be a whole number of at least 0, got "-1"',
    ],
    [
      "one with a space",
      { SLURM_PROCID: "1 " },
      'SLURM_PROCID must be a whole number of at least 0, got "1 "',
    ],
    [
      "one in hexadecimal",
      { SLURM_PROCID: "0x1" },
      'SLURM_PROCID must be a whole number of at least 0, got "0x1"',
    ],
    [
      "one with a leading zero",
      { SLURM_PROCID: "01" },
      'SLURM_PROCID must be a whole number of at least 0, got "01"',
    ],
    [
      "one that is too large",
      { SLURM_PROCID: "9007199254740993" },
      'SLURM_PROCID must be a whole number of at least 0, got "9007199254740993"',
    ],
    [
      "a count that is no number",
      { SLURM_PROCID: "0", SLURM_NTASKS: "many" },
      'SLURM_NTASKS must be a whole number of at least 0, got "many"',
    ],
    [
      "an index beyond the count",
      tasks(8, 8),
      "expected an index below the count, got index 8 of 8 (Slurm tasks)",
    ],
    ["a count of 0", openMpi(0, 0), "expected an index below the count, got index 0 of 0 (Open MPI)"],
    [
      "an array's task beyond it",
      array(4, 4, 0),
      "expected an index below the count, got index 4 of 4 (Slurm array)",
    ],
    [
      "an array's task before it",
      array(0, 4, 1),
      "expected a Slurm array with equal steps, got task 0 of 4 from 1 to null",
    ],
    [
      "an array without steps, 1,2,7",
      array(2, 3, 1, 7),
      "expected a Slurm array with equal steps, got task 2 of 3 from 1 to 7",
    ],
    [
      "an array of broken steps, 0,1,2,5",
      array(5, 4, 0, 5),
      "expected a Slurm array with equal steps, got task 5 of 4 from 0 to 5",
    ],
    [
      "an array's task alone",
      { SLURM_ARRAY_TASK_ID: "1" },
      "SLURM_ARRAY_TASK_ID needs SLURM_ARRAY_TASK_COUNT and SLURM_ARRAY_TASK_MIN beside it",
    ],
    [
      "an array of MPI programs",
      { ...array(1, 2, 0), ...openMpi(3, 4) },
      "expected one shard, got index 1 of 2 (Slurm array) and index 3 of 4 (Open MPI); say which it is",
    ],
    [
      "one index of two counts",
      { ...openMpi(1, 4), PMI_RANK: "1", PMI_SIZE: "2" },
      "expected one shard, got index 1 of 4 (Open MPI) and index 1 of 2 (MPI); say which it is",
    ],
    [
      "tasks in Kubernetes",
      { JOB_COMPLETION_INDEX: "1", ...tasks(1, 2) },
      "expected one shard, got index 1 of an unknown number (Kubernetes) and index 1 of 2 (Slurm tasks); say which it is",
    ],
  ])("refuses %s", (_, env, message) => {
    expect(() => shardFromEnvironment(env)).toThrow(
      new DistilgradError("value", `shardFromEnvironment: ${message}`),
    );
  });

  it("refuses to look nowhere", () => {
    expect(() => shardFromEnvironment(undefined as never)).toThrow(
      new DistilgradError(
        "value",
        "shardFromEnvironment: expected variables such as process.env, got undefined",
      ),
    );
  });
});
