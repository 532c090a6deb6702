/** Floor 6: `distilgrad distill`: the comparison on a table of one's own. */
import { type Command, readArguments } from "./arguments.ts";
import { character, choice, number, text, wholeNumber, widths } from "./options.ts";
import { readTable, tableName } from "./read-table.ts";
import { runJob, type Surroundings } from "./run-job.ts";
import { runOptions, trainingOptions } from "./training-options.ts";
import { UsageError } from "./usage-error.ts";

const share = { accepts: (value: number): boolean => value > 0 && value < 1 };

const options = {
  label: text({
    help: "The column of the classes: first, last, a name, or an index from 0",
    placeholder: "COLUMN",
    default: "last",
  }),
  teacher: widths({ help: "Widths of the teacher's hidden layers", default: [256, 256] }),
  student: widths({ help: "Widths of the student's hidden layers", default: [32] }),
  labels: wholeNumber({
    help: "Also compares students that see only this many labels",
    default: null,
    least: 1,
  }),
  ...trainingOptions,
  test: number({
    help: "Share of the labelled rows to test on",
    default: 0.2,
    requires: "a number between 0 and 1",
    ...share,
  }),
  dropout: number({
    help: "How likely a hidden value of the teacher is dropped in training",
    default: 0.2,
    requires: "a number from 0 to below 1",
    accepts: (value) => value >= 0 && value < 1,
  }),
  batch: wholeNumber({ help: "Rows in a batch", default: 64, least: 1 }),
  "teacher-epochs": wholeNumber({ help: "Passes of the teacher over its rows", default: 40, least: 1 }),
  "student-steps": wholeNumber({ help: "Batches for each student", default: 3000, least: 1 }),
  "few-steps": wholeNumber({
    help: "Batches for each student with few labels",
    default: null,
    shownDefault: "800, or student-steps if that is less",
    least: 1,
  }),
  separator: character({ help: "What stands between two fields; tab for a tabulator", default: "," }),
  header: choice(["auto", "yes", "no"], {
    help: "Whether the first row names the columns",
    default: "auto",
    requires: "auto, yes or no",
  }),
  ...runOptions,
};

export const distill: Command<typeof options> = {
  name: "distill",
  summary: "Teaches small networks on your own table, with and without a large one.",
  operands: ["data.csv"],
  about:
    "data.csv holds a row for each sample: numbers, and one column with the name of its class; - reads standard input. " +
    "Features are brought to mean 0 and deviation 1. For every seed, on a split of its own, trains a teacher and students " +
    "that start alike: with all labels, alone and taught; without any label, taught; with --labels also with a few. Rows " +
    "whose class is empty are never tested; only the student without labels learns from them.",
  options,
};

export async function runDistill(args: readonly string[], surroundings: Surroundings): Promise<void> {
  const { values, operands } = readArguments(distill, args);
  const { label, header, separator, labels, seeds, processes, json, quiet } = values;
  const fewSteps = values["few-steps"];
  if (fewSteps !== null && labels === null) {
    throw new UsageError("distill: --few-steps is for students with few labels; give --labels N too");
  }
  const headers = { auto: "auto", yes: true, no: false } as const;
  const table = await readTable(
    operands[0],
    { label, separator, header: headers[header] },
    surroundings.readInput,
  );
  const steps = values["student-steps"];
  const { dropout, batch, test, temperature, alpha } = values;
  await runJob(
    {
      name: tableName(operands[0]),
      table,
      recipe: {
        teacher: { hidden: values.teacher, dropout, epochs: values["teacher-epochs"], learningRate: 2e-3 },
        student: {
          hidden: values.student,
          learningRate: 5e-3,
          steps,
          fewSteps: fewSteps ?? Math.min(800, steps),
        },
        batch,
        test,
        standardize: true,
        labels,
        temperature,
        alpha,
      },
    },
    { seeds, processes, json, quiet },
    surroundings,
  );
}
