/**
 * Floor 6: terms as JSON: what `labelTerm`, `logitTerm` and `featureTerm` take, with losses and schedules by their names.
 * Plain data that crosses to other processes, found to make sense before any training.
 */
import type { Terms } from "../distill/distillation-trainer.ts";
import type { FeaturePair } from "../distill/layer-pairs.ts";
import * as losses from "../distill/losses/index.ts";
import {
  type FeatureLoss,
  featureTerm,
  type LogitLoss,
  type LogitTerm,
  labelTerm,
  logitTerm,
  optionsAt,
  type Term,
  weightAt,
} from "../distill/terms.ts";
import { DistilgradError } from "../errors.ts";
import { zeros } from "../factories.ts";
import { mse } from "../ops/mse.ts";
import { softTargetLoss } from "../ops/soft-target-loss.ts";
import {
  constant,
  cosine,
  during,
  linearDecay,
  type Schedule,
  type Scheduled,
  scheduled,
  stepDecay,
  warmup,
} from "../optim/schedules.ts";
import { instead } from "./arguments.ts";
import { UsageError } from "./usage-error.ts";

/** A number, or one that follows a schedule: `{ "schedule": "cosine", "base": 8, "steps": 800, "floor": 0.25 }`. */
export type ScheduledSetting = number | ({ readonly schedule: string; readonly base?: number } & Settings);

type Settings = Readonly<Record<string, unknown>>;

export interface TermSettings {
  /** The name of a loss. */
  readonly loss: string;
  /** Default 1. */
  readonly weight?: ScheduledSetting;
  /** Of the loss; a number may follow a schedule. */
  readonly options?: Readonly<Record<string, ScheduledSetting | boolean>>;
  /** Pairs [student layer, teacher layer] for losses between layers; missing projections are made. */
  readonly layers?: readonly (readonly [studentLayer: string, teacherLayer: string])[];
}

/** Terms by name. */
export type TermTable = Readonly<Record<string, TermSettings>>;

const schedules: Readonly<Record<string, (settings: never) => Schedule>> = {
  constant,
  linearDecay,
  cosine,
  warmup: ({ steps }: { readonly steps: number }) => warmup({ steps }),
  during,
  stepDecay,
};

const logitLosses: Readonly<Record<string, LogitLoss<never>>> = {
  softTargetLoss,
  reverseKlLoss: losses.reverseKlLoss,
  jensenShannonLoss: losses.jensenShannonLoss,
  softCrossEntropyLoss: losses.softCrossEntropyLoss,
  logitMatchingLoss: losses.logitMatchingLoss,
  standardizedLogitsLoss: losses.standardizedLogitsLoss,
  pearsonCorrelationLoss: losses.pearsonCorrelationLoss,
  decoupledDistillationLoss: (z, v, options, labels) =>
    losses.decoupledDistillationLoss(z, v, labels!, options),
};

const featureLosses: Readonly<Record<string, FeatureLoss<never>>> = {
  mse,
  hintLoss: losses.hintLoss,
  cosineLoss: losses.cosineLoss,
  similarityPreservingLoss: losses.similarityPreservingLoss,
  relationalDistanceLoss: losses.relationalDistanceLoss,
  relationalAngleLoss: losses.relationalAngleLoss,
  probabilisticKnowledgeTransferLoss: losses.probabilisticKnowledgeTransferLoss,
};

/** The losses that compare what can be of any width: these need no projection. */
const ofAnyWidth = new Set([
  "similarityPreservingLoss",
  "relationalDistanceLoss",
  "relationalAngleLoss",
  "probabilisticKnowledgeTransferLoss",
]);

/** Whether a term learns from labels: a student without any goes without it. */
export const needsLabels = ({ loss }: TermSettings): boolean =>
  loss === "crossEntropy" || loss === "decoupledDistillationLoss";

/** Whether a term reaches the last layer: without one that does, a student does not learn to answer. */
const teachesAnswers = ({ layers }: TermSettings): boolean =>
  layers === undefined || layers.some(([studentLayer]) => studentLayer === "logits");

/** All names that `loss` may have. */
export const lossNames: readonly string[] = [
  "crossEntropy",
  ...Object.keys(logitLosses),
  ...Object.keys(featureLosses),
];

/** The losses between answers. */
export const logitLossNames: readonly string[] = Object.keys(logitLosses);

/** Whether a loss between answers softens them. */
export const takesTemperature = (loss: string): boolean => loss !== "logitMatchingLoss";

/** Whether a loss is between layers. */
export const isFeatureLoss = (loss: string): boolean => Object.hasOwn(featureLosses, loss);

/**
 * The terms that JSON describes, if they are some.
 *
 * @throws UsageError naming the term and what is possible in the place of what is wrong
 */
export function requireTermTable(value: unknown): TermTable {
  if (!isObject(value) || Object.keys(value).length === 0) {
    throw new UsageError(
      'terms must be an object of terms by name such as { "hard": { "loss": "crossEntropy", "weight": 0.7 } }',
    );
  }
  for (const [name, term] of Object.entries(value)) requireTerm(name, term);
  if (!Object.values(value as TermTable).some((term) => !needsLabels(term) && teachesAnswers(term))) {
    throw new UsageError(
      "terms: no term teaches the student without labels to answer; add one between answers that needs no label, such as softTargetLoss",
    );
  }
  if (Object.hasOwn(value, "total"))
    throw new UsageError('terms: "total" is the sum of all; choose another name');
  return value as TermTable;
}

function requireTerm(name: string, term: unknown): void {
  const where = `term "${name}"`;
  if (!isObject(term))
    throw new UsageError(`${where} must be an object such as { "loss": "softTargetLoss" }`);
  requireKeys(where, term, ["loss", "weight", "options", "layers"]);
  const { loss, weight = 1, options = {}, layers } = term;
  if (typeof loss !== "string" || !lossNames.includes(loss)) {
    throw new UsageError(
      `${where}: unknown loss ${JSON.stringify(loss)}; ${instead(String(loss), lossNames, "")}`,
    );
  }
  if (!isObject(options)) throw new UsageError(`${where}: options must be an object of the loss's options`);
  const settings = { loss, weight, options } as TermSettings;
  if (isFeatureLoss(loss) !== (layers !== undefined)) {
    throw new UsageError(
      layers === undefined
        ? `${where}: ${loss} compares layers; add "layers": [["relu1", "relu1"]]`
        : `${where}: ${loss} compares answers, not layers; leave "layers" out`,
    );
  }
  if (layers !== undefined) requireLayerNames(where, layers);
  if ((isFeatureLoss(loss) || !takesTemperature(loss)) && Object.keys(options).length > 0) {
    throw new UsageError(`${where}: ${loss} has no options`);
  }
  // Other losses see to the names of their options themselves.
  if (loss === "softTargetLoss") requireKeys(where, options, ["temperature"], "option");
  // What the loss itself refuses, it refuses of any logits.
  try {
    const made = termOf(settings, [["layer", "layer"]]);
    weightAt(name, made, 0);
    if (made.kind === "logits") tryLoss(made, 0);
  } catch (error) {
    if (!(error instanceof DistilgradError || error instanceof UsageError)) throw error;
    throw new UsageError(`${where}: ${error.message}`, { cause: error });
  }
}

function requireLayerNames(where: string, layers: unknown): void {
  const pair = (value: unknown): boolean =>
    Array.isArray(value) && value.length === 2 && value.every((name) => typeof name === "string");
  if (Array.isArray(layers) && layers.length > 0 && layers.every(pair)) return;
  throw new UsageError(
    `${where}: layers must be pairs of a student's and a teacher's layer such as [["relu1", "relu2"]]`,
  );
}

/**
 * The term that settings describe.
 *
 * @param layers of a loss between layers, with the projections that they need
 */
export function termOf(
  { loss, weight = 1, options = {} }: TermSettings,
  layers: readonly FeaturePair[],
): Term {
  if (loss === "crossEntropy") {
    return labelTerm({ ...(options as object), weight: scheduledOf(weight) });
  }
  const settings = {
    weight: scheduledOf(weight),
    options: Object.fromEntries(
      Object.entries(options).map(([name, value]) => [
        name,
        typeof value === "boolean" ? value : scheduledOf(value),
      ]),
    ),
  };
  return isFeatureLoss(loss)
    ? featureTerm<object>(featureLosses[loss] as FeatureLoss<object>, { ...settings, layers })
    : logitTerm<object>(logitLosses[loss] as LogitLoss<object>, settings);
}

/** Has a loss between answers say what it refuses of its options at a step, and of so many classes. @throws DistilgradError */
export function tryLoss(term: LogitTerm, step: number, classes = 3): void {
  const logits = zeros([1, classes]);
  term.compare(logits, logits, optionsAt(term, step), [0]);
}

/** The terms that a student learns from: without labels, those that need none. */
export const termsTaught = (table: TermTable, withLabels: boolean): TermTable =>
  Object.fromEntries(Object.entries(table).filter(([, term]) => withLabels || !needsLabels(term)));

/** All terms of a table. @param pairsOf the layers of a term, with projections where its loss needs them */
export function termsOf(
  table: TermTable,
  pairsOf: (layers: readonly FeaturePair[], projected: boolean) => readonly FeaturePair[],
): Terms {
  return Object.fromEntries(
    Object.entries(table).map(([name, settings]) => [
      name,
      termOf(settings, settings.layers ? pairsOf(settings.layers, !ofAnyWidth.has(settings.loss)) : []),
    ]),
  );
}

function scheduledOf(setting: ScheduledSetting): Scheduled {
  if (typeof setting === "number") return setting;
  if (!isObject(setting) || typeof setting.schedule !== "string") {
    throw new UsageError(
      `expected a number or a schedule such as { "schedule": "cosine", "base": 8, "steps": 800 }, got ${JSON.stringify(setting)}`,
    );
  }
  const { schedule, base = 1, ...settings } = setting;
  if (!Object.hasOwn(schedules, schedule)) {
    throw new UsageError(`unknown schedule "${schedule}"; ${instead(schedule, Object.keys(schedules), "")}`);
  }
  return scheduled(base, schedules[schedule](settings as never));
}

function requireKeys(where: string, value: object, known: readonly string[], what = "key"): void {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`${where}: unknown ${what} "${unknown}"; ${instead(unknown, known, "")}`);
}

const isObject = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value);
