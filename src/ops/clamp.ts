import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/** At least one of the two. */
export interface ClampOptions {
  /** The smallest value left. Default: none. */
  readonly min?: number | undefined;
  /** The largest value left, not below `min`. Default: none. */
  readonly max?: number | undefined;
}

/**
 * Values cut to an interval.
 *
 *     y  = min where x < min, max where x > max, else x
 *     dx = dy where min ≤ x ≤ max, else 0        the derivative at the bounds is 1, as in PyTorch
 *
 * The bounds are first rounded to the precision of x: otherwise a float32 0.1 would count as beyond the bound 0.1 and
 * lose its gradient. NaN stays NaN.
 */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  const k = kernelsOf("clamp", x);
  requireOptions("clamp", options, ["min", "max"]);
  const { min = -Infinity, max = Infinity } = options;
  if (options.min === undefined && options.max === undefined) {
    throw new DistilgradError("value", "clamp: expected min, max or both, got neither");
  }
  for (const [name, bound] of [
    ["min", min],
    ["max", max],
  ] as const) {
    if (typeof bound !== "number" || Number.isNaN(bound)) {
      throw new DistilgradError("value", `clamp: ${name} must be a number, got ${kindOf(bound)}`);
    }
  }
  if (min > max)
    throw new DistilgradError("value", `clamp: min must not be above max, got ${min} and ${max}`);
  const bounds = k.alloc(2);
  bounds.set([min, max]);
  const [low, high] = bounds;
  const values = x.data;
  const y = k.alloc(x.size);
  for (let i = 0; i < y.length; i++) y[i] = values[i] < low ? low : values[i] > high ? high : values[i];
  return record("clamp", y, x.shape, [
    wrt(x, (dx, dy) => {
      // Written so that a NaN, which no comparison holds for, lets its gradient through.
      for (let i = 0; i < dx.length; i++) if (!(values[i] < low || values[i] > high)) dx[i] += dy[i];
    }),
  ]);
}
