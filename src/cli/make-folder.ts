/** Floor 6: folders that are to be written to. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { printable } from "./printable.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Makes a folder and those above it, as far as there are none.
 *
 * One by one, as Node's own way, `recursive`, never ends where the system says ENOENT of a folder whose parent is there,
 * as Linux does below /proc.
 */
export function makeFolder(path: string): void {
  const above = dirname(path);
  if (above !== path && !existsSync(above)) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // It may have been there, or another process has made it now.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/**
 * Makes a folder if there is none.
 *
 * @param option which names it, such as `--save`
 * @throws UsageError when there can be none, or one that can be neither read nor written to
 */
export function makeUsableFolder(option: string, path: string): void {
  try {
    makeFolder(path);
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = ["EEXIST", "ENOTDIR"].includes(code)
      ? "is a file, not a folder"
      : `cannot be used (${code})`;
    throw new UsageError(`${option}: ${printable(path)}: ${reason}`, { cause: error });
  }
}
