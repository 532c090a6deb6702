/**
 * Floor 2: planes as columns. Convolution is a product once each of its windows has become a column,
 *
 *     columns[(c, i, j), (u, v)] = plane c at tap (i, j) of window (u, v), 0 where that lies in the padding
 *
 * rows in the order of channel, vertical tap, horizontal tap.
 *
 * @see Chellapilla, Puri & Simard, High performance convolutional neural networks for document processing (2006),
 *   "unrolling convolution"
 */
import type { Floats } from "../kernels/kernels.ts";
import type { Windows } from "./windows.ts";

/**
 * columns = the windows of planes. What lies in the padding is left as it is: it is the same for all planes of one
 * size, and 0 in a fresh buffer.
 */
export function toColumns(columns: Floats, planes: Floats, vertical: Windows, horizontal: Windows): void {
  const width = horizontal.count;
  const step = horizontal.stride;
  const line = vertical.stride * horizontal.length;
  // With as many windows as positions, in steps of one, a tap of all windows is the plane itself, moved: one run in
  // memory, but for the padding between two rows, into which comes what left the plane on its other side.
  const joined = vertical.stride === 1 && step === 1 && width === horizontal.length;
  forEachTap(planes.length, vertical, horizontal, (column, position, rows, cols) => {
    if (joined) {
      const run = (rows - 1) * width + cols;
      columns.set(planes.subarray(position, position + run), column);
      for (let gap = column + cols; gap < column + run; gap += width) {
        for (let i = gap; i < gap + width - cols; i++) columns[i] = 0;
      }
    } else {
      for (let u = 0; u < rows; u++)
        copyRow(columns, column + u * width, planes, position + u * line, step, cols);
    }
  });
}

/** planes += each value of the columns where it came from, taps in ascending order: the adjoint of `toColumns`. */
export function addColumns(planes: Floats, columns: Floats, vertical: Windows, horizontal: Windows): void {
  const step = horizontal.stride;
  const line = vertical.stride * horizontal.length;
  forEachTap(planes.length, vertical, horizontal, (column, position, rows, cols) => {
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

/**
 * Visits each tap of each plane: where the first window that has it inside the plane stands among the columns, which
 * position of the planes that is, and for how many rows and columns of windows it is inside.
 */
function forEachTap(
  size: number,
  vertical: Windows,
  horizontal: Windows,
  visit: (column: number, position: number, rows: number, cols: number) => void,
): void {
  const width = horizontal.length;
  for (let plane = 0, row = 0; plane < size; plane += vertical.length * width) {
    for (let i = 0; i < vertical.taps; i++) {
      const u = vertical.first[i];
      const rows = vertical.end[i] - u;
      const y = u * vertical.stride + i * vertical.dilation - vertical.padding;
      for (let j = 0; j < horizontal.taps; j++, row += vertical.count * horizontal.count) {
        const v = horizontal.first[j];
        const cols = horizontal.end[j] - v;
        const x = v * horizontal.stride + j * horizontal.dilation - horizontal.padding;
        if (rows > 0 && cols > 0) visit(row + u * horizontal.count + v, plane + y * width + x, rows, cols);
      }
    }
  }
}
