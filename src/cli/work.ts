/** Floor 6: the kinds of work that processes do, item by item. Tasks, items and results are plain data. */
import type { StepProgress } from "./drive.ts";
import type { Job } from "./recipe.ts";
import { runSeed } from "./run-seed.ts";
import { type Sweep, studentRuns, teacherRun } from "./sweep-run.ts";

/** From the task, which all items of a kind share, to what does one of them. It yields between steps. */
const kinds = {
  seed: (job: Job) => (seed: number) => runSeed(job, seed),
  sweepTeacher: (sweep: Sweep) => (seed: number) => teacherRun(sweep, seed),
  sweepStudent: studentRuns,
};

type Kinds = typeof kinds;
export type Kind = keyof Kinds;
export type TaskOf<K extends Kind> = Parameters<Kinds[K]>[0];
export type ItemOf<K extends Kind> = Parameters<ReturnType<Kinds[K]>>[0];
type StepsOf<K extends Kind> = ReturnType<ReturnType<Kinds[K]>>;
export type ProgressOf<K extends Kind> =
  StepsOf<K> extends Generator<infer Progress extends StepProgress> ? Progress : StepProgress;
export type ResultOf<K extends Kind> = StepsOf<K> extends Generator<unknown, infer Result> ? Result : never;

/** Does one item of a kind; the result depends on task and item alone, but for times. */
export type DoItem<K extends Kind> = (item: ItemOf<K>) => Generator<ProgressOf<K>, ResultOf<K>, void>;

export const begin = <K extends Kind>(kind: K, task: TaskOf<K>): DoItem<K> =>
  (kinds[kind] as unknown as (task: TaskOf<K>) => DoItem<K>)(task);
