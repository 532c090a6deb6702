// @ts-check
/** Lines of text as a table, and numbers as few digits. */

/**
 * Columns as wide as their widest cell; the first to the left, the others to the right. `null` is a rule, a text a line
 * across all columns.
 *
 * @param {readonly (readonly string[] | string | null)[]} rows
 */
export function table(rows) {
  const cells = rows.filter((row) => Array.isArray(row));
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const total = widths.reduce((sum, width) => sum + width + 2, -2);
  return rows
    .map((row) => {
      if (row === null) return "─".repeat(total);
      if (typeof row === "string") return row;
      return row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join("  ")
        .trimEnd();
    })
    .join("\n");
}

/** At most three digits, and no fewer than the whole part has. @param {number} value */
export function short(value) {
  if (value >= 100) return String(Math.round(value)).replace(/(?<=\d)(?=(\d{3})+$)/g, ",");
  return value.toPrecision(value >= 9.95 ? 3 : 2);
}

/** A time that is given in ms. @param {number} ms */
export function time(ms) {
  return ms >= 1 ? `${short(ms)} ms` : `${short(ms * 1e3)} µs`;
}
