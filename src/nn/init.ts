/** Floor 3: how weights start. Each initialisation has its author's name and draws row by row from one stream. */
import { DistilgradError } from "../errors.ts";
import { type RandomOptions, randn, uniform } from "../factories.ts";
import { noGrad } from "../graph.ts";
import { scale } from "../ops/scale.ts";
import { formatShape, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Makes a weight of a shape `[out, in, …]`. */
export type Initializer = (shape: Shape, options?: RandomOptions) => Tensor;

/** How many inputs and outputs a weight `[out, in, …kernel]` connects. */
export function fans(where: string, shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2) {
    throw new DistilgradError("shape", `${where}: expected a weight [out, in, …], got ${formatShape(shape)}`);
  }
  const field = shape.slice(2).reduce((n, length) => n * length, 1);
  return { fanIn: shape[1] * field, fanOut: shape[0] * field };
}

const within = (bound: number, shape: Shape, options?: RandomOptions): Tensor =>
  uniform(shape, { ...options, low: -bound, high: bound });

const normal = (deviation: number, shape: Shape, options?: RandomOptions): Tensor =>
  noGrad(() => scale(randn(shape, options), deviation));

/** U(−b, b) with b = 1/√fanIn: what PyTorch's Linear starts with (its kaiming_uniform_ with a = √5). */
export const fanInUniform: Initializer = (shape, options) =>
  within(1 / Math.sqrt(fans("fanInUniform", shape).fanIn), shape, options);

/** U(−b, b) with b = √(6/fanIn), for layers before a ReLU. @see He et al. (2015), arXiv 1502.01852, §2.2 */
export const kaimingUniform: Initializer = (shape, options) =>
  within(Math.sqrt(6 / fans("kaimingUniform", shape).fanIn), shape, options);

/** N(0, 2/fanIn), for layers before a ReLU. @see He et al. (2015), arXiv 1502.01852, §2.2 */
export const kaimingNormal: Initializer = (shape, options) =>
  normal(Math.sqrt(2 / fans("kaimingNormal", shape).fanIn), shape, options);

/** U(−b, b) with b = √(6/(fanIn + fanOut)). @see Glorot & Bengio (2010), §4.2.1, equation 16 */
export const xavierUniform: Initializer = (shape, options) => {
  const { fanIn, fanOut } = fans("xavierUniform", shape);
  return within(Math.sqrt(6 / (fanIn + fanOut)), shape, options);
};

/** N(0, 2/(fanIn + fanOut)). @see Glorot & Bengio (2010), §4.2.1, equation 12 */
export const xavierNormal: Initializer = (shape, options) => {
  const { fanIn, fanOut } = fans("xavierNormal", shape);
  return normal(Math.sqrt(2 / (fanIn + fanOut)), shape, options);
};
