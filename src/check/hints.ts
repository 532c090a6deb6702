/** Annex: what a wrong gradient looks like. Knows the two Jacobians of one input; a hint states what is true of them. */
import { sizeOf } from "../shape.ts";
import { factorHint } from "./factors.ts";
import type { Jacobian } from "./jacobians.ts";

/** One sentence on the pattern of the error, or null when there is none that is known. */
export function hintOf(jacobian: Jacobian): string | null {
  const { backward, difference } = jacobian;
  let scale = 0;
  for (let k = 0; k < backward.length; k++) {
    scale = Math.max(scale, Math.abs(backward[k]), Math.abs(difference[k]));
  }
  // A hundred times what an entry may be off, so that entries which just pass count as equal.
  const tolerance = 1e-7 + 1e-6 * scale;
  const equal = (a: number, b: number): boolean => Math.abs(a - b) <= tolerance;
  if (backward.every((value, k) => equal(value, difference[k]))) return null;
  for (const pattern of [constant, identity, factorHint, transposed, adjoint, summed, incomplete]) {
    const hint = pattern(jacobian, equal);
    if (hint !== null) return hint;
  }
  return null;
}

/** A statement that is true of the Jacobians, or null. */
type Pattern = (jacobian: Jacobian, equal: (a: number, b: number) => boolean) => string | null;

const constant: Pattern = ({ backward, difference }, equal) => {
  if (backward.every((value) => value === 0)) return "backward is 0 everywhere: the pullback adds nothing";
  if (!difference.every((value) => equal(value, 0))) return null;
  return "the difference is 0 everywhere: the function is constant around these inputs, like a rounding, and backward is not its derivative";
};

const identity: Pattern = ({ backward, shape }) => {
  const size = sizeOf(shape);
  if (size < 2 || backward.length !== size * size) return null;
  if (!backward.every((value, k) => value === (k % (size + 1) === 0 ? 1 : 0))) return null;
  return "backward hands the cotangent on as it is: the derivative itself is missing from the pullback";
};

/** The gradient's last two axes are exchanged: its buffer is filled as if it were the transpose. */
const transposed: Pattern = ({ backward, difference, shape }, equal) => {
  const [rows, columns] = shape.slice(-2);
  if (shape.length < 2 || rows === 1 || columns === 1) return null;
  const matrix = rows * columns;
  const agrees = difference.every((value, k) => {
    const inside = k % matrix;
    const [row, column] = [Math.floor(inside / columns), inside % columns];
    return equal(backward[k - inside + column * rows + row], value);
  });
  return agrees ? "backward gives the transpose of the gradient, its last two axes exchanged" : null;
};

/** J u instead of Jᵀu, where outputs and inputs are equally many. */
const adjoint: Pattern = ({ backward, difference, shape }, equal) => {
  const size = sizeOf(shape);
  if (size < 2 || backward.length !== size * size) return null;
  const agrees = difference.every((value, k) => {
    const j = k % size;
    return equal(backward[j * size + (k - j) / size], value);
  });
  return agrees
    ? "backward multiplies by the Jacobian where its transpose belongs; is a factor to be transposed?"
    : null;
};

/** Each entry is given the sum over an axis of what its neighbours and it should have. */
const summed: Pattern = ({ backward, difference, shape }, equal) => {
  for (const [axis, length] of shape.entries()) {
    if (length === 1) continue;
    const stride = sizeOf(shape.slice(axis + 1));
    const agrees = backward.every((value, k) => {
      const first = k - (Math.floor(k / stride) % length) * stride;
      let sum = 0;
      for (let i = 0; i < length; i++) sum += difference[first + i * stride];
      return equal(value, sum);
    });
    if (agrees)
      return `backward gives each entry the sum over axis ${axis}, where each needs its own share only`;
  }
  return null;
};

/** Every entry of backward's Jacobian is right or 0: some contributions are missing. */
const incomplete: Pattern = ({ backward, difference, shape }, equal) => {
  const size = sizeOf(shape);
  const outputs = backward.length / size;
  const columns = Array.from({ length: size }, () => ({ wanted: 0, kept: 0, last: -1 }));
  for (let k = 0; k < backward.length; k++) {
    const column = columns[k % size];
    if (equal(difference[k], 0)) {
      if (!equal(backward[k], 0)) return null;
      continue;
    }
    column.wanted++;
    if (equal(backward[k], difference[k])) {
      column.kept++;
      column.last = Math.floor(k / size);
    } else if (!equal(backward[k], 0)) return null;
  }
  const off = columns.filter(({ wanted, kept }) => kept < wanted);
  const right = columns.filter(({ wanted, kept }) => wanted > 0 && kept === wanted);
  if (off.some(({ wanted, kept }) => wanted < 2 || kept === 0)) return null;
  const assigned = off.every(({ kept }) => kept === 1);
  if (right.length > 0) {
    if (!assigned || right.some(({ wanted }) => wanted > 1)) return null;
    return "backward is off only at entries that are used more than once, and keeps one contribution of each: is there an = where += belongs?";
  }
  if (assigned && off.every(({ last }) => last >= outputs - size)) {
    return "backward keeps only the last of the contributions to each entry: is there an = where += belongs?";
  }
  const [{ wanted, kept }] = off;
  if (off.some((column) => column.wanted !== wanted || column.kept !== kept)) return null;
  return `backward keeps ${kept} of the ${wanted} contributions to each entry: is the sum over a broadcast axis missing?`;
};
