import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape, requireAxis, type Shape, sizeOf, stridesOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { forEachStridedRun } from "./strided-runs.ts";

/**
 * A part of a tensor along one axis: from `start` up to, not including, `end`.
 *
 *     y  = x[…, start : end, …]
 *     dx[…, start : end, …] = dy, 0 elsewhere
 *
 * Places are those of JavaScript's `slice`, −1 being the last; one that the axis does not have is an error, and is not
 * moved to the nearest.
 *
 * @param axis −1 is the last
 * @param end Default: the length of the axis
 */
export function slice(x: Tensor, axis: number, start: number, end?: number): Tensor {
  const k = kernelsOf("slice", x);
  const along = requireAxis("slice", x.shape, axis);
  const from = requirePlace("start", x.shape, along, start);
  const to = end === undefined ? x.shape[along] : requirePlace("end", x.shape, along, end);
  if (from > to) {
    throw new DistilgradError(
      "shape",
      `slice: start ${start} lies behind end ${end} along axis ${along} of ${formatShape(x.shape)}`,
    );
  }
  const shape = x.shape.map((length, i) => (i === along ? to - from : length));
  const strides = stridesOf(x.shape);
  const corner = from * strides[along];
  const values = x.data;
  const y = k.alloc(sizeOf(shape));
  forEachStridedRun(shape, strides, (first, at, length, step) => {
    for (let i = 0; i < length; i++) y[first + i] = values[corner + at + i * step];
  });
  return record("slice", y, shape, [
    wrt(x, (dx, dy) =>
      forEachStridedRun(shape, strides, (first, at, length, step) => {
        for (let i = 0; i < length; i++) dx[corner + at + i * step] += dy[first + i];
      }),
    ),
  ]);
}

/** A place between the entries of an axis, counted from 0; −1 is before the last. */
function requirePlace(name: string, shape: Shape, axis: number, place: number): number {
  const length = shape[axis];
  if (!Number.isInteger(place) || place < -length || place > length) {
    throw new DistilgradError(
      "shape",
      `slice: ${name} must be a whole number from ${-length} to ${length} along axis ${axis} of ${formatShape(shape)}, got ${kindOf(place)}`,
    );
  }
  return place < 0 ? place + length : place;
}
