/** Floor 6: `distilgrad distill`: the comparison on a table of one's own. */

import type { LabelledTable } from "../io/labelled-table.ts";
import type { Arguments, Command, Values } from "./arguments.ts";
import { aboutTables, readNamedTable, tableOptions } from "./data-options.ts";
import { number, text, wholeNumber, widths } from "./options.ts";
import type { Recipe, StoredAnswers } from "./recipe.ts";
import { runJob, type Surroundings } from "./run-job.ts";
import { saveTo } from "./save-trained.ts";
import { askedAnswers, storedAnswers } from "./stored-answers.ts";
import { config, runOptions, terms, trainingOptions } from "./training-options.ts";
import { UsageError } from "./usage-error.ts";

const share = { accepts: (value: number): boolean => value > 0 && value < 1 };

/** What may take the place of a teacher that is trained. */
const teachersFromFiles = {
  "soft-targets": text({
    help: "A teacher's stored answers in place of a teacher: a file that distilgrad label or merge wrote",
    placeholder: "FILE",
    default: "",
  }),
  "teacher-file": text({
    help: "A saved teacher in place of one that is trained: its answers, asked for now",
    placeholder: "FILE",
    default: "",
  }),
};

const options = {
  ...tableOptions,
  teacher: widths({ help: "Widths of the teacher's hidden layers", default: [256, 256] }),
  teachers: wholeNumber({
    help: "Networks that teach as one, by the mean of their answers",
    default: 1,
    least: 1,
    most: 100,
  }),
  student: widths({ help: "Widths of the student's hidden layers", default: [32] }),
  labels: wholeNumber({
    help: "Also compares students that see only this many labels",
    default: null,
    least: 1,
  }),
  ...trainingOptions,
  terms,
  ...teachersFromFiles,
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
  ...runOptions,
  save: text({
    help: "A folder that gets every trained model as a safetensors file, for distilgrad evaluate",
    placeholder: "FOLDER",
    default: "",
  }),
  config,
};

export const distill: Command<typeof options> = {
  name: "distill",
  summary: "Teaches small networks on your own table, with and without a large one.",
  operands: ["data.csv"],
  about:
    `${aboutTables} ` +
    "Features are brought to mean 0 and deviation 1. For every seed, on a split of its own, trains a teacher and students " +
    "that start alike: with all labels, alone and taught; without any label, taught; with --labels also with a few. Rows " +
    "whose class is empty are never tested; only the student without labels learns from them.",
  options,
};

export async function runDistill(
  { values, given, operands }: Arguments<typeof options>,
  surroundings: Surroundings,
): Promise<void> {
  const { labels, seeds, processes, json, quiet } = values;
  const fewSteps = values["few-steps"];
  if (fewSteps !== null && labels === null) {
    throw new UsageError("distill: --few-steps is for students with few labels; give --labels N too");
  }
  const needless = ["temperature", "alpha"].find((name) => given.has(name));
  if (values.terms !== null && needless !== undefined) {
    throw new UsageError(`distill: --${needless} has no effect beside --terms; say it in a term`);
  }
  requireOneTeacher(given);
  if (values.teachers > 1 && values.save !== "") {
    throw new UsageError(
      "distill: --save keeps one network a file, and --teachers makes a teacher of several; leave one out",
    );
  }
  const { readInput } = surroundings;
  const source = await readNamedTable("distill", operands[0], values, given, readInput);
  const { name, table } = source;
  const recipe = recipeOf(values, source.standardize);
  const answers = await answersOf(values, name, table, recipe);
  const save = values.save === "" ? undefined : saveTo(values.save, recipe, table, answers);
  await runJob(
    { name, table, recipe, ...(answers && { answers }), ...(save && { save }) },
    { seeds, processes, json, quiet },
    surroundings,
    source.attribution,
  );
}

function requireOneTeacher(given: ReadonlySet<string>): void {
  const [place, other] = Object.keys(teachersFromFiles).filter((name) => given.has(name));
  if (other !== undefined) {
    throw new UsageError(`distill: --${place} and --${other} both name a teacher; leave one out`);
  }
  const needless = ["teacher", "teachers", "dropout", "teacher-epochs"].find((name) => given.has(name));
  if (place !== undefined && needless !== undefined) {
    throw new UsageError(
      `distill: --${needless} has no effect beside --${place}, which takes the place of training a teacher`,
    );
  }
}

/** The answers of a teacher from a file, if one is named. */
async function answersOf(
  values: Values<typeof teachersFromFiles>,
  name: string,
  table: LabelledTable,
  recipe: Recipe,
): Promise<StoredAnswers | undefined> {
  const [stored, asked] = [values["soft-targets"], values["teacher-file"]];
  if (stored !== "") return storedAnswers(stored, name, table, recipe);
  return asked === "" ? undefined : await askedAnswers(asked, name, table, recipe);
}

/** What the options say to train. */
export function recipeOf(
  values: Omit<
    Values<typeof options>,
    keyof (typeof tableOptions & typeof runOptions & typeof teachersFromFiles) | "seeds" | "save" | "config"
  >,
  standardize: boolean,
): Recipe {
  const { dropout, batch, test, labels, temperature, alpha, terms } = values;
  const steps = values["student-steps"];
  const fewSteps = values["few-steps"] ?? Math.min(800, steps);
  return {
    teacher: {
      count: values.teachers,
      hidden: values.teacher,
      dropout,
      epochs: values["teacher-epochs"],
      learningRate: 2e-3,
    },
    student: { hidden: values.student, learningRate: 5e-3, steps, fewSteps },
    batch,
    test,
    standardize,
    labels,
    temperature,
    alpha,
    terms,
  };
}
