/** Gradient checks, for our ops, layers and trainers and for yours. */
export { type FailingCase, GradcheckError, type Law } from "./failure.ts";
export { type CheckOptions, type GradcheckOptions, gradcheck } from "./gradcheck.ts";
export { type GradcheckModuleOptions, gradcheckModule, type ModuleCheckOptions } from "./gradcheck-module.ts";
export { gradcheckTrainer } from "./gradcheck-trainer.ts";
export type { GradcheckReport } from "./prove.ts";
export type { Differentiable } from "./question.ts";
