/** Floor 6: `distilgrad evaluate`: what a saved model is worth on a table. */
import type { Arguments, Command } from "./arguments.ts";
import { aboutTables, readNamedTable, tableOptions } from "./data-options.ts";
import { evaluateNetworks } from "./evaluation.ts";
import { readNetwork, requireModelFirst } from "./network-file.ts";
import { flag, text } from "./options.ts";
import { colours, isRich, plain } from "./paint.ts";
import { printEvaluation } from "./print-evaluation.ts";
import type { Surroundings } from "./run-job.ts";
import { config } from "./training-options.ts";

const file = (help: string) => text({ help, placeholder: "FILE", default: "" });

const options = {
  ...tableOptions,
  teacher: file("The model that it learned from: how close are they?"),
  twin: file("The model that learned alone: which of both is right more often?"),
  "test-rows": flag("Only the rows that none of its run saw, of the table it was trained on"),
  config,
  json: flag("Print one JSON document instead of the tables"),
};

export const evaluateCommand: Command<typeof options> = {
  name: "evaluate",
  summary: "Says what a saved model is worth on a table, on its own and beside others.",
  operands: ["model.safetensors", "data.csv"],
  about:
    "model.safetensors is a file that distilgrad distill --save wrote. Features are matched by their columns' names and brought to the " +
    "model's scale, classes are matched by name. " +
    `${aboutTables} Rows that the model learned from flatter it: take others, or --test-rows.`,
  options,
};

export async function runEvaluate(
  { values, given, operands }: Arguments<typeof options>,
  { stdout, environment, readInput }: Surroundings,
): Promise<void> {
  const [path, data] = operands;
  requireModelFirst("evaluate", path, data);
  const model = await readNetwork(path);
  const teacher = values.teacher === "" ? null : await readNetwork(values.teacher);
  const twin = values.twin === "" ? null : await readNetwork(values.twin);
  const source = await readNamedTable("evaluate", data, values, given, readInput);
  const evaluation = evaluateNetworks({ model, teacher, twin }, source, values["test-rows"]);
  const { attribution } = source;
  if (values.json) {
    const { times, ...same } = evaluation;
    stdout.write(`${JSON.stringify({ ...same, ...(attribution && { attribution }), times }, null, 2)}\n`);
  } else {
    stdout.write(printEvaluation(evaluation, isRich(stdout, environment) ? colours : plain, attribution));
  }
}
