/** Floor 6: a table from a file or from standard input, or one sentence on why there is none. */
import { readFile } from "node:fs/promises";
import { DistilgradError } from "../errors.ts";
import { type CsvSettings, type CsvTable, parseCsv } from "../io/index.ts";
import { type LabelledTable, labelledTable } from "../io/labelled-table.ts";
import { printable, shortened } from "./printable.ts";
import { UsageError } from "./usage-error.ts";

/** The name that stands for standard input. */
export const STANDARD_INPUT = "-";

export interface TableSettings extends CsvSettings {
  /** `first`, `last`, a column's name, or its index from 0. */
  readonly label: string;
}

/** @throws UsageError when the file cannot be read, is no table of numbers, or lacks the label column */
export async function readTable(
  path: string,
  { label, ...csv }: TableSettings,
  readInput: () => Promise<Uint8Array>,
): Promise<LabelledTable> {
  const name = tableName(path);
  const bytes = path === STANDARD_INPUT ? await readInput() : await readBytes(path);
  try {
    const table = parseCsv(decode(name, bytes), csv);
    return labelledTable(table, { label: labelColumn(name, table, label) });
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    throw new UsageError(`${name}: ${inOptions(error.message)}`, { cause: error });
  }
}

/** What messages and reports call the table at `path`. */
export const tableName = (path: string): string =>
  printable(path === STANDARD_INPUT ? "standard input" : path);

/** A file's bytes. @throws UsageError, with its name, when there are none to be had */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(tableName(path), error);
  }
}

/** What to throw when the system does not give a file's content. */
export function unreadable(name: string, error: unknown): UsageError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "no such file",
    EISDIR: "is a folder, not a file",
    EACCES: "may not be read (permission denied)",
  };
  return new UsageError(`${name}: ${reasons[code] ?? `cannot be read (${code})`}`, { cause: error });
}

function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UsageError(`${name}: is not UTF-8 text`, { cause: error });
  }
}

/** A column of this very name goes before the index that the text may also be. */
function labelColumn(name: string, { columns }: CsvTable, label: string): number {
  const named = columns.indexOf(label);
  if (named >= 0) return named;
  if (label === "first") return 0;
  if (label === "last") return columns.length - 1;
  const index = /^\d+$/.test(label) ? Number(label) : -1;
  if (index >= 0 && index < columns.length) return index;
  const few = columns.slice(0, 12).map((column) => `"${shortened(column)}"`);
  const more = columns.length > few.length ? ` and ${columns.length - few.length} more` : "";
  throw new UsageError(
    `${name}: --label must be first, last, an index from 0 to ${columns.length - 1} or one of the columns ${few.join(", ")}${more}, got "${shortened(label)}"`,
  );
}

/** A message of the library in the words of the command line. */
function inOptions(message: string): string {
  return message
    .replace(/^(parseCsv|labelledTable): /, "")
    .replace("pass header: true or header: false", "pass --header yes or --header no")
    .replace(/is it another separator\?$/, "is it another --separator?");
}
