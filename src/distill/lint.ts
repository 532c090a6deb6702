/** Floor 4: what is probably not meant in a distillation that is about to start. */
import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { type Dataset, rowCount, unlabelled } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import { requireLabels } from "../labels.ts";
import type { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { predictLabels } from "./evaluate.ts";
import { type Teacher, teacherLogits } from "./teacher.ts";
import { optionsAt, type Term } from "./terms.ts";
import { Trainer } from "./trainer.ts";

export type FindingCode =
  /** A term whose gradient is under 1 % of all. */
  | "weak-term"
  /** A teacher that names no more labels than always naming the most frequent class would. */
  | "teacher-at-chance"
  /** A teacher that was trained with label smoothing. */
  | "smoothed-teacher"
  /** Logits that look like probabilities. */
  | "probabilities"
  /** Teacher and labels number the classes differently. */
  | "class-order"
  /** A student that cannot fit the training set alone. */
  | "small-student"
  /** A temperature outside [0.5, 50]. */
  | "temperature";

export interface Finding {
  readonly code: FindingCode;
  /** The term that it is about; null where it is about the models. */
  readonly term: string | null;
  /** What was found, and what to do about it. */
  readonly sentence: string;
}

/** What a look at one batch cannot show. */
export interface LintFacts {
  /** What the teacher's labels were smoothed by, where that is known. */
  readonly teacherLabelSmoothing?: number;
  /** The share of training rows that the student names rightly when it is trained alone, where that was tried. */
  readonly trainingAccuracyAlone?: number;
  /** The names of the classes in the order of the teacher's logits, and in that of the labels, where both are known. */
  readonly teacherClasses?: readonly string[];
  readonly classes?: readonly string[];
}

/** A trainer with a teacher: of this library, or a subclass of your own with these fields. */
export type TaughtTrainer = Trainer & {
  readonly teacher: Teacher;
  readonly student: Module;
  readonly temperature?: number;
  readonly terms?: Readonly<Record<string, Term>>;
};

/** The least share of all terms' gradients that is worth a term. */
const LEAST_SHARE = 0.01;
/** Below this share of its training rows, a student that was trained alone is too small for them. */
const FITS = 0.97;
/** Of fewer labelled rows, what a teacher names is chance. */
const LEAST_ROWS = 20;
/** How far a sum of probabilities may be from 1. */
const ROUNDING = 1e-3;

/**
 * What is probably not meant, seen from one batch before the first step; nothing is trained or changed.
 *
 *     for (const { sentence } of lint(trainer, batch)) console.warn(sentence);
 *
 * Found are: a term whose gradient is under 1 % of the sum of all (`gradientNorms`); a teacher that names no more of the
 * batch's labels than naming its most frequent class would; logits whose rows are all probabilities; a teacher that
 * numbers the classes otherwise than the labels do; a temperature outside [0.5, 50]; and from what is told besides, a
 * teacher trained with label smoothing, and a student that does not fit 97 % of its training rows alone, which soft
 * targets will rather hurt than help. The limits are rules of thumb: a finding is a reason to look, not a verdict.
 *
 * @param batch some rows as `trainStep` takes them; of fewer than 20 labels, nothing is said of the teacher
 * @see Müller, Kornblith & Hinton, When Does Label Smoothing Help? (2019), arXiv 1906.02629, §5, on smoothed teachers;
 *   Cho & Hariharan, On the Efficacy of Knowledge Distillation (2019), arXiv 1910.01348, §4, on small students
 */
export function lint(trainer: TaughtTrainer, batch: Dataset, facts: LintFacts = {}): Finding[] {
  requireInstance("lint", "a trainer with a teacher", trainer, Trainer);
  requireOptions("lint", facts, [
    "teacherLabelSmoothing",
    "trainingAccuracyAlone",
    "teacherClasses",
    "classes",
  ]);
  requireFacts(facts);
  if (trainer.teacher === undefined) {
    throw new DistilgradError("model", "lint: expected a trainer with a teacher; this one has none");
  }
  const rows = rowCount("lint", batch);
  const answers = batch.teacherLogits ?? teacherLogits(trainer.teacher, batch.x);
  const { labels } = batch;
  if (labels !== undefined) requireLabels("lint", labels, rows, answers.shape[1], unlabelled);
  return [
    ...ofTemperatures(trainer),
    ...ofLogits(trainer.student, answers, batch),
    ...ofTeacher(answers, labels, facts),
    ...ofFacts(facts),
    ...ofGradients(trainer, batch),
  ];
}

function requireFacts({ teacherLabelSmoothing = 0, trainingAccuracyAlone = 1, ...names }: LintFacts): void {
  for (const [name, share] of Object.entries({ teacherLabelSmoothing, trainingAccuracyAlone })) {
    if (typeof share === "number" && share >= 0 && share <= 1) continue;
    throw new DistilgradError("value", `lint: ${name} must be a share in [0, 1], got ${kindOf(share)}`);
  }
  for (const [name, list] of Object.entries(names)) {
    if (list !== undefined) requireInstance("lint", `${name}, a list of names`, list, Array);
  }
}

function ofTemperatures({ temperature, terms = {}, steps }: TaughtTrainer): Finding[] {
  const all: [string, unknown][] = Object.entries(terms).map(([name, term]) => [
    name,
    term.kind === "labels" ? undefined : (optionsAt(term, steps) as { temperature?: unknown }).temperature,
  ]);
  if (temperature !== undefined) all.push(["soft", temperature]);
  return all.flatMap(([term, value]) => {
    if (typeof value !== "number" || (value >= 0.5 && value <= 50)) return [];
    const effect =
      value < 0.5 ? "leaves little but the likeliest class" : "leaves only differences of logits";
    return {
      code: "temperature",
      term,
      sentence: `the temperature of "${term}" is ${value}, which ${effect} of the teacher's answers; 1 to 20 is usual`,
    };
  });
}

function ofLogits(student: Module, answers: Tensor, { x }: Dataset): Finding[] {
  const own = teacherLogits(student, x);
  return [["teacher", answers] as const, ["student", own] as const].flatMap(([role, logits]) =>
    areProbabilities(logits)
      ? {
          code: "probabilities",
          term: null,
          sentence: `the ${role}'s logits look like probabilities: every row is in [0, 1] and sums to 1; the losses take softmax themselves, so leave it out of the model`,
        }
      : [],
  );
}

function areProbabilities({ data, shape }: Tensor): boolean {
  const [rows, classes] = shape;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * classes; i < (row + 1) * classes; i++) {
      if (!(data[i] >= 0 && data[i] <= 1)) return false;
      sum += data[i];
    }
    if (Math.abs(sum - 1) > ROUNDING) return false;
  }
  return true;
}

function ofTeacher(answers: Tensor, labels: Int32Array | undefined, facts: LintFacts): Finding[] {
  const { teacherClasses, classes } = facts;
  if (teacherClasses && classes && teacherClasses.join("\n") !== classes.join("\n")) {
    const at = classes.findIndex((name, i) => name !== teacherClasses[i]);
    return [
      {
        code: "class-order",
        term: null,
        sentence:
          at === -1
            ? `the teacher has ${teacherClasses.length} classes and the data ${classes.length}; they must be the same`
            : `class ${at} is "${teacherClasses[at] ?? "none"}" for the teacher and "${classes[at]}" in the data; bring the teacher's logits into the order of the data`,
      },
    ];
  }
  const counts = confusions(answers, labels);
  const { rows, right, likeliest } = counts;
  if (rows < LEAST_ROWS || right > likeliest) return [];
  const renamed = renaming(counts.table);
  const shown = `the teacher names ${right} of ${rows} labels of this batch; always naming the most frequent class would name ${likeliest}`;
  if (renamed !== null && renamed.right > likeliest && 2 * renamed.right > rows) {
    const [label, named] = renamed.example;
    return [
      {
        code: "class-order",
        term: null,
        sentence: `${shown}, but with its classes in another order ${renamed.right}: what the labels call ${label} it calls ${named}; bring its logits into the order of the labels`,
      },
    ];
  }
  return [
    {
      code: "teacher-at-chance",
      term: null,
      sentence: `${shown}; is it trained, and is its input prepared as it was in its training?`,
    },
  ];
}

interface Confusions {
  /** Of the batch, those that have a label. */
  readonly rows: number;
  readonly right: number;
  /** How many rows the most frequent class has. */
  readonly likeliest: number;
  /** [label][class that the teacher names] */
  readonly table: readonly (readonly number[])[];
}

function confusions(answers: Tensor, labels: Int32Array | undefined): Confusions {
  const named = predictLabels(answers);
  const classes = answers.shape[1];
  const table = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let [rows, right] = [0, 0];
  for (const [row, label] of (labels ?? []).entries()) {
    if (label === unlabelled) continue;
    table[label][named[row]]++;
    rows++;
    if (label === named[row]) right++;
  }
  const sizes = table.map((row) => row.reduce((sum, count) => sum + count, 0));
  return { rows, right, likeliest: sizes.reduce((a, b) => Math.max(a, b), 0), table };
}

/** The names that the teacher gives to most rows of each label, where no two labels get the same. */
function renaming(
  table: readonly (readonly number[])[],
): { readonly right: number; readonly example: readonly [label: number, named: number] } | null {
  const taken = new Set<number>();
  let right = 0;
  let example: readonly [number, number] | null = null;
  for (const [label, counts] of table.entries()) {
    const most = counts.reduce((a, b) => Math.max(a, b), 0);
    if (most === 0) continue; // no row of this label
    const named = counts.indexOf(most);
    if (taken.has(named)) return null;
    taken.add(named);
    right += most;
    if (named !== label) example ??= [label, named];
  }
  return example && { right, example };
}

function ofFacts({ teacherLabelSmoothing = 0, trainingAccuracyAlone = 1 }: LintFacts): Finding[] {
  const found: Finding[] = [];
  if (teacherLabelSmoothing > 0) {
    found.push({
      code: "smoothed-teacher",
      term: null,
      sentence: `the teacher was trained with label smoothing ${teacherLabelSmoothing}, which wipes out how alike it finds the other classes; train it without`,
    });
  }
  if (trainingAccuracyAlone < FITS) {
    found.push({
      code: "small-student",
      term: null,
      sentence: `trained alone, the student names ${(100 * trainingAccuracyAlone).toFixed(1)} % of its training rows rightly: it is too small or too briefly trained to fit them, and soft targets add no capacity; expect them to hurt, and try a wider student or more steps first`,
    });
  }
  return found;
}

function ofGradients(trainer: TaughtTrainer, batch: Dataset): Finding[] {
  const { total: _, ...norms } = trainer.gradientNorms(batch);
  const weights: Readonly<Record<string, number>> = { ...trainer.lossWeights() };
  const isLabelled = batch.labels?.some((label) => label !== unlabelled) ?? false;
  const terms = Object.entries<number>(norms).filter(
    // Without a label, what learns from labels has no gradient in this batch, and may have one in the next.
    ([name, norm]) => weights[name] > 0 && (norm > 0 || isLabelled),
  );
  const sum = terms.reduce((all, [, norm]) => all + norm, 0);
  if (terms.length < 2 || sum === 0) return [];
  return terms
    .filter(([, norm]) => norm < LEAST_SHARE * sum)
    .map(([term, norm]) => ({
      code: "weak-term",
      term,
      sentence: `the gradient of "${term}" is ${((100 * norm) / sum).toPrecision(2)} % of all, so that it hardly counts; its weight is ${weights[term]}: raise it, or leave the term out`,
    }));
}
