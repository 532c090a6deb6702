/** Floor 4: the rows whose class is known, of which reports are made. */
import { unlabelled } from "../../data/dataset.ts";
import { DistilgradError } from "../../errors.ts";
import { ordinary } from "../../kernels/ordinary.ts";
import { requireLabels } from "../../labels.ts";
import { lossRowsOf } from "../../ops/operands.ts";
import { Tensor } from "../../tensor.ts";

export interface LabelledLogits {
  /** `[rows, classes]`, at least one row, all values finite. */
  readonly logits: Tensor;
  /** A class for each of these rows. */
  readonly labels: Int32Array;
}

/**
 * The rows that have a label.
 *
 * @throws on labels that do not fit, where no row has one, and where a logit of such a row is NaN or infinite
 */
export function labelledLogits(where: string, logits: Tensor, labels: ArrayLike<number>): LabelledLogits {
  const { rows, cols } = lossRowsOf(where, "logits", logits);
  requireLabels(where, labels, rows, cols, unlabelled);
  const found: number[] = [];
  for (let row = 0; row < rows; row++) if (labels[row] !== unlabelled) found.push(row);
  if (found.length === 0) {
    throw new DistilgradError("labels", `${where}: expected at least one labelled row`);
  }
  const data = ordinary(logits.kernels, found.length * cols);
  for (const [i, row] of found.entries()) {
    requireFiniteRow(where, logits, row, "logits");
    data.set(logits.data.subarray(row * cols, (row + 1) * cols), i * cols);
  }
  return {
    logits: new Tensor(data, [found.length, cols], logits.kernels),
    labels: Int32Array.from(found, (row) => labels[row]),
  };
}

/** Requires logits without NaN and infinities: a model that diverged must not score. */
export function requireFiniteRows(where: string, logits: Tensor, name = "logits"): void {
  for (let row = 0; row < logits.shape[0]; row++) requireFiniteRow(where, logits, row, name);
}

function requireFiniteRow(where: string, { data, shape: [, cols] }: Tensor, row: number, name: string): void {
  for (let i = row * cols; i < (row + 1) * cols; i++) {
    if (data[i] - data[i] !== 0) {
      throw new DistilgradError(
        "nonfinite",
        `${where}: expected finite ${name}, got ${data[i]} at row ${row}, class ${i - row * cols}`,
      );
    }
  }
}
