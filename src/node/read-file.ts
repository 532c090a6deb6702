/** Floor 5: files that are read, and named where they are not what they should be. */
import { readFileSync } from "node:fs";
import { DistilgradError } from "../errors.ts";

/** What `read` makes of a file's bytes. What it refuses is refused with the file's path. */
export function readFrom<T>(where: string, path: string, read: (bytes: Uint8Array) => T): T {
  const bytes = readFileSync(path);
  try {
    return read(bytes);
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    throw new DistilgradError(error.code, `${where}: ${path}: ${error.message}`);
  }
}
