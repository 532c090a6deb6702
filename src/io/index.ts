/** Data from files: text in, tables out. */
export { type CsvSettings, type CsvTable, parseCsv } from "./csv.ts";
export { type LabelledTable, type LabelSettings, labelledTable } from "./labelled-table.ts";
