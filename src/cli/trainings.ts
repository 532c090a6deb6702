/** Floor 6: the teacher and the students of one seed, ready to be trained. What each is made of depends on job and seed alone. */
import { Batches } from "../data/batches.ts";
import { type Dataset, takeRows } from "../data/dataset.ts";
import { DistillationTrainer } from "../distill/distillation-trainer.ts";
import { fit } from "../distill/fit.ts";
import { KnowledgeDistillationTrainer } from "../distill/knowledge-distillation-trainer.ts";
import { projectedPairs, projectionsByName } from "../distill/projected-pairs.ts";
import { SupervisedTrainer } from "../distill/supervised-trainer.ts";
import type { Teacher } from "../distill/teacher.ts";
import { Ensemble } from "../distill/teachers/ensemble.ts";
import type { Trainer } from "../distill/trainer.ts";
import { Module, parametersOf } from "../nn/module.ts";
import { Adam } from "../optim/adam.ts";
import { cosine, LearningRate } from "../optim/schedules.ts";
import { RandomStream } from "../random.ts";
import { network } from "./network.ts";
import { type Job, layerWidths, type ModelId, type Recipe, type StudentPlan } from "./recipe.ts";
import type { SeedData } from "./seed-data.ts";
import { termsOf, termsTaught } from "./term-settings.ts";

/** A model that is to be trained. */
export interface Training {
  readonly id: ModelId;
  readonly model: Module;
  readonly trainer: Trainer<{ readonly total: number }>;
  readonly lessons: Dataset;
  readonly batches: Batches;
  readonly steps: number;
}

/** What is known after a step. */
export interface Trained {
  /** From 1 to the training's steps. */
  readonly step: number;
  readonly losses: Readonly<Record<string, number>>;
}

/** Trains to the end, with a learning rate that falls to 0 along a cosine. */
export function* train({ trainer, batches, steps }: Training): Generator<Trained, void> {
  const schedule = new LearningRate(trainer.optimizer, cosine({ steps }));
  for (const { step, losses } of fit(trainer, batches, { steps, schedule })) {
    yield { step: step + 1, losses: { ...losses } };
  }
}

/** @param member which of the networks that teach as one, from 0 */
export function teacherTraining({ table, recipe }: Job, data: SeedData, seed: number, member = 0): Training {
  const { hidden, dropout, learningRate, epochs } = recipe.teacher;
  const stream = (purpose: string): RandomStream =>
    new RandomStream(seed, `${purpose} teacher${member === 0 ? "" : ` ${member + 1}`}`);
  const model = network(layerWidths(table, hidden), dropout, {
    init: stream("init"),
    dropout: stream("dropout"),
  });
  const random = stream("order");
  const lessons = firstRows(data.everything, data.labelled);
  const batches = new Batches(lessons, { size: recipe.batch, random });
  const trainer = new SupervisedTrainer({ model, optimizer: new Adam(model.parameters(), { learningRate }) });
  return { id: "teacher", model, trainer, lessons, batches, steps: epochs * batches.perEpoch };
}

/**
 * The networks that teach, as one teacher: a single one as it is, several by the mean of their probabilities at the
 * recipe's temperature. Terms may have a temperature each, so for them it is the mean of logits, which holds at any.
 */
export function teacherOf(models: readonly Module[], { terms, temperature }: Recipe): Module {
  if (models.length === 1) return models[0];
  return terms === null ? new Ensemble(models, { temperature }) : new Ensemble(models, { combine: "logits" });
}

/**
 * Students of one seed start alike and, on as many rows, see them in the same order: the purposes are the same.
 *
 * @param everything all rows to train on, each with the teacher's answer
 */
export function studentTraining(
  job: Job,
  plan: StudentPlan,
  teacher: Teacher,
  everything: Dataset,
  data: SeedData,
  seed: number,
): Training {
  const { table, recipe } = job;
  const { hidden } = recipe.student;
  const student = network(layerWidths(table, hidden), 0, { init: new RandomStream(seed, "init student") });
  const lessons = lessonsOf(plan, everything, data);
  const random = new RandomStream(seed, "order student");
  const batches = new Batches(lessons, { size: recipe.batch, random });
  const trainer = studentTrainer(job, plan, student, teacher, seed);
  return { id: plan.id, model: student, trainer, lessons, batches, steps: plan.steps };
}

function studentTrainer(
  { table, recipe }: Job,
  { learnsFrom }: StudentPlan,
  student: Module,
  teacher: Teacher,
  seed: number,
): Trainer<{ readonly total: number }> {
  const { learningRate } = recipe.student;
  const own = (): Adam => new Adam(student.parameters(), { learningRate });
  if (learnsFrom === "labels") return new SupervisedTrainer({ model: student, optimizer: own() });
  if (recipe.terms === null) {
    const alpha = learnsFrom === "teacher" ? 0 : recipe.alpha;
    const { temperature } = recipe;
    return new KnowledgeDistillationTrainer({ teacher, student, optimizer: own(), temperature, alpha });
  }
  return termTrainer(table, recipe, learnsFrom, student, teacher, seed);
}

/** The trainer of a student that learns from terms; without any label, it goes without those that need some. */
export function termTrainer(
  { features }: Pick<Job["table"], "features">,
  { terms, student: { learningRate } }: Recipe,
  learnsFrom: StudentPlan["learnsFrom"],
  student: Module,
  teacher: Teacher,
  seed: number,
): DistillationTrainer {
  const wanted = termsTaught(terms ?? {}, learnsFrom === "both");
  const random = new RandomStream(seed, "init projections");
  const projections: Record<string, Module> = {};
  const made = termsOf(wanted, (layers, projected) => {
    if (!projected || !(teacher instanceof Module)) return layers;
    const pairs = projectedPairs(student, teacher, layers, { input: [1, features], random });
    Object.assign(projections, projectionsByName(pairs));
    return pairs;
  });
  const optimizer = new Adam(parametersOf({ student, ...projections }), { learningRate });
  return new DistillationTrainer({ teacher, student, optimizer, terms: made });
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

/** The first rows of a dataset, as many as that. */
export const firstRows = (dataset: Dataset, count: number): Dataset =>
  takeRows(
    dataset,
    Array.from({ length: count }, (_, row) => row),
  );
