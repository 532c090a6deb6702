/** Floor 6: the teacher of one seed of a sweep, and one student of it. Results depend on sweep, seed and setting alone. */
import type { Dataset } from "../data/dataset.ts";
import { evaluate, predictLogits } from "../distill/evaluate.ts";
import { assess } from "../distill/report/assess.ts";
import type { Module } from "../nn/module.ts";
import type { StepProgress } from "./drive.ts";
import { type Job, layerWidths, type StudentPlan, studentPlans } from "./recipe.ts";
import { datasetsOf, type SeedData } from "./seed-data.ts";
import { type Pupil, recipeFor, type SweepRun } from "./sweep-grid.ts";
import { type Judges, sweepSplit } from "./sweep-split.ts";
import { readTeacher, teacherBytes } from "./sweep-teacher.ts";
import { studentTraining, teacherTraining, train } from "./trainings.ts";

/** Everything that runs depend on, but seed and setting. Of the recipe, what the settings say is not read. */
export interface Sweep extends Job {
  /** The share of the rows to train on that chooses, in (0, 1). */
  readonly validation: number;
}

/** What a student is worth on the rows that it is judged on. */
export interface Score {
  /** The share that it names rightly. */
  readonly accuracy: number;
  /** Cross-entropy, in nats. */
  readonly loss: number;
  /** KL(teacher ‖ student) at temperature 1, in nats. */
  readonly divergence: number;
}

export interface StudentTask {
  readonly sweep: Sweep;
  /** The teachers by seed, as `teacherRun` returns them. */
  readonly teachers: ReadonlyMap<number, Uint8Array>;
  readonly judges: Judges;
}

/** The rows of one seed of a sweep. */
export const sweepData = (sweep: Sweep, seed: number, judges: Judges): SeedData =>
  datasetsOf(sweep, sweepSplit(sweep.table.labels, sweep.recipe, sweep.validation, seed, judges));

/** Trains the teacher of a seed. It returns the bytes of a safetensors file: weights, and the accuracy on validation rows. */
export function* teacherRun(sweep: Sweep, seed: number): Generator<StepProgress, Uint8Array, void> {
  const data = sweepData(sweep, seed, "validation");
  const training = teacherTraining(sweep, data, seed);
  for (const { step } of train(training)) yield { done: step / training.steps };
  const { accuracy } = evaluate(training.model, data.test);
  yield { done: 1, accuracy };
  return teacherBytes(training.model, accuracy);
}

/** What trains and judges the students of a task. What it needs of a seed it keeps for the next student of that seed. */
export function studentRuns(task: StudentTask): (run: SweepRun) => Generator<StepProgress, Score, void> {
  let known: Classroom | null = null;
  return (run) => {
    if (known?.seed !== run.seed) known = classroomOf(task, run.seed);
    return studentRun(task.sweep, known, run.pupil);
  };
}

/** A seed's teacher with all its answers. */
interface Classroom {
  readonly seed: number;
  readonly teacher: Module;
  readonly data: SeedData;
  /** All rows to train on. */
  readonly everything: Dataset;
  /** Rows that no student has seen. */
  readonly judged: Dataset;
}

function classroomOf({ sweep, teachers, judges }: StudentTask, seed: number): Classroom {
  const { table, recipe } = sweep;
  const { model: teacher } = readTeacher(teachers.get(seed)!, layerWidths(table, recipe.teacher.hidden));
  const data = sweepData(sweep, seed, judges);
  const answered = (rows: Dataset): Dataset => ({ ...rows, teacherLogits: predictLogits(teacher, rows.x) });
  return { seed, teacher, data, everything: answered(data.everything), judged: answered(data.test) };
}

function* studentRun(
  sweep: Sweep,
  { seed, teacher, data, everything, judged }: Classroom,
  pupil: Pupil,
): Generator<StepProgress, Score, void> {
  const job: Job = { ...sweep, recipe: recipeFor(sweep.recipe, pupil) };
  const training = studentTraining(job, planFor(job, pupil), teacher, everything, data, seed);
  for (const { step } of train(training)) yield { done: step / training.steps };
  const { accuracy, loss, divergence } = assess(training.model, judged);
  yield { done: 1, accuracy: accuracy! };
  return { accuracy: accuracy!, loss: loss!, divergence: divergence! };
}

/** The student of `distill` that sees as many labels. */
function planFor({ recipe }: Job, { loss }: Pupil): StudentPlan {
  const rows = recipe.labels === null ? "labelled" : "few";
  const learnsFrom = loss === null ? "labels" : "both";
  return studentPlans(recipe).find((plan) => plan.rows === rows && plan.learnsFrom === learnsFrom)!;
}
