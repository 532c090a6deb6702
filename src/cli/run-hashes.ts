/** Floor 6: what tells one run from another: hashes of its recipe and of its table. */
import { tensor } from "../factories.ts";
import type { LabelledTable } from "../io/labelled-table.ts";
import type { Integers } from "../io/safetensors.ts";
import { encodeUtf8 } from "../io/utf8.ts";
import { writeSafetensors } from "../io/write-safetensors.ts";
import { sha256, sha256OfFloats } from "../sha256.ts";
import type { Tensor } from "../tensor.ts";
import type { Recipe, StoredAnswers } from "./recipe.ts";

/** SHA-256 of the settings as JSON; of stored answers, in the place of those of the teacher. */
export function recipeHash(recipe: Recipe, answers?: StoredAnswers): string {
  const settings = answers ? { ...recipe, teacher: sha256OfFloats([answers.logits]) } : recipe;
  return sha256(encodeUtf8("recipeHash", JSON.stringify(settings)));
}

/** SHA-256 of numbers, labels and names, row by row: of the table as a safetensors file. */
export function tableHash({
  values,
  rows,
  features,
  featureNames,
  labels,
  classNames,
}: LabelledTable): string {
  const parts = new Map<string, Tensor | Integers>([
    ["labels", { shape: [rows], data: labels }],
    ["values", tensor(values, { shape: [rows, features] })],
  ]);
  const names = new Map([
    ["classes", JSON.stringify(classNames)],
    ["features", JSON.stringify(featureNames)],
  ]);
  return sha256(writeSafetensors(parts, names));
}
