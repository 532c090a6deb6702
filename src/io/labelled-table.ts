/** Floor 3: a table of texts as numbers and classes. Knows columns, not what learns from them. */
import { DistilgradError } from "../errors.ts";
import type { CsvTable } from "./csv.ts";
import { isDecimal, isWholeNumeral } from "./decimal.ts";
import { shown } from "./shown.ts";

/** Rows of numbers, each with its class. */
export interface LabelledTable {
  /** `[rows, features]`, row-major: all columns but the label's, in their order. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly features: number;
  /** The name of each feature's column. */
  readonly featureNames: readonly string[];
  /** `[rows]` indices into `classNames`; −1 where the label's field is empty: a row without a label. */
  readonly labels: Int32Array;
  /** Each label once, as it is written: by value if all are whole numbers such as 0 or 12, otherwise by code unit. */
  readonly classNames: readonly string[];
}

export interface LabelSettings {
  /**
   * Where the class stands: in the first or last column, in the column of this name, or in this column counted from 0.
   * "first" and "last" always mean the position.
   */
  readonly label: "first" | "last" | string | number;
}

/**
 * Splits a table into features, which are numbers, and labels, which are names of classes.
 *
 * A number is written in decimal: sign, digits with or without a point, exponent, nothing else. It is rounded to
 * float32.
 *
 * @throws `data`, with line and column, for a field that is no such number or too large for float32, for a table
 *   without rows or without features; `value` for a label column that does not exist
 */
export function labelledTable(table: CsvTable, { label }: LabelSettings): LabelledTable {
  const { columns, rows, lines } = table;
  const labelColumn = requireColumn(columns, label);
  const features = columns.length - 1;
  if (features === 0) {
    throw unusable("expected at least one column besides the label, got none; is it another separator?");
  }
  if (rows.length === 0) throw unusable("expected at least one row, got none");
  const values = new Float32Array(rows.length * features);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < columns.length; j++) {
      if (j === labelColumn) continue;
      const value = (values[at++] = decimal(rows[i][j]));
      if (!Number.isFinite(value)) throw unusable(notANumber(rows[i][j], lines[i], columns[j]));
    }
  }
  const classNames = sortedClasses(rows.map((row) => row[labelColumn]));
  const indices = new Map(classNames.map((name, index) => [name, index]));
  const labels = Int32Array.from(rows, (row) => indices.get(row[labelColumn]) ?? -1);
  const featureNames = columns.filter((_, j) => j !== labelColumn);
  return { values, rows: rows.length, features, featureNames, labels, classNames };
}

function requireColumn(columns: readonly string[], label: string | number): number {
  if (label === "first") return 0;
  if (label === "last") return columns.length - 1;
  if (typeof label === "number") {
    if (Number.isInteger(label) && label >= 0 && label < columns.length) return label;
    throw new DistilgradError(
      "value",
      `labelledTable: label column ${label} is outside [0, ${columns.length})`,
    );
  }
  const index = columns.indexOf(label);
  if (index >= 0) return index;
  const few = columns.slice(0, 8).map(shown).join(", ");
  throw new DistilgradError(
    "value",
    `labelledTable: label must be a column, one of ${few}${columns.length > 8 ? " …" : ""}, got ${shown(label)}`,
  );
}

function sortedClasses(labels: readonly string[]): string[] {
  const names = [...new Set(labels)].filter((name) => name !== "").sort();
  // Whole numbers without leading zeros: of two, the longer is the larger, and of one length the code units decide.
  if (names.every(isWholeNumeral)) names.sort((a, b) => a.length - b.length);
  return names;
}

/** The float32 that a field stands for: NaN if it is no number, infinite if it is too large. */
const decimal = (field: string): number => (isDecimal(field) ? Math.fround(Number(field)) : Number.NaN);

function notANumber(field: string, line: number, column: string): string {
  const place = `line ${line}, column ${shown(column)}`;
  if (field === "") return `${place}: expected a number, got an empty field`;
  return `${place}: expected a number${isDecimal(field) ? " within float32" : ""}, got ${shown(field)}`;
}

const unusable = (what: string): DistilgradError => new DistilgradError("data", `labelledTable: ${what}`);
