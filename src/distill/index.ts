/** Trainers, the losses between models, and what to measure afterwards. */

export {
  type DistillationOptions,
  DistillationTrainer,
  type TermLosses,
  type Terms,
} from "./distillation-trainer.ts";
export {
  accuracy,
  agreement,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  predictLabels,
  predictLogits,
} from "./evaluate.ts";
export {
  type FeatureDistillationLosses,
  type FeatureDistillationOptions,
  FeatureDistillationTrainer,
} from "./feature-distillation-trainer.ts";
export { featureMatchingLoss } from "./feature-matching-loss.ts";
export { type FitOptions, type FitStep, fit } from "./fit.ts";
export {
  type DistillationLosses,
  type KnowledgeDistillationOptions,
  KnowledgeDistillationTrainer,
} from "./knowledge-distillation-trainer.ts";
export type { FeaturePair } from "./layer-pairs.ts";
export { type Finding, type FindingCode, type LintFacts, lint, type TaughtTrainer } from "./lint.ts";
export * from "./losses/index.ts";
export { meanAndDeviation, type PairedGain, pairedGain } from "./paired-gain.ts";
export type { Part, Share } from "./parts.ts";
export { type DistillationPlan, type PlannedPair, type PlannedTerm, planOf } from "./plan.ts";
export { type ProjectionOptions, projectedPairs, projectionsByName } from "./projected-pairs.ts";
export * from "./report/index.ts";
export * from "./soft-targets/index.ts";
export { SupervisedTrainer, type SupervisedTrainerOptions } from "./supervised-trainer.ts";
export type { Teacher } from "./teacher.ts";
export * from "./teachers/index.ts";
export {
  type ComparisonSettings,
  type FeatureLoss,
  type FeatureTerm,
  featureTerm,
  type LabelTerm,
  type LogitLoss,
  type LogitTerm,
  labelTerm,
  logitTerm,
  type ScheduledOptions,
  type Term,
  type TermSettings,
} from "./terms.ts";
export { type TensorsOf, Trainer, type TrainerOptions, type TrainerState } from "./trainer.ts";
