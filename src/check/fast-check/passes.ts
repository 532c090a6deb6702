/** Forward and back again with the operands of a case, in any kernel set. */
import { DistilgradError } from "../../errors.ts";
import type { Floats, Kernels } from "../../kernels/kernels.ts";
import { ordinary } from "../../kernels/ordinary.ts";
import { RandomStream } from "../../random.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { Tensor } from "../../tensor.ts";
import type { OpCase } from "./op-spec.ts";

export interface Pass {
  readonly y: Tensor;
  /** ∂L/∂operand, zeros where nothing arrived. */
  readonly gradients: readonly Floats[];
}

/** Numbers as a tensor of a set. */
export function tensorIn(kernels: Kernels, values: ArrayLike<number>, shape: Shape): Tensor {
  const data = ordinary(kernels, sizeOf(shape));
  data.set(values);
  return new Tensor(data, shape, kernels);
}

/** The operands of a case as tensors of a set, which gather gradients. */
export const leavesIn = (kernels: Kernels, { operands }: OpCase): Tensor[] =>
  copiesIn(kernels, operands).map((leaf) => {
    leaf.requiresGrad = true;
    return leaf;
  });

/**
 * Tensors with the same numbers in another set.
 *
 * @throws on a number that float32 has to round: two sets would be compared that start from different ones
 */
export const copiesIn = (kernels: Kernels, operands: readonly Tensor[]): Tensor[] =>
  operands.map(({ data, shape }, which) => {
    for (const x of data) {
      if (Object.is(Math.fround(x), x)) continue;
      throw new DistilgradError(
        "value",
        `opChecks: operands are float32 numbers, got ${x} in operand ${which}; draw them with tensors(…), or round them`,
      );
    }
    return tensorIn(kernels, data, shape);
  });

/** The values for drawn operands, and their gradients for a cotangent. */
export function pass(kernels: Kernels, drawn: OpCase, dy: ArrayLike<number>): Pass {
  const leaves = leavesIn(kernels, drawn);
  const y = drawn.call(...leaves);
  y.backward(tensorIn(kernels, dy, y.shape));
  return { y, gradients: leaves.map(gradientOf) };
}

export const gradientOf = (leaf: Tensor): Floats => leaf.grad?.data ?? ordinary(leaf.kernels, leaf.size);

/** Float32 numbers from −1 to 1. */
export function randomNumbers(size: number, seed: number, purpose = "cotangent"): number[] {
  const random = new RandomStream(seed, purpose);
  return Array.from({ length: size }, () => Math.fround(2 * random.uniform() - 1));
}
