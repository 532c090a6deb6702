/** Floor 6: the models of a run as files in one folder. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Standardizer } from "../data/standardizer.ts";
import { DistilgradError } from "../errors.ts";
import type { LabelledTable } from "../io/labelled-table.ts";
import { readSafetensors } from "../io/read-safetensors.ts";
import { makeUsableFolder } from "./make-folder.ts";
import { namedModels } from "./model-names.ts";
import { saveNetwork } from "./network-file.ts";
import { printable } from "./printable.ts";
import {
  type Job,
  layerWidths,
  type ModelId,
  type Recipe,
  type SaveTo,
  type StoredAnswers,
} from "./recipe.ts";
import { recipeHash, tableHash } from "./run-hashes.ts";
import type { Training } from "./trainings.ts";
import { UsageError } from "./usage-error.ts";

/** What files call the models. */
const roles: Readonly<Record<ModelId, string>> = {
  teacher: "teacher",
  fewAlone: "few-alone",
  fewTaught: "few-taught",
  allAlone: "all-alone",
  allTaught: "all-taught",
  unlabelled: "unlabelled-taught",
};

export const saveTo = (
  folder: string,
  recipe: Recipe,
  table: LabelledTable,
  answers?: StoredAnswers,
): SaveTo => ({
  folder,
  recipe: recipeHash(recipe, answers),
  table: tableHash(table),
});

/** Such as `few-taught-seed-0.safetensors`. */
const fileName = (id: ModelId, seed: number): string => `${roles[id]}-seed-${seed}.safetensors`;

/** Every model but a teacher whose answers are stored. */
export const trainedModels = (job: Job): ModelId[] =>
  namedModels(job).flatMap(({ id }) => (id === "teacher" && job.answers ? [] : [id]));

/** Saves a model that has been trained, in the place of one of the same run. */
export function saveTrained(
  job: Job,
  { folder, recipe, table }: SaveTo,
  seed: number,
  { id, model }: Pick<Training, "id" | "model">,
  scale: Standardizer | null,
): void {
  const { hidden, dropout } = id === "teacher" ? job.recipe.teacher : { ...job.recipe.student, dropout: 0 };
  saveNetwork(join(folder, fileName(id, seed)), model, {
    role: roles[id],
    name: namedModels(job).find((named) => named.id === id)!.name,
    seed,
    layers: layerWidths(job.table, hidden),
    dropout,
    classes: job.table.classNames,
    features: job.table.featureNames,
    scale,
    recipeHash: recipe,
    tableHash: table,
    testShare: job.recipe.test,
  });
}

/**
 * Makes the folder if there is none.
 *
 * @throws UsageError when it cannot be written to, and when a file of another run would be overwritten
 */
export function prepareFolder(job: Job, to: SaveTo, seeds: number): void {
  makeUsableFolder("--save", to.folder);
  for (let seed = 0; seed < seeds; seed++) {
    for (const id of trainedModels(job)) {
      const path = join(to.folder, fileName(id, seed));
      if (!existsSync(path) || isOfRun(path, to)) continue;
      throw new UsageError(
        `--save: ${printable(path)} is there already and is not of this run; name another folder, or delete it`,
      );
    }
  }
}

/** Whether a file holds a model of the same recipe and table. */
function isOfRun(path: string, { recipe, table }: SaveTo): boolean {
  try {
    const { metadata } = readSafetensors(readFileSync(path));
    return metadata.get("distilgrad.recipeHash") === recipe && metadata.get("distilgrad.tableHash") === table;
  } catch (error) {
    if (error instanceof DistilgradError) return false;
    throw error;
  }
}
