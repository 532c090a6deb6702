/** Layers, and how their weights start. */
export { ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh } from "./activations.ts";
export type { AffineOptions } from "./affine.ts";
export { BatchNorm1d, BatchNorm2d, type BatchNormLayerOptions } from "./batch-norm.ts";
export { Branches, type BranchesOptions } from "./branches.ts";
export { ConvTranspose2d, type ConvTranspose2dLayerOptions } from "./conv-transpose2d.ts";
export { Conv1d, type Conv1dLayerOptions } from "./conv1d.ts";
export { Conv2d, type Conv2dLayerOptions } from "./conv2d.ts";
export { Dropout } from "./dropout.ts";
export { Embedding, type EmbeddingOptions } from "./embedding.ts";
export { Flatten } from "./flatten.ts";
export { GroupNorm } from "./group-norm.ts";
export {
  fanInUniform,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  xavierNormal,
  xavierUniform,
} from "./init.ts";
export { LayerNorm, type LayerNormOptions } from "./layer-norm.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export {
  countParameters,
  type Features,
  Module,
  type NamedTensors,
  Parameter,
  parametersOf,
} from "./module.ts";
export {
  type AttentionMasks,
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from "./multihead-attention.ts";
export type { NamedLayers } from "./named-layers.ts";
export { AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool2d, MaxPool2d } from "./pools.ts";
export { Reshape } from "./reshape.ts";
export { Residual, type ResidualOptions } from "./residual.ts";
export { RMSNorm } from "./rms-norm.ts";
export { Sequential } from "./sequential.ts";
export { stateHash } from "./state-hash.ts";
export { type LayerSummary, type Summary, summary } from "./summary.ts";
export { TransformerEncoderLayer, type TransformerEncoderLayerOptions } from "./transformer-encoder-layer.ts";
