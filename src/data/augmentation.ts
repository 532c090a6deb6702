/** Floor 3: what may change a batch's x on its way out. Knows what it must leave as it is, not what it does. */

import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { precisionOf } from "../kernels/rounding.ts";
import { formatShape, sameShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

/**
 * Shows samples in another way in every epoch, such as `ImageAugmentation`. What a sample looks like must depend on
 * nothing but its index and the epoch: then neither order nor batch size nor a break in the training changes it.
 */
export interface Augmentation {
  /**
   * @param x `[rows, …]`, not to be written to
   * @param samples for each row, which sample of the dataset it is
   * @param epoch whole number of at least 0
   * @returns a tensor of x's shape and kernel set, row for row the same samples
   */
  apply(x: Tensor, samples: ArrayLike<number>, epoch: number): Tensor;
}

export function requireAugmentation(where: string, augment: Augmentation): void {
  // Every function has an `apply` of its own.
  if (typeof augment !== "object" || typeof augment.apply !== "function") {
    throw new DistilgradError(
      "value",
      `${where}: augment must be an object with apply(x, samples, epoch), such as new ImageAugmentation({ shift: 1 }), got ${kindOf(augment)}`,
    );
  }
}

/** What `augment` makes of x, held to its promise. */
export function augmented(
  where: string,
  augment: Augmentation,
  x: Tensor,
  samples: ArrayLike<number>,
  epoch: number,
): Tensor {
  const made = augment.apply(x, samples, epoch);
  if (!(made instanceof Tensor) || made.kernels !== x.kernels || !sameShape(made.shape, x.shape)) {
    const got =
      made instanceof Tensor ? `${formatShape(made.shape)} in ${precisionOf(made.kernels)}` : kindOf(made);
    throw new DistilgradError(
      "data",
      `${where}: augment must return x as a tensor ${formatShape(x.shape)} in ${precisionOf(x.kernels)} again, got ${got}`,
    );
  }
  return made;
}
