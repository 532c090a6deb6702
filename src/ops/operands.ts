/** Floor 2: what ops ask of their operands before any loop runs. */
import { DistilgradError } from "../errors.ts";
import { broadcastShapes, formatShape, sameShape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { broadcastTo } from "./broadcast-to.ts";

export interface Rows {
  readonly rows: number;
  readonly cols: number;
}

/** Views a tensor as a matrix whose rows run along its last axis, which must not be empty. */
export function rowsOf(op: string, x: Tensor): Rows {
  kernelsOf(op, x);
  const cols = x.shape.at(-1);
  if (!cols) {
    throw new DistilgradError(
      "shape",
      `${op}: expected a last axis with at least one entry, got ${formatShape(x.shape)}`,
    );
  }
  return { rows: x.size / cols, cols };
}

/** The same for a loss, which is a mean over rows and so needs one. */
export function lossRowsOf(op: string, name: string, x: Tensor): Rows {
  const found = rowsOf(op, x);
  if (found.rows === 0 || x.shape.length !== 2) {
    const hint = x.shape.length > 2 ? `; reshape them to [${found.rows}, ${found.cols}]` : "";
    throw new DistilgradError(
      "shape",
      `${op}: expected ${name} [rows, classes] with at least one row, got ${formatShape(x.shape)}${hint}`,
    );
  }
  return found;
}

/** Losses never broadcast: [32] against [32, 1] would silently compare every pair. */
export function requireSameShape(op: string, aName: string, a: Tensor, bName: string, b: Tensor): void {
  kernelsOf(op, a, b);
  if (!sameShape(a.shape, b.shape)) {
    throw new DistilgradError(
      "shape",
      `${op}: ${aName} and ${bName} must have the same shape, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
}

/** The same for a loss over elements, which is a mean and so needs one. */
export function requireComparable(op: string, aName: string, a: Tensor, bName: string, b: Tensor): void {
  requireSameShape(op, aName, a, bName, b);
  if (a.size === 0) {
    throw new DistilgradError("shape", `${op}: expected at least one value, got ${formatShape(a.shape)}`);
  }
}

/** How far a row of probabilities may be from summing to 1: wide enough for figures given to two decimals. */
export const sumTolerance = 0.02;

/** Requires rows of probabilities: none negative, each row summing to 1. Logits that were passed by mistake fail here. */
export function requireProbabilities(op: string, name: string, x: Tensor, { rows, cols }: Rows): void {
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * cols; i < (row + 1) * cols; i++) {
      if (x.data[i] < 0) {
        throw new DistilgradError(
          "value",
          `${op}: ${name} are probabilities, got ${x.data[i]} in row ${row}; are these logits? Apply softmax first`,
        );
      }
      sum += x.data[i];
    }
    if (Math.abs(sum - 1) > sumTolerance) {
      throw new DistilgradError(
        "value",
        `${op}: ${name} must sum to 1 in every row, got ${sum} in row ${row}; are these logits? Apply softmax first`,
      );
    }
  }
}

/** Both operands in the shape that they broadcast to; the same tensors when their shapes are equal. */
export function broadcastOperands(op: string, a: Tensor, b: Tensor): readonly [Tensor, Tensor] {
  kernelsOf(op, a, b);
  if (sameShape(a.shape, b.shape)) return [a, b];
  const shape = broadcastShapes(op, a.shape, b.shape);
  return [broadcastTo(a, shape), broadcastTo(b, shape)];
}
