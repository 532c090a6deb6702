import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistilgradError, type ErrorCode } from "../../src/errors.ts";
import { type CsvSettings, type CsvTable, parseCsv } from "../../src/io/csv.ts";
import * as io from "../../src/io/index.ts";
import { labelledTable } from "../../src/io/labelled-table.ts";

function refuses(run: () => unknown, code: ErrorCode, message: string): void {
  let error: unknown;
  try {
    run();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(DistilgradError);
  expect((error as DistilgradError).message).toBe(message);
  expect((error as DistilgradError).code).toBe(code);
}

/** Rows of a text without a header. */
const rows = (text: string, settings: CsvSettings = {}) =>
  parseCsv(text, { header: false, ...settings }).rows;

describe("parseCsv", () => {
  it("reads fields between separators, empty ones too", () => {
    expect(rows("a,b,c\n,,\nd, e ,")).toEqual([
      ["a", "b", "c"],
      ["", "", ""],
      ["d", " e ", ""],
    ]);
  });

  it("reads quoted fields with separators, line ends and doubled quotes", () => {
    expect(rows('"a,b","say ""yes""","two\nlines"\n"","""",x')).toEqual([
      ["a,b", 'say "yes"', "two\nlines"],
      ["", '"', "x"],
    ]);
    expect(rows('"a\r\nb\rc",d')).toEqual([["a\r\nb\rc", "d"]]);
  });

  it("takes CRLF, LF and CR as line ends, and a last line with or without one", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      for (const last of ["", end]) {
        expect(rows(`1,2${end}3,"4"${end}"5",6${last}`)).toEqual([
          ["1", "2"],
          ["3", "4"],
          ["5", "6"],
        ]);
      }
    }
  });

  it("skips blank lines, but not a row of one empty quoted field", () => {
    expect(parseCsv('\n\na\r\n\r\n""\n\n', { header: false })).toEqual({
      columns: ["column 1"],
      rows: [["a"], [""]],
      lines: [3, 5],
    });
  });

  it("drops a byte order mark at the start and only there", () => {
    expect(rows("\ufeff1,\ufeff2")).toEqual([["1", "\ufeff2"]]);
    expect(rows('\ufeff"1",2')).toEqual([["1", "2"]]);
  });

  it("splits at another separator, and then not at a comma", () => {
    expect(rows("1,5;2\t3\n4;5", { separator: ";" })).toEqual([
      ["1,5", "2\t3"],
      ["4", "5"],
    ]);
    expect(rows('a\t"b\tc"', { separator: "\t" })).toEqual([["a", "b\tc"]]);
  });

  it("knows the line on which each row starts", () => {
    expect(parseCsv('a,"1\n2\r\n3"\r\nb,c\r\rd,e', { header: false }).lines).toEqual([1, 4, 6]);
  });

  it("takes column names from the header where it is told so", () => {
    expect(parseCsv("1,2\n3,4", { header: true })).toEqual({
      columns: ["1", "2"],
      rows: [["3", "4"]],
      lines: [2],
    });
    expect(parseCsv("x,y", { header: true })).toEqual({ columns: ["x", "y"], rows: [], lines: [] });
    expect(parseCsv("x,y\n3,4", { header: false }).columns).toEqual(["column 1", "column 2"]);
  });

  it("finds a header by text that stands above a number", () => {
    const isHeader = (text: string): boolean => parseCsv(text).lines[0] === 2;
    expect(isHeader("width,height,kind\n1.5,2,rose\n")).toBe(true);
    expect(isHeader(",width,kind\n0,1.5,rose\n")).toBe(true);
    expect(isHeader("width,kind\n1.5,\n")).toBe(true);
    expect(isHeader("1.5,2,rose\n2,3,tulip\n")).toBe(false);
    expect(isHeader("1,2\n3,4\n")).toBe(false);
    expect(isHeader("1,,rose\n3,4,tulip\n")).toBe(false);
    expect(isHeader("a,b\nc,d\n")).toBe(false);
    expect(isHeader("a,b\n")).toBe(false);
  });

  it("refuses to guess where the first row has both text above a number and a number", () => {
    refuses(
      () => parseCsv("\n0,1,kind\n1.5,2,0\n"),
      "data",
      'parseCsv: line 2: expected a header or a row, got "kind" like a name and "0" like a value; pass header: true or header: false',
    );
  });

  it("refuses rows of different lengths, naming the line", () => {
    refuses(
      () => parseCsv('a,"b\n"\n1,2,3'),
      "data",
      "parseCsv: line 3: expected 2 fields as on line 1, got 3",
    );
    refuses(() => parseCsv("\na\n1,2"), "data", "parseCsv: line 3: expected 1 field as on line 2, got 2");
  });

  it("refuses a quote that is never closed, naming the line that opens it", () => {
    refuses(
      () => parseCsv('a,b\n1,"2\n3,4\n'),
      "data",
      "parseCsv: line 2: expected a closing quote, got the end of the text",
    );
    refuses(
      () => parseCsv('"'),
      "data",
      "parseCsv: line 1: expected a closing quote, got the end of the text",
    );
  });

  it("refuses text after a closing quote, naming its line", () => {
    refuses(
      () => parseCsv('a,"b\nc"d,e'),
      "data",
      'parseCsv: line 2: expected a separator or a line end after a closing quote, got "d"',
    );
    refuses(
      () => parseCsv('"a"😀'),
      "data",
      'parseCsv: line 1: expected a separator or a line end after a closing quote, got "😀"',
    );
  });

  it("refuses a quote inside a field without quotes", () => {
    refuses(
      () => parseCsv('a,b\n5" pipe,2'),
      "data",
      'parseCsv: line 2: expected no quote inside a field without quotes, got one after "5"; put the field in quotes and double the quote',
    );
  });

  it("refuses a text without rows", () => {
    for (const text of ["", "\ufeff", "\n\r\n\r"]) {
      refuses(() => parseCsv(text), "data", "parseCsv: expected at least one row, got none");
    }
  });

  it("refuses two columns of one name", () => {
    refuses(
      () => parseCsv("\nx,y,x\n1,2,3"),
      "data",
      'parseCsv: line 2: header names must differ, got "x" for columns 1 and 3',
    );
  });

  it("refuses a separator that is not one character or has another meaning", () => {
    const expected = "parseCsv: separator must be one character, neither a quote nor a line end, got ";
    for (const separator of ["", ",,", '"', "\n", "\r"]) {
      refuses(() => parseCsv("1", { separator }), "value", expected + JSON.stringify(separator));
    }
  });

  it("reads back any table that is written with quotes where they are needed", () => {
    const letters = [
      "a",
      "1",
      ".",
      "-",
      "e",
      " ",
      ",",
      ";",
      "\t",
      '"',
      "\n",
      "\r",
      "é",
      "😀",
      "\ufeff",
      "\0",
    ];
    const field = fc.array(fc.constantFrom(...letters), { maxLength: 5 }).map((parts) => parts.join(""));
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((columns) =>
        fc.array(fc.array(field, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 6 }),
      );
    const separators = fc.constantFrom(",", ";", "\t");
    const ends = fc.constantFrom("\n", "\r\n", "\r");
    fc.assert(
      fc.property(
        table,
        separators,
        ends,
        fc.boolean(),
        fc.boolean(),
        (written, separator, end, all, last) => {
          const quote = (text: string, alone: boolean): string => {
            const needed = [separator, '"', "\n", "\r", "\ufeff"].some((special) => text.includes(special));
            return all || needed || (alone && text === "") ? `"${text.replaceAll('"', '""')}"` : text;
          };
          const text = written
            .map((row) => row.map((one) => quote(one, row.length === 1)).join(separator))
            .join(end);
          expect(rows(text + (last ? end : ""), { separator })).toEqual(written);
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  it("reads any text or refuses it with an error of its own", () => {
    const letters = fc.constantFrom("a", "1", ",", '"', "\n", "\r");
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 12 }), (parts) => {
        try {
          const { columns, rows, lines } = parseCsv(parts.join(""));
          expect(rows.length).toBe(lines.length);
          for (const row of rows) expect(row.length).toBe(columns.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DistilgradError);
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe("labelledTable", () => {
  const flowers = parseCsv("width,height,kind\n1.5,2,rose\n3,-4e1,tulip\n5,6,\n7,8,rose\n");

  it("splits a table into rows of features and labels", () => {
    expect(labelledTable(flowers, { label: "kind" })).toEqual({
      values: Float32Array.of(1.5, 2, 3, -40, 5, 6, 7, 8),
      rows: 4,
      features: 2,
      featureNames: ["width", "height"],
      labels: Int32Array.of(0, 1, -1, 0),
      classNames: ["rose", "tulip"],
    });
  });

  it("finds the label's column by position, by name and by number", () => {
    const table = parseCsv("1,2,3\n4,5,6\n");
    const features = (label: string | number) => [...labelledTable(table, { label }).values];
    expect(features("first")).toEqual([2, 3, 5, 6]);
    expect(features("column 2")).toEqual([1, 3, 4, 6]);
    expect(features(1)).toEqual([1, 3, 4, 6]);
    expect(features("last")).toEqual([1, 2, 4, 5]);
    expect(labelledTable(table, { label: 1 }).featureNames).toEqual(["column 1", "column 3"]);
  });

  const classes = (...labels: string[]) => {
    const rows = labels.map((label) => ["0", label]);
    const table: CsvTable = { columns: ["x", "label"], rows, lines: rows.map((_, i) => i + 1) };
    const { classNames, labels: indices } = labelledTable(table, { label: "last" });
    labels.forEach((label, i) => {
      expect(label === "" ? -1 : classNames.indexOf(label)).toBe(indices[i]);
    });
    return classNames;
  };

  it("sorts classes by value if all are whole numbers", () => {
    expect(classes("10", "9", "0", "2", "9")).toEqual(["0", "2", "9", "10"]);
    expect(classes("18446744073709551616", "18446744073709551615", "")).toEqual([
      "18446744073709551615",
      "18446744073709551616",
    ]);
  });

  it("sorts classes by code unit if any is something else", () => {
    expect(classes("10", "9", "b", "B", "ä")).toEqual(["10", "9", "B", "b", "ä"]);
    expect(classes("10", "9", "01")).toEqual(["01", "10", "9"]);
    expect(classes("10", "9", "-1")).toEqual(["-1", "10", "9"]);
    expect(classes("10", "9", "1.0")).toEqual(["1.0", "10", "9"]);
    expect(classes("toString", "__proto__", "constructor")).toEqual(["__proto__", "constructor", "toString"]);
  });

  it("takes a table without any label", () => {
    expect(classes("", "")).toEqual([]);
  });

  const value = (field: string): number => {
    const table: CsvTable = { columns: ["x", "label"], rows: [[field, "a"]], lines: [7] };
    return labelledTable(table, { label: "last" }).values[0];
  };

  it("reads decimal numbers, rounded to float32", () => {
    const cases: [string, number][] = [
      ["0", 0],
      ["-0", -0],
      ["+7", 7],
      ["007", 7],
      ["5.", 5],
      [".5", 0.5],
      ["-.5e+1", -5],
      ["1E3", 1000],
      ["0.1", Math.fround(0.1)],
      ["1e-999", 0],
      ["3.4028234e38", 3.4028234663852886e38],
    ];
    for (const [field, expected] of cases) expect(value(field), field).toBe(expected);
  });

  it("reads back every float32 that JavaScript writes", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        // String(-0) is "0".
        expect(value(String(x))).toBe(x === 0 ? 0 : x);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("refuses whatever is not a decimal number, naming line and column", () => {
    const fields = [
      "abc",
      "0x10",
      "NaN",
      "Infinity",
      "-",
      "+",
      ".",
      "e5",
      "1e",
      "1e+",
      "--1",
      "1.2.3",
      "1,5",
    ];
    for (const field of [...fields, " 1", "1 ", "1_000", "1n", "0b1", "١", "1e5.0", "\n"]) {
      refuses(
        () => value(field),
        "data",
        `labelledTable: line 7, column "x": expected a number, got ${JSON.stringify(field)}`,
      );
    }
    refuses(
      () => value("z".repeat(99)),
      "data",
      `labelledTable: line 7, column "x": expected a number, got "${"z".repeat(40)}…"`,
    );
  });

  it("refuses an empty feature, naming line and column", () => {
    refuses(
      () => labelledTable(parseCsv("x,y,kind\n1,2,a\n\n3,,b\n"), { label: "kind" }),
      "data",
      'labelledTable: line 4, column "y": expected a number, got an empty field',
    );
  });

  it("refuses a number that float32 cannot hold", () => {
    for (const field of ["1e999", "-1e39", "3.4028236e38"]) {
      refuses(
        () => value(field),
        "data",
        `labelledTable: line 7, column "x": expected a number within float32, got "${field}"`,
      );
    }
  });

  it("refuses a table without features or without rows", () => {
    refuses(
      () => labelledTable(parseCsv("1;2\n3;4\n"), { label: "last" }),
      "data",
      "labelledTable: expected at least one column besides the label, got none; is it another separator?",
    );
    refuses(
      () => labelledTable(parseCsv("x,kind\n", { header: true }), { label: "last" }),
      "data",
      "labelledTable: expected at least one row, got none",
    );
  });

  it("refuses a label column that does not exist", () => {
    for (const label of [3, -1, 0.5, Number.NaN]) {
      refuses(
        () => labelledTable(flowers, { label }),
        "value",
        `labelledTable: label column ${label} is outside [0, 3)`,
      );
    }
    refuses(
      () => labelledTable(flowers, { label: "Kind" }),
      "value",
      'labelledTable: label must be a column, one of "width", "height", "kind", got "Kind"',
    );
    refuses(
      () => labelledTable(parseCsv("1,2,3,4,5,6,7,8,9\n"), { label: "y" }),
      "value",
      `labelledTable: label must be a column, one of ${[1, 2, 3, 4, 5, 6, 7, 8].map((i) => `"column ${i}"`).join(", ")} …, got "y"`,
    );
  });
});

describe("io", () => {
  it("offers the readers under one name", () => {
    expect(Object.keys(io)).toEqual(expect.arrayContaining(["parseCsv", "labelledTable"]));
    expect(io.parseCsv).toBe(parseCsv);
  });
});
