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
  const { vertical, horizontal } = unrolling;
  const width = horizontal.count;
  const step = horizontal.stride;
  const line = vertical.stride * horizontal.length;
  // With as many windows as positions, in steps of one, a tap of all windows is the plane itself, moved: one run in
  // memory, but for the padding between two rows, into which comes what left the plane on its other side.
  const joined = vertical.stride === 1 && step === 1 && width === horizontal.length;
  forEachTap(planes.length, unrolling, (column, position, rows, cols) => {
    if (joined) {
      const run = (rows - 1) * width + cols;
      columns.set(planes.subarray(position, position + run), column);
      for (let gap = column + cols; gap < column + run; gap += width) {
        for (let i = gap; i < gap + width - cols; i++) columns[i] = 0;
      }
    } else {
      for (let u = 0; u < rows; u++) {
        copyRow(columns, column + u * width, planes, position + u * line, step, cols);
      }
    }
  });
}

/** planes += each value of the columns where it came from, taps in ascending order: the adjoint of `toColumns`. */
export function addColumns(planes: Floats, columns: Floats, unrolling: Unrolling): void {
  const { vertical, horizontal } = unrolling;
  const step = horizontal.stride;
  const line = vertical.stride * horizontal.length;
  forEachTap(planes.length, unrolling, (column, position, rows, cols) => {
    for (let u = 0; u < rows; u++) {
      addRow(planes, position + u * line, step, columns, column + u * horizontal.count, cols);
    }
  });
}

function copyRow(
  columns: Floats,
  to: number,
  planes: Floats,
  from: number,
  step: number,
  cols: number,
): void {
  for (let i = 0; i < cols; i++, from += step) columns[to + i] = planes[from];
}

function addRow(planes: Floats, to: number, step: number, columns: Floats, from: number, cols: number): void {
  for (let i = 0; i < cols; i++, to += step) planes[to] += columns[from + i];
}

/** Visits each tap of each plane, with the four numbers that `taps` has for it, among all columns and all planes. */
function forEachTap(
  size: number,
  { vertical, horizontal, taps }: Unrolling,
  visit: (column: number, position: number, rows: number, cols: number) => void,
): void {
  const columns = vertical.taps * horizontal.taps * vertical.count * horizontal.count;
  for (let plane = 0, row = 0; plane < size; plane += vertical.length * horizontal.length, row += columns) {
    for (let t = 0; t < taps.length; t += 4)
      visit(row + taps[t], plane + taps[t + 1], taps[t + 2], taps[t + 3]);
  }
}
