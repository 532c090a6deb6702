/** Drawn numbers with a shape, for oracles that read plain lists; the drawing itself is that of the published arbitraries. */
import type fc from "fast-check";
import { broadcastPairs, sizes, tensors, type ValueOptions } from "../../src/check/fast-check/index.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import type { Shape } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";

export { shapes as shape, shapesBroadcastingTo as thinned } from "../../src/check/fast-check/index.ts";

/** An operand before it has a precision: float32 values, so that both sets start from the same numbers. */
export interface Operand {
  readonly shape: Shape;
  readonly values: readonly number[];
}

export const operandIn = (kernels: Kernels, { shape, values }: Operand): Tensor => {
  const data = kernels.alloc(values.length);
  data.set(values);
  return new Tensor(data, shape, kernels);
};

export const in64 = (operand: Operand): Tensor => operandIn(float64, operand);

/** The numbers of a tensor. */
export const valuesOf = ({ shape, data }: Tensor): Operand => ({ shape, values: [...data] });

/** Where the values of an operand lie. */
export type Range = ValueOptions;

export const ordinary: Range = { min: -3, max: 3 };

/** Two shapes that broadcast, and what they broadcast to. */
export const broadcastPair = broadcastPairs();

export const size = (minSize = 0): fc.Arbitrary<number> => sizes({ minSize });

export const operand = (ofShape: Shape, range: Range = ordinary): fc.Arbitrary<Operand> =>
  tensors({ ...range, shape: ofShape, kernels: float64 }).map(valuesOf);

/** An operand of any shape. */
export const anyOperand = (range: Range = ordinary): fc.Arbitrary<Operand> =>
  tensors({ ...range, kernels: float64 }).map(valuesOf);
