/** What the tests of the reports draw, and naive definitions over plain lists to compare with. */
import fc from "fast-check";
import { tensors } from "../../../src/check/fast-check/index.ts";
import { tensor } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { mean, type Row, rowsOf, sum } from "../losses/cases.ts";

export { mean, type Row, rowsOf, sum };

/** The unit roundoff of float64. */
export const u64 = 2 ** -53;
export const runs = { seed: 1, numRuns: 200 };

export const logits64 = (rows: readonly Row[]): Tensor =>
  tensor(
    rows.map((row) => [...row]),
    { kernels: float64 },
  );

export interface Labelled {
  readonly logits: Tensor;
  readonly labels: number[];
}

/** Logits in float64 with a label or −1 for each row; at least the first row has one. */
export const labelled = ({ minRows = 1, minClasses = 1, max = 3 } = {}): fc.Arbitrary<Labelled> =>
  fc
    .tuple(fc.integer({ min: minRows, max: minRows + 11 }), fc.integer({ min: minClasses, max: 5 }))
    .chain(([rows, classes]) =>
      fc.record({
        logits: tensors({ shape: [rows, classes], min: -max, max, kernels: float64 }),
        labels: fc
          .tuple(
            fc.nat({ max: classes - 1 }),
            fc.array(fc.integer({ min: -1, max: classes - 1 }), {
              minLength: rows - 1,
              maxLength: rows - 1,
            }),
          )
          .map(([first, others]) => [first, ...others]),
      }),
    );

/** The labelled rows alone. */
export const known = ({ logits, labels }: Labelled): { row: Row; label: number }[] =>
  rowsOf(logits)
    .map((row, i) => ({ row, label: labels[i] }))
    .filter(({ label }) => label !== -1);

/** The same rows in another order. */
export const permuted = ({ logits, labels }: Labelled): Labelled => {
  const rows = rowsOf(logits);
  const order = rows.map((_, i) => (7 * i + 3) % rows.length);
  const isPermutation = new Set(order).size === rows.length;
  const taken = isPermutation ? order : order.map((_, i) => rows.length - 1 - i);
  return { logits: logits64(taken.map((i) => rows[i])), labels: taken.map((i) => labels[i]) };
};

export const softmax = (row: Row): number[] => {
  const top = Math.max(...row);
  const powers = row.map((z) => Math.exp(z - top));
  return powers.map((power) => power / sum(powers));
};

export const argmax = (row: Row): number => row.indexOf(Math.max(...row));
