/** Floor 6: `distilgrad gradcheck`: are the gradients of one's own ops, layers and losses right? */
import type { Arguments, Command } from "./arguments.ts";
import { loadChecks } from "./load-checks.ts";
import { flag, number, wholeNumber } from "./options.ts";
import { colours, isRich, plain } from "./paint.ts";
import { checksAsData, type Outcome, printChecks } from "./print-checks.ts";
import type { Surroundings } from "./run-job.ts";

const options = {
  seed: wholeNumber({ help: "Draws inputs, cotangents and directions", default: 1, least: 0 }),
  step: number({
    help: "h of the differences",
    default: 1e-3,
    requires: "a number above 0",
    accepts: (value) => value > 0,
  }),
  json: flag("Print one JSON document instead of the table"),
};

export const gradcheckCommand: Command<typeof options> = {
  name: "gradcheck",
  summary: "Checks the gradients of your own ops, layers and losses against differences.",
  operands: ["file.js"],
  about:
    "file.js is a module. Its export checks says what is checked: { name: { fn, inputs } } for functions of tensors, " +
    "{ module, inputs, forward } for layers and models, { trainer, batch } for the loss of a trainer; an entry's own seed " +
    "and step go before those of the command line. Without it, every exported function is checked on drawn tensors " +
    "[2, 3], one for each parameter. Ends with 1 when one of them is wrong.",
  options,
};

export async function runGradcheck(
  { values, operands }: Arguments<typeof options>,
  { stdout, environment }: Surroundings,
): Promise<void> {
  const { seed, step, json } = values;
  const [file] = operands;
  const outcomes: Outcome[] = [];
  for (const { name, run } of await loadChecks(file, { seed, step })) {
    try {
      outcomes.push({ name, report: run() });
    } catch (thrown) {
      outcomes.push({ name, report: null, thrown });
    }
  }
  const text = json
    ? `${JSON.stringify(checksAsData(file, outcomes), null, 2)}\n`
    : printChecks(file, outcomes, isRich(stdout, environment) ? colours : plain);
  stdout.write(text);
  const failed = outcomes.filter(({ report }) => report === null).length;
  if (failed > 0) throw new Error(`gradcheck: ${failed} of ${outcomes.length} failed`);
}
