/** Floor 6: a configuration file: options by name as one JSON object, which the command line goes before. */
import { readFileSync } from "node:fs";
import { printable } from "./printable.ts";
import { unreadable } from "./read-table.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The entries of a configuration file, in its order.
 *
 * @throws UsageError when it cannot be read, or is no JSON object
 */
export function readConfig(path: string): [name: string, value: unknown][] {
  const name = printable(path);
  let text: string;
  try {
    text = new TextDecoder().decode(readFileSync(path)); // without a byte order mark, which no JSON begins with
  } catch (error) {
    throw unreadable(name, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${name}: is not JSON: ${printable(why)}`, { cause: error });
  }
  if (!isEntries(value)) {
    throw new UsageError(`${name}: expected one JSON object of options, such as { "temperature": 2 }`);
  }
  return Object.entries(value);
}

/** Whether a value is an object of entries, as a whole file is, or what it says to one command. */
export const isEntries = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a file says to one command: first the entries under its name, which are for it alone, then the common ones. */
export function entriesFor(command: string, entries: [name: string, value: unknown][]): typeof entries {
  const own = entries.find(([name, value]) => name === command && isEntries(value));
  return [...Object.entries(own?.[1] ?? {}), ...entries.filter((entry) => entry !== own)];
}

/** A value as it would be written on the command line: lists with commas, objects as JSON. Null: as if not given. */
export function asArgument(value: unknown): string | null {
  if (value === null || value === false) return null;
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((entry) => typeof entry !== "object")) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
