import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape, requireAxes, stridesOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { forEachStridedRun } from "./strided-runs.ts";

/**
 * The same values with their axes in another order.
 *
 *     y  = x with axis axes[i] of x as its axis i
 *     dx = dy with its axes back in their places
 *
 * @param axes every axis of x once, −1 being the last: `permute(x, [0, 2, 3, 1])` takes channels to the end
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  kernelsOf("permute", x);
  const rank = x.shape.length;
  if (!Array.isArray(axes) || axes.length !== rank) {
    const got = Array.isArray(axes) ? formatShape(axes) : kindOf(axes);
    throw new DistilgradError(
      "shape",
      `permute: expected each of the ${rank} axes of ${formatShape(x.shape)} once, got ${got}`,
    );
  }
  requireAxes("permute", x.shape, axes);
  return permuted(
    "permute",
    x,
    axes.map((axis) => (axis < 0 ? axis + rank : axis)),
  );
}

/** What `permute` and `transpose` record, from axes that are known to be right. */
export function permuted(op: string, x: Tensor, axes: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  const shape = axes.map((axis) => x.shape[axis]);
  const steps = axes.map((axis) => strides[axis]);
  const values = x.data;
  const y = x.kernels.alloc(x.size);
  forEachStridedRun(shape, steps, (start, at, length, step) => {
    for (let i = 0; i < length; i++) y[start + i] = values[at + i * step];
  });
  return record(op, y, shape, [
    wrt(x, (dx, dy) =>
      forEachStridedRun(shape, steps, (start, at, length, step) => {
        for (let i = 0; i < length; i++) dx[at + i * step] += dy[start + i];
      }),
    ),
  ]);
}
