/** A folder of its own for every test, gone afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** Where a file of this name lies in the folder of the test that asks. */
export function pathsInAFolder(): (name?: string) => string {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "distilgrad-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return (name = ".") => join(folder, name);
}
