/** Floor 5: files that are there whole or not at all. */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file so that whoever looks, also after a crash, finds the old one or the new one and never a part.
 *
 * A new file in the same folder is opened exclusively, written, flushed and closed; then it takes the name, and the folder
 * is flushed. An error of the system, such as a full disk, comes through as it is: the old file stays, the new one goes.
 * A process that is killed may leave behind a file `.name.….tmp`. A link of that name is replaced, not followed.
 *
 * @see POSIX.1-2017, rename: an existing file of the new name is replaced in one step
 */
export function writeFileAtomically(path: string, bytes: Uint8Array): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(8).toString("hex")}.tmp`);
  try {
    const file = openSync(temporary, "wx");
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  flushFolder(folder);
}

/** Makes the new name last. Windows can't open a folder, and writes names through. */
function flushFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
