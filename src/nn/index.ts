/** Layers, and how their weights start. */
export { Dropout } from "./dropout.ts";
export {
  fanInUniform,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  xavierNormal,
  xavierUniform,
} from "./init.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export {
  countParameters,
  type Features,
  Module,
  type NamedTensors,
  Parameter,
  parametersOf,
} from "./module.ts";
export { ReLU } from "./relu.ts";
export { Sequential } from "./sequential.ts";
