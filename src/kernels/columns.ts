/**
 * Floor 0: planes as columns. Convolution is a product once each of its windows has become a column,
 *
 *     columns[(c, i, j), (u, v)] = plane c at tap (i, j) of window (u, v), 0 where that lies in the padding
 *
 * rows in the order of channel, vertical tap, horizontal tap.
 *
 * @see Chellapilla, Puri & Simard, High performance convolutional neural networks for document processing (2006),
 *   "unrolling convolution"
 */
import type { Floats } from "./kernels.ts";
import { tapAlong, type Windows } from "./windows.ts";

/** How the planes of one size become columns. */
export interface Unrolling {
  readonly vertical: Windows;
  readonly horizontal: Windows;
  /**
   * Four numbers for each tap: where the first window that has it inside the plane stands among the columns of a plane,
   * which position of the plane that is, and for how many rows and columns of windows it is inside. Taps that lie in the
   * padding of every window are left out.
   */
  readonly taps: Int32Array;
}

export function unrolling(vertical: Windows, horizontal: Windows): Unrolling {
  const taps: number[] = [];
  for (let i = 0, row = 0; i < vertical.taps; i++) {
    const [u, y, rows] = tapAlong(vertical, i);
    for (let j = 0; j < horizontal.taps; j++, row += vertical.count * horizontal.count) {
      const [v, x, cols] = tapAlong(horizontal, j);
      if (rows > 0 && cols > 0) {
        taps.push(row + u * horizontal.count + v, y * horizontal.length + x, rows, cols);
      }
    }
  }
  return { vertical, horizontal, taps: Int32Array.from(taps) };
}

/**
 * columns = the windows of planes. What lies in the padding is left as it is: it is the same for all planes of one
 * size, and 0 in a fresh buffer.
 */
export function toColumns(columns: Floats, planes: Floats, unrolling: Unrolling): void {
  const step = unrolling.horizontal.stride;
  forEachRow(planes.length, unrolling, (column, position, cols) => {
    for (let i = 0; i < cols; i++, position += step) columns[column + i] = planes[position];
  });
}

/** planes += each value of the columns where it came from, taps in ascending order: the adjoint of `toColumns`. */
export function addColumns(planes: Floats, columns: Floats, unrolling: Unrolling): void {
  const step = unrolling.horizontal.stride;
  forEachRow(planes.length, unrolling, (column, position, cols) => {
    for (let i = 0; i < cols; i++, position += step) planes[position] += columns[column + i];
  });
}

/** Visits each row of windows at each tap of each plane: where it is among the columns and in the planes. */
function forEachRow(
  size: number,
  { vertical, horizontal, taps }: Unrolling,
  visit: (column: number, position: number, cols: number) => void,
): void {
  const line = vertical.stride * horizontal.length;
  const rowsOfPlane = vertical.taps * horizontal.taps * vertical.count * horizontal.count;
  for (
    let plane = 0, first = 0;
    plane < size;
    plane += vertical.length * horizontal.length, first += rowsOfPlane
  ) {
    for (let t = 0; t < taps.length; t += 4) {
      let [column, position] = [first + taps[t], plane + taps[t + 1]];
      for (let u = 0; u < taps[t + 2]; u++, column += horizontal.count, position += line) {
        visit(column, position, taps[t + 3]);
      }
    }
  }
}
