/** Update rules in the order of their complexity, then what surrounds them. */

export { Adam, type AdamOptions } from "./adam.ts";
export { clipGradNorm, clipGradValue } from "./clip-gradients.ts";
export { Optimizer, type OptimizerState } from "./optimizer.ts";
export { constant, cosine, LearningRate, type Schedule, stepDecay, warmup } from "./schedules.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
