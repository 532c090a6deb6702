/** Data from files: text in, tables out; tensors to files and back. */
export { type CsvSettings, type CsvTable, parseCsv } from "./csv.ts";
export { type LabelledTable, type LabelSettings, labelledTable } from "./labelled-table.ts";
export { readSafetensors } from "./read-safetensors.ts";
export type { Integers, Safetensors } from "./safetensors.ts";
export { writeSafetensors } from "./write-safetensors.ts";
