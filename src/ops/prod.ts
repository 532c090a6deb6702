import { requireOptions } from "../arguments.ts";
import { sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { forEachRun } from "./broadcasting.ts";
import { reductionOf } from "./reduction.ts";
import type { ReductionOptions } from "./sum.ts";

/**
 * The product over some axes, or over all.
 *
 *     y   = Π x
 *     dxᵢ = Π x before i · Π x after i · dy
 *
 * Not y / x, which a zero makes NaN: beside one zero only that entry has a gradient, beside two none has. Products run
 * in float64 and are rounded once. The product of nothing is 1.
 *
 * @param axes an axis or a list, −1 being the last; all of them when left out
 */
export function prod(x: Tensor, axes?: number | readonly number[], options: ReductionOptions = {}): Tensor {
  const k = kernelsOf("prod", x);
  requireOptions("prod", options, ["keepAxes"]);
  const { keepAxes = false } = options;
  const { kept, shape } = reductionOf("prod", x.shape, axes, keepAxes);
  const values = x.data;
  const products = new Float64Array(sizeOf(kept)).fill(1);
  forEachRun(kept, x.shape, (start, at, length, step) => {
    for (let i = start, o = at; i < start + length; i++, o += step) products[o] *= values[i];
  });
  const y = k.alloc(products.length);
  y.set(products);
  return record("prod", y, shape, [
    wrt(x, (dx, dy) => {
      const before = new Float64Array(values.length);
      const running = new Float64Array(dy.length).fill(1);
      forEachRun(kept, x.shape, (start, at, length, step) => {
        for (let i = start, o = at; i < start + length; i++, o += step) {
          before[i] = running[o];
          running[o] *= values[i];
        }
      });
      // Counted from the end, entries and results belong together as they do from the start: the same walk goes back.
      running.fill(1);
      forEachRun(kept, x.shape, (start, at, length, step) => {
        let o = dy.length - 1 - at;
        for (let i = values.length - 1 - start, n = 0; n < length; n++, i--, o -= step) {
          dx[i] += before[i] * running[o] * dy[o];
          running[o] *= values[i];
        }
      });
    }),
  ]);
}
