/**
 * Floor 6: one seed of a job: a teacher or its stored answers, its students, and what each is worth on rows that none of
 * them has seen. Apart from the times, the result depends on the job and the seed alone. Models are saved where the job
 * says so.
 */
import { type Dataset, rowsBetween } from "../data/dataset.ts";
import { accuracy, evaluate, predictLogits } from "../distill/evaluate.ts";
import { type Finding, lint, type TaughtTrainer } from "../distill/lint.ts";
import { type Assessment, assess } from "../distill/report/assess.ts";
import type { Teacher } from "../distill/teacher.ts";
import { Ensemble } from "../distill/teachers/ensemble.ts";
import type { Module } from "../nn/module.ts";
import { namedModels } from "./model-names.ts";
import { predictionMicroseconds } from "./prediction-time.ts";
import { type Job, layerWidths, type ModelId, parameterCount, type Recipe, studentPlans } from "./recipe.ts";
import { saveTrained } from "./save-trained.ts";
import { type SeedData, seedData } from "./seed-data.ts";
import { firstRows, studentTraining, type Training, teacherOf, teacherTraining, train } from "./trainings.ts";

/** What a model learned from, at one step. */
export interface Moment {
  /** From 1 on. */
  readonly step: number;
  /** The total and its terms on the batch of that step, before their weights. */
  readonly losses: Readonly<Record<string, number>>;
  /** What each term pulls with: its share of the sum of all terms' gradients. Nothing where there is one term. */
  readonly gradientShares: Readonly<Record<string, number>>;
}

export interface ModelResult {
  readonly id: ModelId;
  /** The share of test rows that it names rightly. */
  readonly accuracy: number;
  /** The share of test rows on which it names the teacher's class; 1 for the teacher. */
  readonly agreement: number;
  /** The share of the labelled rows that it learned from which it names rightly; null without any. */
  readonly trainingAccuracy: number | null;
  /** On the test rows; beside the teacher, unless it is the teacher. */
  readonly assessment: Assessment;
  /** Some twenty moments of its training, the first and the last among them; of several networks, of the first. */
  readonly history: readonly Moment[];
  /** What was probably not meant, before its first step. */
  readonly findings: readonly Finding[];
  /** For a prediction of one row; null for answers without a model. Differs from run to run. */
  readonly microseconds: number | null;
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

/**
 * Trains and tests the models of one seed. It yields after every step, so that whoever drives it may show progress, let
 * others in, or stop.
 */
export function* runSeed(job: Job, seed: number): Generator<SeedProgress, SeedResult, void> {
  const data = seedData(job, seed);
  const work = workOf(job, data.labelled);
  const total = [...work.values()].reduce((sum, share) => sum + share, 0);
  // In whole numbers, so that the last model ends at 1.
  let before = 0;
  const models: ModelResult[] = [];
  const names = new Map(namedModels(job).map((model) => [model.id, model.name]));

  /** Trains one model, which is that much of the work. @returns what it learned from over time */
  function* trained(training: Training, share: number): Generator<SeedProgress, Moment[]> {
    const { id, steps } = training;
    const history: Moment[] = [];
    for (const { step, losses } of train(training)) {
      if (isShown(step, steps)) history.push({ step, losses, gradientShares: sharesOf(training, job) });
      yield { seed, model: id, done: (before + (step / steps) * share) / total };
    }
    before += share;
    return history;
  }

  function* trainAndTest(trainings: readonly Training[], test: Dataset): Generator<SeedProgress, Module> {
    const [training] = trainings;
    const { id, lessons } = training;
    const twin = studentPlans(job.recipe).find((plan) => plan.id === id)?.twin;
    const alone = models.find((each) => each.id === twin)?.trainingAccuracy ?? null;
    const findings = twin ? findingsOf(training, job, alone) : [];
    const histories: Moment[][] = [];
    for (const each of trainings) {
      histories.push(yield* trained(each, work.get(id)! / trainings.length));
    }
    const [history] = histories;
    const model = teacherOf(
      trainings.map((each) => each.model),
      job.recipe,
    );
    const answering = model instanceof Ensemble ? model.at(1) : model;
    const assessment = assess(answering, test);
    models.push({
      id,
      accuracy: assessment.accuracy!,
      agreement: assessment.agreement ?? 1,
      trainingAccuracy: lessons.labels ? evaluate(answering, lessons).accuracy : null,
      assessment,
      history,
      findings,
      microseconds: predictionMicroseconds(answering, rowsBetween(test.x, 0, 1)),
    });
    if (job.save) saveTrained(job, job.save, seed, training, data.scale);
    yield { seed, model: id, done: before / total, accuracy: assessment.accuracy! };
    return model;
  }

  let { everything, test }: Pick<SeedData, "everything" | "test"> = data;
  let teacher: Teacher = absent;
  if (job.answers) {
    const result = resultOfAnswers(data);
    models.push(result);
    yield { seed, model: "teacher", done: 0, accuracy: result.accuracy };
  } else {
    const { count } = job.recipe.teacher;
    const trainings = Array.from({ length: count }, (_, member) => teacherTraining(job, data, seed, member));
    const model = yield* naming("teacher", trainAndTest(trainings, test));
    // The set is fixed, so the teacher answers once; each row takes its answer along wherever it is taken.
    const answered = (rows: Dataset, asked: Teacher): Dataset => ({
      ...rows,
      teacherLogits: predictLogits(asked, rows.x),
    });
    everything = answered(everything, model);
    test = answered(test, model instanceof Ensemble ? model.at(1) : model);
    teacher = model;
  }
  for (const plan of studentPlans(job.recipe)) {
    const student = studentTraining(job, plan, teacher, everything, data, seed);
    yield* naming(names.get(plan.id)!, trainAndTest([student], test));
  }
  return { seed, models };
}

/** Stands for a teacher whose answer every row has with it. */
const absent: Teacher = () => {
  throw new Error("the teacher is not here, and every row has its answer");
};

/** What stored answers are worth, as the result of a teacher that nobody trained here. */
function resultOfAnswers({ everything, test }: SeedData): ModelResult {
  const { x, labels, teacherLogits } = test;
  const assessment = assess(() => teacherLogits!, { x, labels: labels! }, { batchSize: x.shape[0] });
  return {
    id: "teacher",
    accuracy: assessment.accuracy!,
    agreement: 1,
    trainingAccuracy: accuracy(everything.teacherLogits!, everything.labels!),
    assessment,
    history: [],
    findings: [],
    microseconds: null,
  };
}

/** A failure says of which model it is. */
function* naming<T, R>(name: string, work: Generator<T, R>): Generator<T, R> {
  try {
    return yield* work;
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Some twenty steps of a training: the first, the last, and those in between at equal distances. */
const isShown = (step: number, steps: number): boolean =>
  step === 1 || step === steps || step % Math.ceil(steps / 20) === 0;

/** What is asked for findings and gradients: the first rows of the lessons, as many as are in a batch. */
const sample = ({ lessons }: Training, { recipe }: Job): Dataset =>
  firstRows(lessons, Math.min(recipe.batch, lessons.x.shape[0]));

function findingsOf(training: Training, job: Job, alone: number | null): Finding[] {
  const facts = alone === null ? {} : { trainingAccuracyAlone: alone };
  return lint(training.trainer as TaughtTrainer, sample(training, job), facts);
}

function sharesOf(training: Training, job: Job): Record<string, number> {
  const { trainer } = training;
  const weighted = Object.values<number>(trainer.lossWeights()).filter((weight) => weight > 0);
  if (weighted.length <= 2) return {}; // the total and one term, which has all of it
  const { total: _, ...norms }: Readonly<Record<string, number>> = {
    ...trainer.gradientNorms(sample(training, job)),
  };
  const sum = Object.values(norms).reduce((a, b) => a + b, 0);
  return Object.fromEntries(Object.entries(norms).map(([name, norm]) => [name, sum === 0 ? 0 : norm / sum]));
}

/** How much each model costs to train, in multiplications or so: enough to tell how far a seed has come. */
function workOf({ table, recipe, answers }: Job, labelled: number): Map<ModelId, number> {
  const cost = (hidden: readonly number[]): number => parameterCount(layerWidths(table, hidden));
  const { teacher, student, batch }: Recipe = recipe;
  const ofTeacher = answers ? 0 : teacher.count * teacher.epochs * labelled * cost(teacher.hidden);
  const work = new Map<ModelId, number>([["teacher", ofTeacher]]);
  for (const { id, steps } of studentPlans(recipe)) work.set(id, steps * batch * cost(student.hidden));
  return work;
}
