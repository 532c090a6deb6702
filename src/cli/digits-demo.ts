/** Floor 6: `distilgrad demo`: the comparison on handwritten digits that come with the package. */
import type { Arguments, Command } from "./arguments.ts";
import { builtInTable } from "./built-in-tables.ts";
import { wholeNumber } from "./options.ts";
import type { Job, Recipe } from "./recipe.ts";
import { runJob, type Surroundings } from "./run-job.ts";
import { runOptions, trainingOptions } from "./training-options.ts";

const options = {
  ...trainingOptions,
  labels: wholeNumber({ help: "How many labels the students with few labels see", default: 50, least: 1 }),
  ...runOptions,
};

export const demo: Command<typeof options> = {
  name: "demo",
  summary: "Teaches small networks on 1,797 handwritten digits, with and without a large one.",
  operands: [],
  about:
    "For every seed, on a split of its own, trains a teacher (64-256-256-10) and four students (64-32-10) that start alike: " +
    "with a few labels, alone and taught; without any label, taught; with all labels, alone. Then tests them on digits " +
    "that none has seen. Takes about a minute.",
  options,
};

/** The reference comparison: what there is to gain, and settings under which it is gained. */
export function digitsJob(chosen: Pick<Recipe, "temperature" | "alpha" | "labels">): Job {
  const { name, table, standardize } = builtInTable("digits")!;
  return {
    name,
    table,
    recipe: {
      teacher: { count: 1, hidden: [256, 256], dropout: 0.2, epochs: 40, learningRate: 2e-3 },
      student: { hidden: [32], learningRate: 5e-3, steps: 3000, fewSteps: 800 },
      batch: 64,
      test: 0.2,
      standardize,
      terms: null,
      ...chosen,
    },
  };
}

export async function runDemo(
  { values }: Arguments<typeof options>,
  surroundings: Surroundings,
): Promise<void> {
  const { temperature, alpha, labels, ...settings } = values;
  await runJob(
    digitsJob({ temperature, alpha, labels }),
    settings,
    surroundings,
    builtInTable("digits")!.attribution,
  );
}
