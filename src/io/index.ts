export {
  type CsvSettings,
  type CsvTable,
  type LabelledTable,
  type LabelSettings,
  labelledTable,
  parseCsv,
} from "./csv.ts";
