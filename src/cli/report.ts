/** Floor 6: what the results of all seeds say, as plain data: the document that `--json` prints. */
import { meanAndDeviation } from "../distill/paired-gain.ts";
import type { Assessment } from "../distill/report/assess.ts";
import { float32 } from "../kernels/float32.ts";
import { accelerateOnce } from "../kernels/wasm/accelerate-once.ts";
import { labelledRows, type NamedModel, namedModels } from "./model-names.ts";
import { median } from "./prediction-time.ts";
import {
  type Job,
  layerWidths,
  type ModelId,
  parameterCount,
  type Recipe,
  type StoredAnswers,
} from "./recipe.ts";
import type { ModelResult, SeedResult } from "./run-seed.ts";
import { type Comparison, compare, verdictSentences } from "./verdict.ts";

/** Shares are in [0, 1]; lists have one entry a seed. */
export interface ModelReport {
  readonly id: ModelId;
  readonly name: string;
  /** How many labelled rows it learned from; 0 for stored answers, of which that is not known. */
  readonly labels: number;
  /** Null, as all figures of size, for a teacher of which there are only answers. */
  readonly layers: readonly number[] | null;
  readonly parameters: number | null;
  /** Of the parameters as float32. */
  readonly bytes: number | null;
  /** Of one row's prediction: products of two numbers, each added to a sum. */
  readonly multiplyAdds: number | null;
  /** The teacher's parameters divided by this model's; null where the teacher's are not known. */
  readonly compression: number | null;
  readonly accuracies: readonly number[];
  readonly mean: number;
  /** Sample standard deviation; null with one seed. */
  readonly deviation: number | null;
  /** Mean share of test rows on which it says what the teacher says. */
  readonly agreement: number;
  /** Null for the teacher and for those who learn alone. */
  readonly gain: Comparison | null;
  /** Cross-entropy on the test rows, in nats; a mean over the seeds, as all below. */
  readonly loss: number;
  /** How far from its accuracy it is in what it believes, in [0, 1]. */
  readonly calibrationError: number;
  /** KL(teacher ‖ model) on the test rows at temperature 1, in nats; null for the teacher. */
  readonly divergence: number | null;
  /** Its accuracy divided by the teacher's; null for the teacher, and where the teacher's is 0. */
  readonly accuracyRetained: number | null;
}

/** All that was measured of one seed, but times. */
export interface SeedDetails {
  readonly seed: number;
  readonly models: readonly Omit<ModelResult, "microseconds">[];
}

export interface Report {
  readonly data: {
    readonly name: string;
    readonly rows: number;
    readonly unlabelledRows: number;
    readonly trainingRows: number;
    readonly testRows: number;
    readonly features: number;
    readonly classes: readonly { readonly name: string; readonly rows: number }[];
  };
  readonly settings: Omit<Recipe, "teacher"> & {
    readonly seeds: number;
    /** Null where there are only its answers: then these are said. */
    readonly teacher: Recipe["teacher"] | null;
    readonly answers?: Omit<StoredAnswers, "logits">;
    /** What the two losses are multiplied with: α and 1 − α. */
    readonly weights: { readonly hard: number; readonly soft: number };
    readonly kernels: string;
  };
  readonly models: readonly ModelReport[];
  /** The main sentence first. */
  readonly verdict: readonly string[];
  readonly notes: readonly string[];
  readonly perSeed: readonly SeedDetails[];
  /** The only part that differs from run to run. */
  readonly times: {
    readonly processes: number;
    readonly seconds: number;
    /** For a prediction of one row, the median over the seeds. */
    readonly microseconds: Readonly<Partial<Record<ModelId, number>>>;
  };
}

export interface RunFacts {
  readonly processes: number;
  readonly seconds: number;
  readonly notes: readonly string[];
}

export function reportOn(
  job: Job,
  results: readonly SeedResult[],
  { processes, seconds, notes }: RunFacts,
): Report {
  const { table, recipe, answers } = job;
  const { training, test } = labelledRows(job);
  const named = namedModels(job);
  const models = named.map((model) => modelReport(job, model, results));
  const microseconds = models.flatMap(({ id }) => {
    const all = results.flatMap((result) => resultOf(result, id).microseconds ?? []);
    return all.length === 0 ? [] : [[id, median(all)]];
  });
  return {
    data: {
      name: job.name,
      rows: table.rows,
      unlabelledRows: table.rows - training - test,
      trainingRows: training,
      testRows: test,
      features: table.features,
      classes: table.classNames.map((name, index) => ({
        name,
        rows: table.labels.filter((label) => label === index).length,
      })),
    },
    settings: {
      seeds: results.length,
      ...recipe,
      ...(answers && { teacher: null, answers: { source: answers.source, teacher: answers.teacher } }),
      // 1 − 0.7 is 0.30000000000000004; nobody wants to read that.
      weights: { hard: recipe.alpha, soft: Number((1 - recipe.alpha).toPrecision(12)) },
      kernels: kernelsName(),
    },
    models,
    verdict: verdictSentences(models, results.length),
    notes: [...notes, ...findingNotes(named, results)],
    perSeed: results.map(({ seed, models }) => ({
      seed,
      models: models.map(({ microseconds: _, ...measured }) => measured),
    })),
    times: { processes, seconds, microseconds: Object.fromEntries(microseconds) },
  };
}

function modelReport(
  { table, recipe, answers }: Job,
  { id, name, labels, plan }: NamedModel,
  results: readonly SeedResult[],
): ModelReport {
  const ofTeacher = answers ? null : layerWidths(table, recipe.teacher.hidden);
  const layers = plan === null ? ofTeacher : layerWidths(table, recipe.student.hidden);
  const accuraciesOf = (model: ModelId): number[] =>
    results.map((result) => resultOf(result, model).accuracy);
  const meanOf = (value: (assessment: Assessment) => number | null): number | null => {
    const all = results.map((result) => value(resultOf(result, id).assessment));
    return all.every((each) => each !== null) ? meanAndDeviation(all).mean : null;
  };
  const accuracies = accuraciesOf(id);
  const { mean, deviation } = meanAndDeviation(accuracies);
  return {
    id,
    name,
    labels,
    ...sizes(layers, plan === null ? recipe.teacher.count : 1),
    compression:
      layers && ofTeacher && (recipe.teacher.count * parameterCount(ofTeacher)) / parameterCount(layers),
    accuracies,
    mean,
    deviation: results.length === 1 ? null : deviation,
    agreement: meanAndDeviation(results.map((result) => resultOf(result, id).agreement)).mean,
    gain: plan?.twin ? compare(plan.twin, accuracies, accuraciesOf(plan.twin)) : null,
    loss: meanOf(({ loss }) => loss)!,
    calibrationError: meanOf(({ calibration }) => calibration!.error)!,
    divergence: meanOf((assessment) => assessment.divergence),
    accuracyRetained: meanOf((assessment) => assessment.accuracyRetained),
  };
}

/** @param count of networks with these layers, which answer together */
function sizes(
  layers: readonly number[] | null,
  count: number,
): Pick<ModelReport, "layers" | "parameters" | "bytes" | "multiplyAdds"> {
  if (layers === null) return { layers, parameters: null, bytes: null, multiplyAdds: null };
  const parameters = count * parameterCount(layers);
  return {
    layers,
    parameters,
    bytes: parameters * Float32Array.BYTES_PER_ELEMENT,
    multiplyAdds: count * layers.slice(1).reduce((sum, width, i) => sum + layers[i] * width, 0),
  };
}

/** What was found before the first steps: once for each model, with the seeds where that is not all. */
function findingNotes(models: readonly NamedModel[], results: readonly SeedResult[]): string[] {
  return models.flatMap(({ id, name }) => {
    const found = new Map<string, { readonly sentence: string; seeds: number }>();
    for (const result of results) {
      for (const { code, term, sentence } of resultOf(result, id).findings) {
        const known = found.get(`${code} ${term}`);
        if (known) known.seeds++;
        else found.set(`${code} ${term}`, { sentence, seeds: 1 });
      }
    }
    return [...found.values()].map(({ sentence, seeds }) => {
      const where = seeds === results.length ? "" : ` (in ${seeds} of ${results.length} seeds)`;
      return `${name}: ${sentence}${where}`;
    });
  });
}

function resultOf({ models, seed }: SeedResult, id: ModelId): ModelResult {
  const found = models.find((model) => model.id === id);
  if (found === undefined) throw new Error(`seed ${seed} has no result for ${id}`);
  return found;
}

/** Of the kernels that trained, also where that was in another process. */
export function kernelsName(): string {
  accelerateOnce();
  return float32.name;
}
