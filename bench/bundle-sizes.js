// @ts-check
/** What programs weigh once they are bundled, minified and compressed: the sizes that package.json limits. */
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @returns {{ name: string, size: number, sizeLimit: number }[]} in bytes */
export function bundleSizes() {
  const { resolve } = createRequire(import.meta.url);
  const program = join(dirname(resolve("size-limit/package.json")), "bin.js");
  const root = fileURLToPath(new URL("..", import.meta.url));
  // A size beyond its limit ends the program with an error, after it has said the sizes: here they are shown all the same.
  try {
    return JSON.parse(execFileSync(process.execPath, [program, "--json"], { cwd: root, encoding: "utf8" }));
  } catch (error) {
    const { stdout } = /** @type {{ stdout?: string }} */ (error);
    if (stdout) return JSON.parse(stdout);
    throw error;
  }
}
