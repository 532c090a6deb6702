/** Floor 6: `distilgrad sweep`: which settings of a distillation are best on one's own table. */
import type { Arguments, Command } from "./arguments.ts";
import { checkGrid } from "./check-sweep.ts";
import { aboutTables, readNamedTable, tableOptions } from "./data-options.ts";
import { distill, recipeOf } from "./distill-command.ts";
import { number, numbers, someOf, text, widthLists } from "./options.ts";
import type { Surroundings } from "./run-job.ts";
import { runSweep } from "./run-sweep.ts";
import { chosenShard, shardOptions } from "./shard-options.ts";
import { logitLossNames } from "./term-settings.ts";
import { UsageError } from "./usage-error.ts";

const own = distill.options;

const options = {
  ...tableOptions,
  temperatures: numbers({
    help: "Temperatures T, for losses that take one",
    default: [1, 2, 4, 8],
    requires: "different numbers from 1e-8 to 1e8 such as 1,2,4",
    accepts: (value) => value >= 1e-8 && value <= 1e8,
  }),
  alphas: numbers({
    help: "Weights of the hard loss, the labels; the soft loss has the rest",
    default: [0.1, 0.4, 0.7],
    requires: "different numbers from 0 to 1 such as 0.1,0.5",
    accepts: (value) => value >= 0 && value <= 1,
  }),
  students: widthLists({ help: "Widths of the students' hidden layers", default: [[32]] }),
  losses: someOf(logitLossNames, {
    help: "Soft losses, between the answers of student and teacher",
    default: ["softTargetLoss"],
  }),
  betas: numbers({
    help: "Weights of a third loss, the mean squared error between the last hidden layers; 0 is none",
    default: [0],
    requires: "different numbers from 0 to 1e6 such as 0,0.1,1",
    accepts: (value) => value >= 0 && value <= 1e6,
  }),
  validation: number({
    help: "Share of the rows to train on that chooses instead",
    default: 0.2,
    requires: "a number between 0 and 1",
    accepts: (value) => value > 0 && value < 1,
  }),
  seeds: own.seeds,
  teacher: own.teacher,
  labels: { ...own.labels, help: "Students see only this many labels" },
  test: own.test,
  dropout: own.dropout,
  batch: own.batch,
  "teacher-epochs": own["teacher-epochs"],
  "student-steps": own["student-steps"],
  "few-steps": { ...own["few-steps"], help: "The same with few labels" },
  out: text({
    help: "A folder that keeps every result: the same call goes on where the last one ended",
    placeholder: "FOLDER",
    default: "",
  }),
  shard: {
    ...shardOptions.shard,
    help: "Trains every N-th student from the I-th on, counted from 0; needs --out",
    shownDefault: "what Slurm, Kubernetes, AWS Batch or MPI say, else all",
  },
  shards: shardOptions.shards,
  processes: { ...own.processes, help: "Processes that train; the numbers are the same for any" },
  json: own.json,
  quiet: own.quiet,
  config: own.config,
};

export const sweepCommand: Command<typeof options> = {
  name: "sweep",
  summary: "Tries settings of a distillation on your own table; validation rows choose.",
  operands: ["data.csv"],
  about:
    `${aboutTables} ` +
    "Trains a student for every combination of the lists and for every seed, and its twin that learns alone. The setting " +
    "that names most validation rows rightly is chosen, and only then tested, on rows that had no part in it. With --out, " +
    "a sweep that was interrupted or killed goes on where it was, and several processes or machines can share it by " +
    "--shard: the last one prints the result.",
  options,
};

export async function runSweepCommand(
  { values, given, operands }: Arguments<typeof options>,
  surroundings: Surroundings,
): Promise<void> {
  const { students, losses, betas, alphas, temperatures, seeds, validation, out, processes, json, quiet } =
    values;
  if (values["few-steps"] !== null && values.labels === null) {
    throw new UsageError("sweep: --few-steps is for students with few labels; give --labels N too");
  }
  const shard = chosenShard("sweep", values, surroundings.environment);
  if (shard.count > 1 && out === "") {
    const part =
      shard.source === null ? "--shard" : `${shard.source} says ${shard.index}/${shard.count}, which`;
    throw new UsageError(`sweep: ${part} needs --out, the folder where all parts meet`);
  }
  const grid = { students, losses, betas, alphas, temperatures };
  checkGrid(grid, seeds);
  const { readInput } = surroundings;
  const { name, table, standardize, attribution } = await readNamedTable(
    "sweep",
    operands[0],
    values,
    given,
    readInput,
  );
  // One network teaches; student, temperature and alpha are each setting's own.
  const recipe = recipeOf(
    { ...values, teachers: 1, student: [], temperature: 1, alpha: 1, terms: null },
    standardize,
  );
  await runSweep(
    { name, table, recipe, validation },
    grid,
    { seeds, out, shard, processes, json, quiet },
    surroundings,
    attribution,
  );
}
