/** Floor 0: class labels, whole numbers that index classes. Knows no tensors. */
import { kindOf } from "./arguments.ts";
import { DistilgradError } from "./errors.ts";

/**
 * Requires one label a row, each a whole number in [0, classes), before any loop runs on them.
 *
 * @param ignored a label that is allowed besides, such as −1 for "none"
 * @param firstRow what messages call the first row
 */
export function requireLabels(
  where: string,
  labels: ArrayLike<number>,
  rows: number,
  classes: number,
  ignored?: number,
  firstRow = 0,
): void {
  if (typeof labels?.length !== "number") {
    throw new DistilgradError(
      "labels",
      `${where}: expected labels as an array, the index of each row's class, got ${kindOf(labels)}`,
    );
  }
  if (labels.length !== rows) {
    const hint =
      labels.length === rows * classes ? "; these look one-hot: pass the index of each row's class" : "";
    throw new DistilgradError(
      "labels",
      `${where}: expected one label for each of ${rows} rows, got ${labels.length}${hint}`,
    );
  }
  for (let row = 0; row < rows; row++) {
    const label = labels[row];
    if (label === ignored) continue;
    if (typeof label !== "number" || label !== Math.floor(label)) {
      const hint = Array.isArray(label) ? "; pass the index of each row's class, not one-hot rows" : "";
      throw new DistilgradError(
        "labels",
        `${where}: labels are whole numbers, got ${kindOf(label)} at row ${firstRow + row}${hint}`,
      );
    }
    if (label < 0 || label >= classes) {
      throw new DistilgradError(
        "labels",
        `${where}: label ${label} at row ${firstRow + row} is outside [0, ${classes})`,
      );
    }
  }
}
