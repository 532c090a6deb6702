/** Floor 6: a saved network as the teacher of a table's rows as they stand. Its scale is its own affair. */
import type { Dataset } from "../data/dataset.ts";
import { predictLogits } from "../distill/evaluate.ts";
import type { Teacher } from "../distill/teacher.ts";
import { tensor } from "../factories.ts";
import type { LabelledTable } from "../io/labelled-table.ts";
import { sha256 } from "../sha256.ts";
import { inputsOf, labelsOf } from "./match-table.ts";
import { readNetwork } from "./network-file.ts";
import { readBytes } from "./read-table.ts";

export interface TableTeacher {
  /** What messages call it. */
  readonly file: string;
  /** Answers rows with the table's columns, on the table's scale. */
  readonly teacher: Teacher;
  /** The SHA-256 of its file: weights, scale, classes and features. */
  readonly teacherName: string;
  readonly classNames: readonly string[];
}

/** @throws UsageError when the file holds no network, or one with other features or without one of the classes */
export async function readTableTeacher(
  path: string,
  name: string,
  table: LabelledTable,
): Promise<TableTeacher> {
  const network = await readNetwork(path);
  const { file, model, description } = network;
  labelsOf(network, name, table, []);
  inputsOf(network, name, table, [0]);
  return {
    file,
    teacher(x) {
      const rows = { ...table, values: Float32Array.from(x.data), rows: x.shape[0] };
      return predictLogits(model, inputsOf(network, name, rows, [...Array(rows.rows).keys()]));
    },
    teacherName: `file sha256:${sha256(await readBytes(path))}`,
    classNames: description.classes,
  };
}

/** The rows by which stored answers are found: values as the table has them, whatever is made of them in a training. */
export const rowsOf = ({ values, rows, features }: LabelledTable): Pick<Dataset, "x"> => ({
  x: tensor(values, { shape: [rows, features] }),
});
