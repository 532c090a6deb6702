/** Floor 2: what `max` and `min` share, which differ by a sign: each result is one entry of x, and so is its gradient. */
import { requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { forEachRun } from "./broadcasting.ts";
import { reductionOf } from "./reduction.ts";
import type { ReductionOptions } from "./sum.ts";

/**
 * The entries with the largest sign · x over some axes: the first of equals; the first NaN, if there is one, wins.
 *
 * @param sign 1 for the largest entries, −1 for the smallest
 */
export function reduceToExtremes(
  op: string,
  sign: 1 | -1,
  x: Tensor,
  axes: number | readonly number[] | undefined,
  options: ReductionOptions,
): Tensor {
  const k = kernelsOf(op, x);
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
  const from = new Int32Array(x.size / count).fill(-1); // the flat index in x of each result
  forEachRun(kept, x.shape, (start, at, length, step) => {
    for (let i = start, o = at; i < start + length; i++, o += step) {
      const best = from[o];
      // Not ">": no comparison holds for a NaN, which takes the place of everything but another NaN.
      if (best === -1 || (!(sign * values[i] <= sign * values[best]) && !Number.isNaN(values[best]))) {
        from[o] = i;
      }
    }
  });
  const y = k.alloc(from.length);
  for (let o = 0; o < y.length; o++) y[o] = values[from[o]];
  return record(op, y, shape, [
    wrt(x, (dx, dy) => {
      for (let o = 0; o < dy.length; o++) dx[from[o]] += dy[o];
    }),
  ]);
}
