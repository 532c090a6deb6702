import { commandLine } from "../../../src/cli/command-line.ts";
import type { Job, Recipe } from "../../../src/cli/recipe.ts";
import type { LabelledTable } from "../../../src/io/index.ts";
import { RandomStream } from "../../../src/random.ts";

/** Three clouds of points in a plane; every `gap`-th row has no label. */
export function clouds(rows: number, gap = Number.POSITIVE_INFINITY): LabelledTable {
  const random = new RandomStream(7, "clouds");
  const values = new Float32Array(rows * 2);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    labels[row] = row % 3;
    values[2 * row] = random.normal() + 2 * (row % 3);
    values[2 * row + 1] = random.normal() - (row % 3 === 1 ? 3 : 0);
    if (row % gap === gap - 1) labels[row] = -1;
  }
  return {
    values,
    rows,
    features: 2,
    featureNames: ["x", "y"],
    labels,
    classNames: ["red", "green", "blue"],
  };
}

/** The same table as comma-separated values, the class in the first column. */
export function csvOf({ values, rows, labels, classNames }: LabelledTable, header = ""): string {
  let csv = header;
  for (let row = 0; row < rows; row++) {
    csv += `${classNames[labels[row]] ?? ""},${values[2 * row]},${values[2 * row + 1]}\n`;
  }
  return csv;
}

export const tinyRecipe: Recipe = {
  teacher: { count: 1, hidden: [8, 8], dropout: 0.1, epochs: 4, learningRate: 1e-2 },
  student: { hidden: [4], learningRate: 1e-2, steps: 30, fewSteps: 10 },
  batch: 16,
  test: 0.25,
  labels: 9,
  temperature: 4,
  alpha: 0.7,
  standardize: true,
  terms: null,
};

export const tinyJob = (changes: Partial<Recipe> = {}, table = clouds(90)): Job => ({
  name: "clouds",
  table,
  recipe: { ...tinyRecipe, ...changes },
});

/** The options that make `distill` as quick as the tiny recipe. */
export const quick =
  "--teacher 8,8 --student 4 --teacher-epochs 4 --student-steps 30 --seeds 3 --processes 1".split(" ");

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process. */
export async function run(
  args: readonly string[],
  {
    input = "",
    terminal = false,
    environment = {} as Record<string, string>,
    readInput = async (): Promise<Uint8Array> => new TextEncoder().encode(input),
  } = {},
): Promise<Ran> {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    isTTY: terminal,
    columns: 100,
    write(text: string) {
      written[name] += text;
    },
  });
  const code = await commandLine(args, {
    stdout: output("stdout"),
    stderr: output("stderr"),
    environment,
    readInput,
  });
  return { code, ...written };
}
