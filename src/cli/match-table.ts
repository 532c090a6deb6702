/** Floor 6: a table as a saved network understands it: its columns in the network's order, its classes by name. */
import { unlabelled } from "../data/dataset.ts";
import { tensor } from "../factories.ts";
import type { LabelledTable } from "../io/labelled-table.ts";
import type { Tensor } from "../tensor.ts";
import { counted } from "./model-names.ts";
import { listed } from "./nearest-name.ts";
import type { SavedNetwork } from "./network-file.ts";
import { shortened } from "./printable.ts";
import { UsageError } from "./usage-error.ts";

/** How many names an error lists. */
const FEW = 8;

/**
 * What a network is to be asked about these rows: features in its order and on its scale, `[rows, features]`.
 *
 * Columns are matched by name. Where one of both has no header, they are taken as they stand.
 *
 * @param name what messages call the table
 * @throws UsageError on another number of features, and on other names
 */
export function inputsOf(
  { file, description, standardizer }: SavedNetwork,
  name: string,
  table: LabelledTable,
  rows: ArrayLike<number>,
): Tensor {
  const columns = columnsFor(file, description.features, name, table);
  const values = new Float32Array(rows.length * columns.length);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    for (const column of columns) values[at++] = table.values[rows[i] * table.features + column];
  }
  const x = tensor(values, { shape: [rows.length, columns.length] });
  return standardizer ? standardizer.apply(x) : x;
}

/** Which of the table's features each of the network's is. */
function columnsFor(
  file: string,
  wanted: readonly string[],
  name: string,
  { featureNames }: LabelledTable,
): number[] {
  if (featureNames.length !== wanted.length) {
    const hint =
      featureNames.length === wanted.length - 1 ? "; is the column of the classes there? (--label)" : "";
    throw new UsageError(
      `${name}: expected ${counted(wanted.length, "feature")} and a column of classes, as ${file} has it, got ${counted(featureNames.length, "feature")} and one${hint}`,
    );
  }
  if (haveNoHeader(featureNames) || haveNoHeader(wanted)) return [...wanted.keys()];
  const missing = wanted.filter((each) => !featureNames.includes(each));
  if (missing.length > 0) {
    const besides = featureNames.filter((each) => !wanted.includes(each));
    throw new UsageError(
      `${name}: lacks the feature${missing.length > 1 ? "s" : ""} ${few(missing)} of ${file} and has ${few(besides)} instead; name the columns alike, or leave out the header`,
    );
  }
  return wanted.map((each) => featureNames.indexOf(each));
}

/** What columns are called where the first row does not name them; the label's number may be missing anywhere. */
const haveNoHeader = (names: readonly string[]): boolean =>
  names.every((name, i) => name === `column ${i + 1}` || name === `column ${i + 2}`);

/**
 * The labels of these rows as places among the network's classes, −1 for a row without a label.
 *
 * @throws UsageError on a class that the network does not know, wherever in the table it is
 */
export function labelsOf(
  { file, description: { classes } }: SavedNetwork,
  name: string,
  { labels, classNames }: LabelledTable,
  rows: ArrayLike<number>,
): Int32Array {
  const places = classNames.map((each) => classes.indexOf(each));
  const unknown = classNames.filter((_, i) => places[i] === -1);
  if (unknown.length > 0) {
    throw new UsageError(
      `${name}: ${file} knows the classes ${few(classes)}, and not ${few(unknown)}; is it the right column? (--label)`,
    );
  }
  return Int32Array.from({ length: rows.length }, (_, i) => places[labels[rows[i]]] ?? unlabelled);
}

/**
 * Logits of a network in the order of another's classes.
 *
 * @throws UsageError when the two do not know the same classes
 */
export function inOrderOf(first: SavedNetwork, other: SavedNetwork, logits: Tensor): Tensor {
  const [wanted, own] = [first.description.classes, other.description.classes];
  const places = wanted.map((each) => own.indexOf(each));
  if (own.length !== wanted.length || places.includes(-1)) {
    throw new UsageError(
      `${other.file}: expected the classes of ${first.file}, ${few(wanted)}, got ${few(own)}`,
    );
  }
  const rows = logits.shape[0];
  const data = new Float32Array(logits.size);
  for (let row = 0; row < rows; row++) {
    for (const [to, from] of places.entries()) {
      data[row * own.length + to] = logits.data[row * own.length + from];
    }
  }
  return tensor(data, { shape: logits.shape });
}

/** The first of some names, and how many more there are. */
export function few(names: readonly string[]): string {
  const shown = names.slice(0, FEW).map((name) => `"${shortened(name)}"`);
  if (names.length > FEW) shown.push(`${names.length - FEW} more`);
  return listed(shown);
}
