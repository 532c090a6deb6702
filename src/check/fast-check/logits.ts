import fc from "fast-check";
import { float32 } from "../../kernels/float32.ts";
import type { Kernels } from "../../kernels/kernels.ts";
import type { Tensor } from "../../tensor.ts";
import { type Block, parts, simplerLists, tensorsFrom } from "./blocks.ts";
import { Shrinking } from "./shrinking.ts";
import { listsOf } from "./tensors.ts";
import { simplerOf, type ValueOptions, values } from "./values.ts";

export interface LogitsOptions extends ValueOptions {
  /** Default 1. */
  readonly minRows?: number;
  /** Default 4. */
  readonly maxRows?: number;
  /** Default 1. */
  readonly minClasses?: number;
  /** Default 5. */
  readonly maxClasses?: number;
  /** Whether half of the rows are what breaks a careless softmax: all entries equal, ties, or ±10⁴. Default false. */
  readonly extremes?: boolean;
  /** Whether an entry may be −∞, besides a finite one in its row. Default false. */
  readonly minusInfinity?: boolean;
  /** The set they live in. Default float32. */
  readonly kernels?: Kernels;
}

/** Logits `[rows, classes]` with values from a range. Shrinks to fewer rows and classes, then to simpler values. */
export function logits({
  minRows = 1,
  maxRows = 4,
  minClasses = 1,
  maxClasses = 5,
  extremes = false,
  minusInfinity = false,
  kernels = float32,
  ...range
}: LogitsOptions = {}): fc.Arbitrary<Tensor> {
  const entry = values(range);
  const blocks = fc.integer({ min: minClasses, max: maxClasses }).chain((classes) => {
    const usual = listsOf(classes, entry);
    const row = extremes ? fc.oneof(usual, extremeRows(classes, entry)) : usual;
    const rows = fc.array(minusInfinity ? withMinusInfinity(row, classes) : row, {
      minLength: minRows,
      maxLength: maxRows,
    });
    return rows.map((list): Block => ({ shape: [list.length, classes], values: list.flat() }));
  });
  const simpler = (x: number): number[] => (entry.canShrinkWithoutContext(x) ? simplerOf(entry)(x) : [0]);
  const shrinking = new Shrinking(blocks, function* (block) {
    for (const part of parts(block, 2, (axis) => (axis === 0 ? minRows : minClasses))) {
      if (hasFiniteRows(part)) yield part;
    }
    for (const list of simplerLists(block.values, simpler)) yield { shape: block.shape, values: list };
  });
  return tensorsFrom(shrinking, kernels);
}

/** A class for each of some rows, as `crossEntropy` takes them. Shrinks to class 0. */
export const labels = ({
  rows,
  classes,
}: {
  readonly rows: number;
  readonly classes: number;
}): fc.Arbitrary<number[]> => listsOf(rows, fc.nat({ max: classes - 1 }));

const extremeRows = (classes: number, entry: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
  fc.oneof(
    entry.map((x) => new Array<number>(classes).fill(x)),
    listsOf(classes, fc.constantFrom(0, 1, -1)),
    listsOf(classes, fc.constantFrom(0, 1e4, -1e4)),
  );

/** The same rows, some of whose entries are −∞, but for one. */
const withMinusInfinity = (row: fc.Arbitrary<number[]>, classes: number): fc.Arbitrary<number[]> =>
  fc
    .tuple(row, listsOf(classes, fc.boolean()), fc.nat({ max: classes - 1 }))
    .map(([list, out, finite]) =>
      list.map((x, i) => (out[i] && i !== finite ? Number.NEGATIVE_INFINITY : x)),
    );

function hasFiniteRows({ shape: [rows, classes], values: list }: Block): boolean {
  for (let row = 0; row < rows; row++) {
    if (!list.slice(row * classes, (row + 1) * classes).some(Number.isFinite)) return false;
  }
  return true;
}
