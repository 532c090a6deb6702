/**
 * Floor 6: one seed of a job: a teacher, its students, and what each is worth on rows that none of them has seen. Apart
 * from the times, the result depends on the job and the seed alone.
 */
import { Batches } from "../data/batches.ts";
import { type Dataset, rowsBetween, takeRows } from "../data/dataset.ts";
import { accuracy, agreement, predictLogits } from "../distill/evaluate.ts";
import { fit } from "../distill/fit.ts";
import { KnowledgeDistillationTrainer } from "../distill/knowledge-distillation-trainer.ts";
import { SupervisedTrainer } from "../distill/supervised-trainer.ts";
import type { Trainer } from "../distill/trainer.ts";
import type { Module } from "../nn/module.ts";
import { Adam } from "../optim/adam.ts";
import { cosine, LearningRate } from "../optim/schedules.ts";
import { RandomStream } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { namedModels } from "./model-names.ts";
import { network } from "./network.ts";
import { predictionMicroseconds } from "./prediction-time.ts";
import {
  type Job,
  layerWidths,
  type ModelId,
  parameterCount,
  type Recipe,
  type StudentPlan,
  studentPlans,
} from "./recipe.ts";
import { type SeedData, seedData } from "./seed-data.ts";

export interface ModelResult {
  readonly id: ModelId;
  /** The share of test rows that it names rightly. */
  readonly accuracy: number;
  /** The share of test rows on which it names the teacher's class; 1 for the teacher. */
  readonly agreement: number;
  /** For a prediction of one row. Differs from run to run. */
  readonly microseconds: number;
}

export interface SeedResult {
  readonly seed: number;
  readonly models: readonly ModelResult[];
}

/** How far a seed has come. */
export interface SeedProgress {
  readonly seed: number;
  readonly model: ModelId;
  /** The share of the seed's work that is done, in [0, 1]. */
  readonly done: number;
  /** Set once the model is trained: its accuracy on the test rows. */
  readonly accuracy?: number;
}

/** A model that is to be trained. */
interface Training {
  readonly id: ModelId;
  readonly model: Module;
  readonly trainer: Trainer<{ readonly total: number }>;
  readonly batches: Batches;
  readonly steps: number;
}

/**
 * Trains and tests the models of one seed. It yields after every step, so that whoever drives it may show progress, let
 * others in, or stop.
 */
export function* runSeed(job: Job, seed: number): Generator<SeedProgress, SeedResult, void> {
  const data = seedData(job, seed);
  const work = workOf(job, data.labelled);
  const total = [...work.values()].reduce((sum, share) => sum + share, 0);
  let before = 0;
  const models: ModelResult[] = [];
  const names = new Map(namedModels(job).map((model) => [model.id, model.name]));

  function* trainAndTest(training: Training, teacherLogits?: Tensor): Generator<SeedProgress, Tensor> {
    const { id, model } = training;
    const share = work.get(id)! / total;
    for (const part of train(training, names.get(id)!))
      yield { seed, model: id, done: before + part * share };
    before += share;
    const logits = predictLogits(model, data.test.x);
    models.push({
      id,
      accuracy: accuracy(logits, data.test.labels!),
      agreement: agreement(logits, teacherLogits ?? logits),
      microseconds: predictionMicroseconds(model, rowsBetween(data.test.x, 0, 1)),
    });
    yield { seed, model: id, done: before, accuracy: models[models.length - 1].accuracy };
    return logits;
  }

  const teacher = teacherTraining(job, data, seed);
  const teacherLogits = yield* trainAndTest(teacher);
  // The set is fixed, so the teacher answers once; each row takes its answer along wherever it is taken.
  const answers = predictLogits(teacher.model, data.everything.x);
  const everything: Dataset = { ...data.everything, teacherLogits: answers };
  for (const plan of studentPlans(job.recipe)) {
    const lessons = lessonsOf(plan, everything, data);
    yield* trainAndTest(studentTraining(job, plan, teacher.model, lessons, seed), teacherLogits);
  }
  return { seed, models };
}

/** Trains to the end, yielding the share of the steps that are done. */
function* train({ trainer, batches, steps }: Training, name: string): Generator<number, void> {
  const schedule = new LearningRate(trainer.optimizer, cosine({ steps }));
  try {
    for (const { step } of fit(trainer, batches, { steps, schedule })) yield (step + 1) / steps;
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function teacherTraining({ table, recipe }: Job, data: SeedData, seed: number): Training {
  const { hidden, dropout, learningRate, epochs } = recipe.teacher;
  const model = network(layerWidths(table, hidden), dropout, {
    init: new RandomStream(seed, "init teacher"),
    dropout: new RandomStream(seed, "dropout teacher"),
  });
  const random = new RandomStream(seed, "order teacher");
  const batches = new Batches(firstRows(data.everything, data.labelled), { size: recipe.batch, random });
  const trainer = new SupervisedTrainer({ model, optimizer: new Adam(model.parameters(), { learningRate }) });
  return { id: "teacher", model, trainer, batches, steps: epochs * batches.perEpoch };
}

/** Students of one seed start alike and, on as many rows, see them in the same order: the purposes are the same. */
function studentTraining(
  { table, recipe }: Job,
  plan: StudentPlan,
  teacher: Module,
  lessons: Dataset,
  seed: number,
): Training {
  const { hidden, learningRate } = recipe.student;
  const student = network(layerWidths(table, hidden), 0, { init: new RandomStream(seed, "init student") });
  const optimizer = new Adam(student.parameters(), { learningRate });
  const trainer =
    plan.learnsFrom === "labels"
      ? new SupervisedTrainer({ model: student, optimizer })
      : new KnowledgeDistillationTrainer({
          teacher,
          student,
          optimizer,
          temperature: recipe.temperature,
          alpha: plan.learnsFrom === "teacher" ? 0 : recipe.alpha,
        });
  const random = new RandomStream(seed, "order student");
  const batches = new Batches(lessons, { size: recipe.batch, random });
  return { id: plan.id, model: student, trainer, batches, steps: plan.steps };
}

/** What a student may see: only its rows, and their labels only if it learns from them. */
function lessonsOf({ rows, learnsFrom }: StudentPlan, everything: Dataset, data: SeedData): Dataset {
  const seen =
    rows === "few"
      ? takeRows(everything, data.few)
      : rows === "labelled"
        ? firstRows(everything, data.labelled)
        : everything;
  if (learnsFrom !== "teacher") return seen;
  const { labels: _, ...withoutLabels } = seen;
  return withoutLabels;
}

const firstRows = (dataset: Dataset, count: number): Dataset =>
  takeRows(
    dataset,
    Array.from({ length: count }, (_, row) => row),
  );

/** How much each model costs to train, in multiplications or so: enough to tell how far a seed has come. */
function workOf({ table, recipe }: Job, labelled: number): Map<ModelId, number> {
  const cost = (hidden: readonly number[]): number => parameterCount(layerWidths(table, hidden));
  const { teacher, student, batch }: Recipe = recipe;
  const work = new Map<ModelId, number>([["teacher", teacher.epochs * labelled * cost(teacher.hidden)]]);
  for (const { id, steps } of studentPlans(recipe)) work.set(id, steps * batch * cost(student.hidden));
  return work;
}
