/** Floor 6: whether a job makes sense, found out before any training starts. */
import { type DistillationPlan, planOf } from "../distill/plan.ts";
import { type Term, weightAt } from "../distill/terms.ts";
import { DistilgradError } from "../errors.ts";
import type { Sequential } from "../nn/sequential.ts";
import { RandomStream } from "../random.ts";
import { counted, labelledRows } from "./model-names.ts";
import { listed } from "./nearest-name.ts";
import { network } from "./network.ts";
import { shortened } from "./printable.ts";
import { type Job, layerWidths, parameterCount, type Recipe, studentPlans } from "./recipe.ts";
import { type RowSplit, splitRows } from "./row-split.ts";
import { termsOf, termsTaught, tryLoss } from "./term-settings.ts";
import { teacherOf, termTrainer } from "./trainings.ts";
import { UsageError } from "./usage-error.ts";

/** How many steps of a training, at equal distances, are looked at beforehand. */
const LOOKED_AT = 1000;

/**
 * Requires data that the recipe can be carried out on, for seeds 0 … seeds − 1.
 *
 * @returns what can be done but should be known by whoever reads the results
 * @throws UsageError on what cannot be done
 */
export function checkJob(job: Job, seeds: number): string[] {
  const { recipe } = job;
  checkTable(job);
  const { training } = labelledRows(job);
  requireFewLabels(recipe, training);
  planOfJob(job);
  requireTermsThroughout(recipe);
  return [...missingClasses(job, seeds), ...oddSettings(job)];
}

/** Requires few labels to be fewer than there are. @throws UsageError */
export function requireFewLabels({ labels }: Pick<Recipe, "labels">, training: number): void {
  if (labels === null || labels < training) return;
  throw new UsageError(
    `--labels must be below the number of labelled rows to train on, ${training}, got ${labels}`,
  );
}

/** Requires at least two classes, and rows both to train on and to test on. @throws UsageError */
export function checkTable(job: Job): void {
  const { name, table, recipe } = job;
  const { training, test } = labelledRows(job);
  const labelled = training + test;
  const classes = table.classNames.length;
  if (classes < 2) {
    const got = classes === 0 ? "no label at all" : `only "${shortened(table.classNames[0])}"`;
    throw new UsageError(`${name}: the label column must hold at least 2 classes, got ${got}`);
  }
  if (classes * 2 > labelled) {
    throw new UsageError(
      `${name}: the label column holds ${classes} different values in ${labelled} rows; is it the right column? (--label)`,
    );
  }
  if (test < 1 || training < 1) {
    throw new UsageError(
      `--test must leave rows on both sides: ${recipe.test} of ${labelled} labelled rows is ${test} to test on and ${training} to train on`,
    );
  }
}

/**
 * What a student with labels is about to learn from, or null where that is temperature and α.
 *
 * @throws UsageError on layers that the models do not have, and on shapes that no loss can compare
 */
export function planOfJob({ table, recipe }: Job): DistillationPlan | null {
  if (recipe.terms === null) return null;
  const model = ({ hidden }: { readonly hidden: readonly number[] }, dropout: number): Sequential =>
    network(layerWidths(table, hidden), dropout, {
      init: new RandomStream(0, "plan"),
      dropout: new RandomStream(0, "plan"),
    });
  const networks = Array.from({ length: recipe.teacher.count }, () =>
    model(recipe.teacher, recipe.teacher.dropout),
  );
  const [teacher, student] = [teacherOf(networks, recipe), model(recipe.student, 0)];
  try {
    return planOf(termTrainer(table, recipe, "both", student, teacher, 0), [1, table.features]);
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    throw new UsageError(`--terms: ${error.message}`, { cause: error });
  }
}

/**
 * Requires terms that can be learned from at every step, as far as their schedules are looked at.
 *
 * @throws UsageError on weights that are all 0, and on options that a loss refuses
 */
function requireTermsThroughout(recipe: Recipe): void {
  if (recipe.terms === null) return;
  for (const { learnsFrom, steps } of studentPlans(recipe)) {
    if (learnsFrom === "labels") continue;
    const terms = Object.entries(termsOf(termsTaught(recipe.terms, learnsFrom === "both"), (pairs) => pairs));
    const places = Array.from({ length: LOOKED_AT + 1 }, (_, i) => i / LOOKED_AT);
    for (const step of new Set(places.map((place) => Math.floor(place * (steps - 1))))) {
      const active = terms.filter(([name, term]) => weightAt(name, term, step) > 0);
      if (active.length === 0) {
        const who = learnsFrom === "both" ? "a taught student" : "the student without labels";
        throw new UsageError(`--terms: at step ${step} every term that ${who} learns from has weight 0`);
      }
      for (const [name, term] of active) requireOptionsAt(name, term, step);
    }
  }
}

function requireOptionsAt(name: string, term: Term, step: number): void {
  const isScheduled = (value: unknown): boolean => typeof value === "function";
  if (term.kind !== "logits" || !Object.values(term.options).some(isScheduled)) return;
  try {
    tryLoss(term, step);
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    throw new UsageError(`--terms: term "${name}" at step ${step}: ${error.message}`, { cause: error });
  }
}

/** Seeds whose training rows, or few labels, lack a class. @throws UsageError where there is only one class to train on */
export function missingClasses(
  { table, recipe }: Job,
  seeds: number,
  split = (seed: number): RowSplit => splitRows(table.labels, recipe, seed),
): string[] {
  const missing = new Map<number, number[]>();
  const fewMissing = new Map<number, number[]>();
  for (let seed = 0; seed < seeds; seed++) {
    const { train, few } = split(seed);
    const seen = new Set([...train].map((row) => table.labels[row]));
    if (seen.size < 2) {
      throw new UsageError(`seed ${seed}: the rows to train on hold only one class; more rows are needed`);
    }
    const fewSeen = new Set([...few].map((place) => table.labels[train[place]]));
    for (const index of table.classNames.keys()) {
      if (!seen.has(index)) missing.set(index, [...(missing.get(index) ?? []), seed]);
      if (recipe.labels !== null && !fewSeen.has(index)) {
        fewMissing.set(index, [...(fewMissing.get(index) ?? []), seed]);
      }
    }
  }
  const notes: string[] = [];
  for (const [index, where] of missing) {
    notes.push(
      `class "${shortened(table.classNames[index])}" is not among the rows to train on (${seedList(where)})`,
    );
  }
  if (fewMissing.size > 0) {
    const lacking = new Set([...fewMissing.values()].flat());
    notes.push(
      `not every class is among the ${counted(recipe.labels!, "label")} (${seedList([...lacking].sort((a, b) => a - b))})`,
    );
  }
  return notes;
}

function oddSettings({ table, recipe, answers }: Job): string[] {
  const notes: string[] = [];
  if (answers) {
    notes.push(
      "the teacher was trained before: if it learned from rows that are test rows here, its accuracy and that of taught students are flattered",
    );
  }
  if (recipe.terms === null && recipe.alpha === 1)
    notes.push("alpha is 1, which ignores the teacher: with labels, taught and alone are the same");
  const [teacher, student] = [recipe.teacher, recipe.student].map(({ hidden }) =>
    parameterCount(layerWidths(table, hidden)),
  );
  if (!answers && student >= teacher)
    notes.push(`the student is not smaller than the teacher: ${student} against ${teacher} parameters`);
  return notes;
}

function seedList(seeds: readonly number[]): string {
  const shown = seeds.slice(0, 8).map(String);
  if (seeds.length > shown.length) shown.push(`${seeds.length - shown.length} more`);
  return `${seeds.length === 1 ? "seed" : "seeds"} ${listed(shown)}`;
}
