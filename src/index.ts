/** distilgrad: tensors, ops, layers, optimizers, distillation. */
export type { Dataset } from "./data/dataset.ts";
export * from "./distill/index.ts";
export { DistilgradError, type ErrorCode } from "./errors.ts";
export {
  arange,
  full,
  oneHot,
  ones,
  type RandomOptions,
  randn,
  type TensorOptions,
  tensor,
  uniform,
  zeros,
} from "./factories.ts";
export { noGrad, type Pullback } from "./graph.ts";
export { float32 } from "./kernels/float32.ts";
export { float64 } from "./kernels/float64.ts";
export type { Floats, Kernels } from "./kernels/kernels.ts";
export { plainFloat32 } from "./kernels/plain-float32.ts";
export {
  type AccelerateOptions,
  accelerate,
  type SimdOptions,
  simdModule,
} from "./kernels/wasm/accelerate.ts";
export type { CompiledModule } from "./kernels/wasm/webassembly.ts";
export type { NestedNumbers } from "./nested.ts";
export * from "./nn/index.ts";
export * from "./ops/index.ts";
export * from "./optim/index.ts";
export { manualSeed, type RandomState, RandomStream } from "./random.ts";
export { sha256OfFloats } from "./sha256.ts";
export type { Shape } from "./shape.ts";
export { kernelsOf, type PartialDerivative, record, Tensor, wrt } from "./tensor.ts";
