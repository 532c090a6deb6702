/** Update rules in the order of their complexity, then what surrounds them. */
export { SGD, type SGDOptions } from "./sgd.ts";
export { Adagrad, type AdagradOptions } from "./adagrad.ts";
export { RMSProp, type RMSPropOptions } from "./rmsprop.ts";
export { Adam, type AdamOptions } from "./adam.ts";
export { AdamW, type AdamWOptions } from "./adamw.ts";
export { Lion, type LionOptions } from "./lion.ts";
export { Optimizer, type OptimizerState, type ParameterUpdate } from "./optimizer.ts";
export type { GroupedParameters, ParameterGroup, Settings, SettingsTable } from "./settings.ts";
export { clipGradNorm, clipGradValue } from "./clip-gradients.ts";
export {
  constant,
  cosine,
  during,
  LearningRate,
  linearDecay,
  type OneCycleOptions,
  oneCycle,
  type Schedule,
  type Scheduled,
  scheduled,
  stepDecay,
  warmup,
} from "./schedules.ts";
export {
  ReduceOnPlateau,
  type ReduceOnPlateauOptions,
  type ReduceOnPlateauState,
} from "./reduce-on-plateau.ts";
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  type ExponentialMovingAverageState,
} from "./exponential-moving-average.ts";
