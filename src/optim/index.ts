/** Update rules in the order of their complexity, then what surrounds them. */
export { SGD, type SGDOptions } from "./sgd.ts";
export { Adam, type AdamOptions } from "./adam.ts";
export { Optimizer, type OptimizerState } from "./optimizer.ts";
export { clipGradNorm, clipGradValue } from "./clip-gradients.ts";
export { constant, cosine, LearningRate, type Schedule, stepDecay, warmup } from "./schedules.ts";
