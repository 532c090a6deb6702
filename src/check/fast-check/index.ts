/** Arbitraries for fast-check whose tensors shrink, and every check that can be made of an op. */
export { type LogitsOptions, labels, logits } from "./logits.ts";
export { opChecks } from "./op-checks.ts";
export type { GoldenCase, OpCase, OpCheck, OpPoint, OpSpec, RunOptions } from "./op-spec.ts";
export { gamma, unitRoundoff } from "./roundings.ts";
export {
  broadcastPairs,
  type ShapeOptions,
  type SizeOptions,
  shapes,
  shapesBroadcastingTo,
  sizes,
} from "./shapes.ts";
export { type TensorKindOptions, type TensorsOptions, tensors } from "./tensors.ts";
export { type ValueOptions, values } from "./values.ts";
export { type WellSeparatedOptions, wellSeparated } from "./well-separated.ts";
