/** Trainers, the losses between models, and what to measure afterwards. */
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
  type FeaturePair,
} from "./feature-distillation-trainer.ts";
export { featureMatchingLoss } from "./feature-matching-loss.ts";
export { type FitOptions, type FitStep, fit } from "./fit.ts";
export {
  type DistillationLosses,
  type KnowledgeDistillationOptions,
  KnowledgeDistillationTrainer,
} from "./knowledge-distillation-trainer.ts";
export * from "./losses/index.ts";
export { meanAndDeviation, type PairedGain, pairedGain } from "./paired-gain.ts";
export type { Part, Share } from "./parts.ts";
export { SupervisedTrainer, type SupervisedTrainerOptions } from "./supervised-trainer.ts";
export type { Teacher } from "./teacher.ts";
export { type TensorsOf, Trainer, type TrainerOptions, type TrainerState } from "./trainer.ts";
