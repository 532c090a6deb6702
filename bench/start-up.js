// @ts-check
/** From the start of a process to its first training step. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./limits.js";

const program = fileURLToPath(new URL("first-step.js", import.meta.url));

/** Milliseconds from the start of a process to the moment that it prints. @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
export function timeToFirstStep(command, args, env = process.env) {
  const start = performance.timeOrigin + performance.now();
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: "utf8", env });
  if (status !== 0) throw new Error(`${[command, ...args].join(" ")} ended with ${status}: ${stderr}`);
  return Number(stdout.trim().split("\n").at(-1)) - start;
}

/**
 * Medians of several fresh processes, in turn: the step from the package as installed, the step from one bundled file,
 * and no step at all.
 *
 * @param {number} times
 */
export function startUp(times) {
  const folder = mkdtempSync(join(tmpdir(), "distilgrad-bench-"));
  try {
    const bundled = bundle(program, join(folder, "first-step.mjs"));
    const samples = Array.from({ length: times }, () => {
      const empty = timeToFirstStep(process.execPath, [program, "nothing"]);
      return [[program], [bundled]].map((args) => {
        const ms = timeToFirstStep(process.execPath, args);
        return { ms, empty, ratio: ms / empty };
      });
    });
    return [0, 1].map((kind) => ({
      ms: median(samples.map((sample) => sample[kind].ms)),
      empty: median(samples.map((sample) => sample[kind].empty)),
      ratio: median(samples.map((sample) => sample[kind].ratio)),
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One minified file, made by the bundler that size-limit brings. @param {string} from @param {string} to */
function bundle(from, to) {
  const { resolve } = createRequire(import.meta.url);
  const { buildSync } = createRequire(resolve("@size-limit/esbuild"))("esbuild");
  buildSync({
    entryPoints: [from],
    outfile: to,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
  });
  return to;
}
