/** Floor 6: a table of texts in aligned columns. Knows widths; what the texts say, not. */
import type { Paint, Style } from "./paint.ts";

export interface Column {
  /** Two lines, the first may be empty. */
  readonly title: readonly [string, string];
  readonly align: "left" | "right";
}

/** A text, painted if it has a style. */
export type Cell = string | { readonly text: string; readonly style: Style };

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);

/**
 * Lines in which columns start and end alike, a rule above and below the rows. Two spaces stand between columns, or one where two would be
 * wider than `width`.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  paint: Paint,
): string[] {
  const widths = columns.map(({ title }, j) =>
    Math.max(...title.map((line) => line.length), ...rows.map((row) => textOf(row[j]).length)),
  );
  const total = widths.reduce((sum, each) => sum + each, 0);
  const gap = total + 2 * (columns.length - 1) <= width ? "  " : " ";
  const pad = (text: string, j: number): string =>
    columns[j].align === "left" ? text.padEnd(widths[j]) : text.padStart(widths[j]);
  const line = (cells: readonly Cell[]): string =>
    cells
      .map((cell, j) => {
        const padded = pad(textOf(cell), j);
        return typeof cell === "string" ? padded : paint(cell.style, padded);
      })
      .join(gap)
      .trimEnd();
  const bold = (titles: readonly string[]): string => line(titles.map((text) => ({ text, style: "bold" })));
  const rule = paint("dim", "─".repeat(total + gap.length * (columns.length - 1)));
  return [
    bold(columns.map(({ title }) => title[0])),
    bold(columns.map(({ title }) => title[1])),
    rule,
    ...rows.map(line),
    rule,
  ];
}
