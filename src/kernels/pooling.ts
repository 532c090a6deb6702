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
  const width = horizontal.length;
  const [tops, bottoms] = spansOf(vertical);
  const [lefts, rights] = spansOf(horizontal);
  for (let start = 0, at = 0; start < x.length; start += plane) {
    for (let u = 0; u < vertical.count; u++) {
      const top = start + tops[u] * width;
      const bottom = start + bottoms[u] * width;
      for (let v = 0; v < horizontal.count; v++, at++) {
        const first = lefts[v];
        const end = rights[v];
        let best = top + first;
        for (let line = top; line < bottom; line += width) {
          for (let i = line + first; i < line + end; i++) {
            const max = x[best];
            // Greater or NaN, and nothing after a NaN; without a branch, as half of the predictions would fail.
            const wins = Number(!(x[i] <= max)) & Number(!Number.isNaN(max));
            best += (i - best) * wins;
          }
        }
        y[at] = x[best];
        taken[at] = best;
      }
    }
  }
}

/** Of each window the positions within the axis: the first, and the one behind the last. */
const spansOf = ({ taps, stride, padding, length, count }: Windows): readonly [Int32Array, Int32Array] => [
  Int32Array.from({ length: count }, (_, o) => Math.max(o * stride - padding, 0)),
  Int32Array.from({ length: count }, (_, o) => Math.min(o * stride - padding + taps, length)),
];

/** dx += dy where it was taken from, in ascending order */
export function addTaken(kernels: Kernels, dx: Floats, taken: Int32Array, dy: Floats): void {
  const done = kernels.simd?.run(convolutional, [dx], [dx, taken, dy], (programs, dx, taken, at) =>
    programs.addTaken(dx, taken, at, dy.length),
  );
  if (!done) for (let i = 0; i < dy.length; i++) dx[taken[i]] += dy[i];
}
