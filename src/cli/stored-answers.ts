/** Floor 6: a teacher's answers to a whole table, from a file of them or from a saved teacher: the same from both. */
import { recordSoftTargets, type SoftTargets } from "../distill/soft-targets/index.ts";
import { DistilgradError } from "../errors.ts";
import type { LabelledTable } from "../io/labelled-table.ts";
import { loadSoftTargets } from "../node/soft-target-files.ts";
import { few } from "./match-table.ts";
import { printable } from "./printable.ts";
import type { Recipe, StoredAnswers } from "./recipe.ts";
import { refusing } from "./soft-target-errors.ts";
import { modeName } from "./soft-target-mode.ts";
import { readTableTeacher, rowsOf } from "./table-teacher.ts";
import { isFeatureLoss } from "./term-settings.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The answers in a file that `label` or `merge` wrote.
 *
 * @param name what messages call the table
 * @throws UsageError when they are not answers to every row of the table about its classes, or not for this recipe
 */
export function storedAnswers(
  path: string,
  name: string,
  table: LabelledTable,
  recipe: Recipe,
): StoredAnswers {
  const targets = refusing("--soft-targets", path, () => loadSoftTargets(path));
  return answersOf(targets, printable(path), name, table, recipe);
}

/** The same, asked of a saved teacher now. @throws UsageError as for `storedAnswers`, and when it is none */
export async function askedAnswers(
  path: string,
  name: string,
  table: LabelledTable,
  recipe: Recipe,
): Promise<StoredAnswers> {
  const { file, teacher, teacherName, classNames } = await readTableTeacher(path, name, table);
  const targets = refusing("--teacher-file", path, () =>
    recordSoftTargets(teacher, rowsOf(table), { teacherName, classNames }),
  );
  return answersOf(targets, file, name, table, recipe);
}

function answersOf(
  targets: SoftTargets,
  source: string,
  name: string,
  table: LabelledTable,
  { temperature, terms }: Recipe,
): StoredAnswers {
  const { description } = targets;
  const { classNames } = table;
  const known = description.classNames;
  const same = known
    ? JSON.stringify(known) === JSON.stringify(classNames)
    : description.classes === classNames.length;
  if (!same) {
    const got = known ? few(known) : `${description.classes} classes without names`;
    throw new UsageError(
      `${source}: expected answers about the classes of ${name}, ${few(classNames)}, got ${got}`,
    );
  }
  const { mode } = description;
  if (typeof mode === "object" && mode.rest === "nothing") {
    throw new UsageError(
      `${source}: holds answers in ${modeName(mode)}, in which a class that is not kept has the logit −∞, and students can't be compared with that; label with top-${mode.top}`,
    );
  }
  if (targets.temperature !== null && (terms !== null || targets.temperature !== temperature)) {
    throw new UsageError(
      `${source}: holds answers for temperature ${targets.temperature} only; give --temperature ${targets.temperature}, without --terms`,
    );
  }
  const layered = Object.entries(terms ?? {}).find(([, { loss }]) => isFeatureLoss(loss));
  if (layered) {
    throw new UsageError(
      `--terms: "${layered[0]}" compares layers with a teacher's, and of the teacher there are only answers; leave it out`,
    );
  }
  return {
    source,
    teacher: description.teacher.replace(/^name:/, ""),
    logits: logitsFor(targets, source, name, table),
  };
}

function logitsFor(targets: SoftTargets, source: string, name: string, table: LabelledTable): Float32Array {
  try {
    return Float32Array.from(targets.forward(rowsOf(table).x).data);
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    const reason = error.message.replace(/^SoftTargets: /, "");
    throw new UsageError(`${source}: does not hold the answers to ${name}: ${reason}`, { cause: error });
  }
}
