/** Floor 3: comma-separated values. Knows text, not where it comes from nor what its fields mean. */
import { DistilgradError } from "../errors.ts";
import { isDecimal } from "./decimal.ts";
import { shown } from "./shown.ts";

/** The fields of a file as they were written, quotes removed. */
export interface CsvTable {
  /** The names in the header, or "column 1", "column 2" … where there is none. */
  readonly columns: readonly string[];
  /** All rows but the header; each has as many fields as there are columns. */
  readonly rows: readonly (readonly string[])[];
  /** The line on which each row starts, counted from 1. */
  readonly lines: readonly number[];
}

export interface CsvSettings {
  /** What stands between two fields: one character, neither a quote nor a line end. Default ",". */
  readonly separator?: string;
  /**
   * Whether the first row names the columns. Default "auto": it does if some field of it is text where the second
   * row has a number. If it has numbers of its own besides, it may as well be a row with a typing error: that is
   * refused, and the caller decides.
   */
  readonly header?: boolean | "auto";
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Reads a table from text, character by character.
 *
 * A field in quotes may hold separators, line ends and doubled quotes. Lines end with CRLF, LF or CR, the last
 * one's end may be missing; a byte order mark is dropped; blank lines are skipped, so a single empty field in a row
 * of its own is written "". Spaces belong to their field.
 *
 * @throws `data`, with the line, for rows of different lengths, a quote inside a field without quotes, text after a
 *   closing quote, a quote that is never closed, no row at all, two columns of one name, a first row that may or
 *   may not be a header; `value` for another separator
 * @see RFC 4180, Common Format and MIME Type for CSV Files (2005), §2
 */
export function parseCsv(text: string, settings: CsvSettings = {}): CsvTable {
  const { separator = ",", header = "auto" } = settings;
  const { rows, lines } = split(text, requireSeparator(separator));
  if (rows.length === 0) throw broken("expected at least one row, got none");
  for (let i = 1; i < rows.length; i++) {
    if (rows[i].length !== rows[0].length) {
      throw broken(
        `line ${lines[i]}: expected ${count(rows[0].length, "field")} as on line ${lines[0]}, got ${rows[i].length}`,
      );
    }
  }
  if (!(header === "auto" ? looksLikeHeader(rows, lines) : header)) {
    return { columns: rows[0].map((_, i) => `column ${i + 1}`), rows, lines };
  }
  const columns = rows[0];
  for (let i = 1; i < columns.length; i++) {
    const first = columns.indexOf(columns[i]);
    if (first < i) {
      throw broken(
        `line ${lines[0]}: header names must differ, got ${shown(columns[i])} for columns ${first + 1} and ${i + 1}`,
      );
    }
  }
  return { columns, rows: rows.slice(1), lines: lines.slice(1) };
}

/** Rows of fields, with the line on which each row starts; no row is checked against another. */
function split(text: string, separator: number): { rows: string[][]; lines: number[] } {
  const rows: string[][] = [];
  const lines: number[] = [];
  let line = 1;
  let at = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  /** Past one line end, CRLF being one. */
  const endLine = (): void => {
    at += text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF ? 2 : 1;
    line++;
  };
  /** From an opening quote past its closing one. */
  const quoted = (): string => {
    const opened = line;
    let field = "";
    let start = ++at;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === CR || code === LF) endLine();
      else if (code !== QUOTE) at++;
      else if (text.charCodeAt(at + 1) === QUOTE) {
        field += text.slice(start, at + 1);
        start = at += 2;
      } else return field + text.slice(start, at++);
    }
    throw broken(`line ${opened}: expected a closing quote, got the end of the text`);
  };
  /** Up to the next separator or line end. */
  const plain = (): string => {
    const start = at;
    let end = start;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === separator || code === CR || code === LF) break;
      if (code === QUOTE) {
        throw broken(
          `line ${line}: expected no quote inside a field without quotes, got one after ${shown(text.slice(start, end))}; put the field in quotes and double the quote`,
        );
      }
    }
    at = end;
    return text.slice(start, end);
  };

  while (at < text.length) {
    const first = text.charCodeAt(at);
    if (first === CR || first === LF) {
      endLine();
      continue;
    }
    const row: string[] = [];
    rows.push(row);
    lines.push(line);
    for (;;) {
      const inQuotes = text.charCodeAt(at) === QUOTE;
      row.push(inQuotes ? quoted() : plain());
      if (at >= text.length) break;
      const code = text.charCodeAt(at);
      if (code === CR || code === LF) {
        endLine();
        break;
      }
      if (code !== separator) {
        throw broken(
          `line ${line}: expected a separator or a line end after a closing quote, got ${shown(String.fromCodePoint(text.codePointAt(at) as number))}`,
        );
      }
      at++;
    }
  }
  return { rows, lines };
}

function requireSeparator(separator: string): number {
  const code = separator.length === 1 ? separator.charCodeAt(0) : QUOTE;
  if (code === QUOTE || code === CR || code === LF || code === BYTE_ORDER_MARK) {
    throw new DistilgradError(
      "value",
      `parseCsv: separator must be one character, neither a quote nor a line end, got ${shown(separator)}`,
    );
  }
  return code;
}

function looksLikeHeader(rows: readonly (readonly string[])[], lines: readonly number[]): boolean {
  if (rows.length < 2) return false;
  const [first, second] = rows;
  const text = first.findIndex((field, i) => field !== "" && !isDecimal(field) && isDecimal(second[i]));
  if (text === -1) return false;
  const number = first.find(isDecimal);
  if (number !== undefined) {
    throw broken(
      `line ${lines[0]}: expected a header or a row, got ${shown(first[text])} like a name and ${shown(number)} like a value; pass header: true or header: false`,
    );
  }
  return true;
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

const broken = (what: string): DistilgradError => new DistilgradError("data", `parseCsv: ${what}`);
