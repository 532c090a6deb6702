/** Teachers made of several models, or of a student's own past. */
export { distillChain } from "./distill-chain.ts";
export { Ensemble, type EnsembleOptions } from "./ensemble.ts";
export { type FitEnsembleWeightsOptions, fitEnsembleWeights } from "./fit-ensemble-weights.ts";
export { MeanTeacher, type MeanTeacherOptions, type MeanTeacherState } from "./mean-teacher.ts";
export {
  type MutualLearningLosses,
  type MutualLearningOptions,
  MutualLearningTrainer,
} from "./mutual-learning-trainer.ts";
