/** What a distillation achieved, as data, and what can be put right afterwards. */

export { type Assessment, type AssessOptions, assess } from "./assess.ts";
export {
  type Calibration,
  type CalibrationBin,
  type CalibrationOptions,
  calibration,
} from "./calibration.ts";
export { compareWithTwin, type TwinComparison, type Verdict } from "./compare-with-twin.ts";
export { type ClassScores, type ConfusionMatrix, confusionMatrix } from "./confusion-matrix.ts";
export { type ClassFrequencies, correctOmittedClasses } from "./correct-omitted-classes.ts";
export { fitTemperature } from "./fit-temperature.ts";
export { type HeldOutDivergenceOptions, heldOutDivergence } from "./held-out-divergence.ts";
