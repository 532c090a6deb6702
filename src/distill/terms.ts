/** Floor 4: the parts of what a student learns from, as plain data: a loss, its weight, and what the loss is asked about. */
import { kindOf, requireFlag, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { requireSmoothing } from "../ops/cross-entropy.ts";
import { type Schedule, type Scheduled, valueAt } from "../optim/schedules.ts";
import type { Tensor } from "../tensor.ts";
import { type FeaturePair, projectionsOf } from "./layer-pairs.ts";

/** Of a loss that takes none. */
type NoOptions = Record<string, never>;

/** What every term can be told. */
export interface TermSettings {
  /** What its loss is multiplied with, ≥ 0; in steps at which it is 0, the loss is not computed. Default 1. */
  readonly weight?: Scheduled;
}

/** Options of a loss, whose numbers may follow schedules. */
export type ScheduledOptions<Options> = {
  readonly [Name in keyof Options]: number extends Options[Name] ? Options[Name] | Schedule : Options[Name];
};

export interface ComparisonSettings<Options> extends TermSettings {
  /** The options of the loss. A number may be a schedule; any function is taken for one. Default: the loss's own. */
  readonly options?: ScheduledOptions<NonNullable<Options>>;
  /**
   * Whether the loss of a batch is the mean of what it would be for each of its rows alone, as of `softTargetLoss`. Only
   * then can a batch be taken in parts (`microBatchSize`). Default false.
   */
  readonly rowwise?: boolean;
}

/** A loss between answers. Labels are given besides, for the few that ask for them. */
export type LogitLoss<Options> = (
  studentLogits: Tensor,
  teacherLogits: Tensor,
  options: Options,
  labels: ArrayLike<number> | undefined,
) => Tensor;

/** A loss between what two layers computed. */
export type FeatureLoss<Options> = (student: Tensor, teacher: Tensor, options: Options) => Tensor;

/** Cross-entropy with the labels, the mean over labelled rows. */
export interface LabelTerm {
  readonly kind: "labels";
  readonly loss: "crossEntropy";
  readonly weight: Scheduled;
  readonly labelSmoothing: number;
}

interface Comparing {
  /** The name of the loss. */
  readonly loss: string;
  readonly weight: Scheduled;
  /** The options of the loss. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly rowwise: boolean;
}

/** A loss between the answers of student and teacher. */
export interface LogitTerm extends Comparing {
  readonly kind: "logits";
  readonly compare: LogitLoss<object>;
}

/** A loss between layers, summed over pairs of them. */
export interface FeatureTerm extends Comparing {
  readonly kind: "features";
  readonly compare: FeatureLoss<object>;
  readonly layers: readonly FeaturePair[];
}

export type Term = LabelTerm | LogitTerm | FeatureTerm;

/**
 * Learns from labels: `crossEntropy`, over the rows that have one.
 *
 *     hard: labelTerm({ weight: 0.7 })
 *
 * @param settings.labelSmoothing see `crossEntropy`. Default 0
 */
export function labelTerm(settings: TermSettings & { readonly labelSmoothing?: number } = {}): LabelTerm {
  requireOptions("labelTerm", settings, ["weight", "labelSmoothing"]);
  const { weight = 1, labelSmoothing = 0 } = settings;
  requireScheduled("labelTerm", "weight", weight);
  requireSmoothing("labelTerm", labelSmoothing);
  return { kind: "labels", loss: "crossEntropy", weight, labelSmoothing };
}

/**
 * Learns from the teacher's answers.
 *
 *     soft: logitTerm(softTargetLoss, { weight: 0.3, options: { temperature: 4 } })
 *
 * @param loss of (student logits, teacher logits, options, labels), such as `reverseKlLoss`. One that takes the labels
 *   third is called through a function: `(z, v, options, labels) => decoupledDistillationLoss(z, v, labels!, options)`
 */
export function logitTerm<Options = NoOptions>(
  loss: LogitLoss<Options>,
  settings: NoInfer<ComparisonSettings<Options>> = {},
): LogitTerm {
  requireOptions("logitTerm", settings, ["weight", "options", "rowwise"]);
  return { kind: "logits", compare: loss as LogitLoss<object>, ...comparing("logitTerm", loss, settings) };
}

/**
 * Learns from what the teacher's layers compute: the sum of a loss over pairs of layers. A pair's projection, where it
 * has one, comes between the student's layer and the loss; maps of other sides are averaged down to the smaller.
 *
 *     hints: featureTerm(hintLoss, { weight: 0.3, layers: [["relu1", "relu2", new Linear(32, 256)]] })
 *
 * @param loss of (student feature, teacher feature, options), such as `similarityPreservingLoss`
 * @param settings.layers pairs [student layer, teacher layer, projection], by the names that `features` gives them
 */
export function featureTerm<Options = NoOptions>(
  loss: FeatureLoss<Options>,
  settings: NoInfer<ComparisonSettings<Options>> & { readonly layers: readonly FeaturePair[] },
): FeatureTerm {
  requireOptions("featureTerm", settings, ["layers", "weight", "options", "rowwise"]);
  const { layers, ...others } = settings;
  projectionsOf("featureTerm", layers);
  return {
    kind: "features",
    compare: loss as FeatureLoss<object>,
    layers,
    ...comparing("featureTerm", loss, others),
  };
}

function comparing<Options>(
  where: string,
  loss: { readonly name: string },
  { weight = 1, options, rowwise = false }: ComparisonSettings<Options>,
): Comparing {
  requireInstance(where, "a loss first, such as softTargetLoss", loss, Function);
  requireScheduled(where, "weight", weight);
  requireFlag(where, "rowwise", rowwise);
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    throw new DistilgradError(
      "value",
      `${where}: options must be an object of the loss's options, got ${kindOf(options)}`,
    );
  }
  return { loss: loss.name || "loss", weight, options: { ...options }, rowwise };
}

function requireScheduled(where: string, name: string, value: Scheduled): void {
  if (typeof value === "function" || (typeof value === "number" && value >= 0 && Number.isFinite(value)))
    return;
  throw new DistilgradError(
    "value",
    `${where}: ${name} must be a finite number of at least 0 or a schedule, got ${kindOf(value)}`,
  );
}

/** A term's weight at a step. @throws when its schedule gives anything but a finite number of at least 0 */
export function weightAt(name: string, { weight }: Term, step: number): number {
  const value = valueAt(weight, step);
  if (typeof value === "number" && value >= 0 && Number.isFinite(value)) return value;
  throw new DistilgradError(
    "value",
    `trainStep: the weight of "${name}" must be a finite number of at least 0, but its schedule gives ${kindOf(value)} at step ${step}`,
  );
}

/** The options of a term's loss at a step: schedules give way to their values. */
export function optionsAt({ options }: LogitTerm | FeatureTerm, step: number): object {
  const now: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    now[name] = typeof value === "function" ? (value as Schedule)(step) : value;
  }
  return now;
}
