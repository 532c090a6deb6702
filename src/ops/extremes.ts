/** Floor 2: what `max` and `min` share: where the largest or the smallest entry behind each result stands. */
import { requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape, type Shape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { forEachRun } from "./broadcasting.ts";
import { reductionOf } from "./reduction.ts";
import type { ReductionOptions } from "./sum.ts";

export interface Extremes {
  /** For each result the flat index of its entry: the first of equals; the first NaN, if there is one, wins. */
  readonly from: Int32Array;
  /** The result's shape. */
  readonly shape: Shape;
}

/** @param sign 1 for the largest entries, −1 for the smallest */
export function extremesOf(
  op: string,
  sign: 1 | -1,
  x: Tensor,
  axes: number | readonly number[] | undefined,
  options: ReductionOptions,
): Extremes {
  kernelsOf(op, x);
  requireOptions(op, options, ["keepAxes"]);
  const { keepAxes = false } = options;
  const { axes: reduced, count, kept, shape } = reductionOf(op, x.shape, axes, keepAxes);
  if (count === 0) {
    throw new DistilgradError(
      "shape",
      `${op}: nothing to compare in ${formatShape(x.shape)} over axes ${formatShape(reduced)}`,
    );
  }
  const values = x.data;
  const from = new Int32Array(x.size / count).fill(-1);
  forEachRun(kept, x.shape, (start, at, length, step) => {
    for (let i = start, o = at; i < start + length; i++, o += step) {
      const best = from[o];
      // Not ">": no comparison holds for a NaN, which takes the place of everything but another NaN.
      if (best === -1 || (!(sign * values[i] <= sign * values[best]) && !Number.isNaN(values[best]))) {
        from[o] = i;
      }
    }
  });
  return { from, shape };
}
