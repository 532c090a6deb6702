/** Floor 0: pooling by maximum, class b. Knows windows on planes; refuses to know how many channels share them. */
import type { Floats, Kernels } from "./kernels.ts";
import { convolutional } from "./wasm/convolutional.ts";
import type { Windows } from "./windows.ts";

/** Room for as many positions, where a set has its buffers; to be overwritten as a whole. */
export function positions(kernels: Kernels, size: number): Int32Array {
  const { buffer, byteOffset } = kernels.room(Math.ceil((4 * size) / kernels.bytesPerElement));
  return new Int32Array(buffer, byteOffset, size);
}

/**
 * y = the largest value of each window, and `taken` = where in x it stands. Of equal values the first in row-major order
 * is taken, of several NaN the first; the padding never.
 */
export function maxPool(
  kernels: Kernels,
  y: Floats,
  taken: Int32Array,
  x: Floats,
  vertical: Windows,
  horizontal: Windows,
): void {
  const plane = vertical.length * horizontal.length;
  const done = kernels.simd?.run(convolutional, [y, taken], [y, taken, x], (programs, y, taken, at) => {
    const axes = [vertical, horizontal].flatMap(({ length, count, taps, stride, padding }) => [
      length,
      count,
      taps,
      stride,
      padding,
    ]);
    programs.maxPool(y, taken, at, x.length / plane, ...axes);
  });
  if (done) return;
  for (let start = 0, at = 0; start < x.length; start += plane) {
    for (let u = 0; u < vertical.count; u++) {
      const [top, bottom] = spanOf(vertical, u);
      for (let v = 0; v < horizontal.count; v++, at++) {
        const [left, right] = spanOf(horizontal, v);
        let best = start + top * horizontal.length + left;
        for (let i = top; i < bottom; i++) {
          const line = start + i * horizontal.length;
          for (let j = line + left; j < line + right; j++) {
            const max = x[best];
            // Greater or NaN, and nothing after a NaN; without a branch, as half of the predictions would fail.
            const wins = Number(!(x[j] <= max)) & Number(!Number.isNaN(max));
            best += (j - best) * wins;
          }
        }
        y[at] = x[best];
        taken[at] = best;
      }
    }
  }
}

/** The positions of a window, from the first up to, but not including, the last: those that lie within the axis. */
function spanOf({ taps, stride, padding, length }: Windows, window: number): readonly [number, number] {
  const first = window * stride - padding;
  return [Math.max(first, 0), Math.min(first + taps, length)];
}

/** dx += dy where it was taken from, in ascending order */
export function addTaken(kernels: Kernels, dx: Floats, taken: Int32Array, dy: Floats): void {
  const done = kernels.simd?.run(convolutional, [dx], [dx, taken, dy], (programs, dx, taken, at) =>
    programs.addTaken(dx, taken, at, dy.length),
  );
  if (!done) for (let i = 0; i < dy.length; i++) dx[taken[i]] += dy[i];
}
