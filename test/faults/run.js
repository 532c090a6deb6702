// @ts-check
/**
 * `npm run faults`: whether the tests notice. Each seeded fault is put into the source, in memory only, and the tests that
 * should fail are run. `-- --only relu-kink,beta-missing` chooses, `--all-tests` runs every test with each, `--json`
 * prints the same as data.
 */
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import { runProgram, UsageError } from "../../bench/options.js";
import { readOptions } from "./options.js";

/** @typedef {import("./fault.ts").Fault} Fault */
/** @typedef {{ name: string, file: string, caughtBy: string | null, seconds: number, trouble?: string }} Outcome */
/** @typedef {{ name: string, message: string, assertionResults: { status: string, fullName: string }[] }} FileReport */

const pathOf = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const root = pathOf("../../");
/** In seconds, and far more than is needed: what is not done then never will be. */
const LIMITS = { allTests: 900, someTests: 120 };

await runProgram(async () => {
  const { module } = await runnerImport(pathOf("faults.ts"), { configFile: false, logLevel: "error" });
  const { faults } = /** @type {{ faults: Fault[] }} */ (module);
  const { chosen, json, allTests } = readOptions(process.argv.slice(2), faults);
  await requireSoundTests([...new Set(chosen.flatMap(({ tests }) => tests))]);

  const start = Date.now();
  const width = (/** @type {"name" | "file"} */ field) =>
    Math.max(...chosen.map((fault) => fault[field].length));
  const [names, files] = [width("name"), width("file")];
  /** @type {Outcome[]} */
  const outcomes = [];
  let shown = 0;
  await inParallel(chosen, async (fault, i) => {
    outcomes[i] = await outcomeOf(fault, allTests);
    for (; outcomes[shown] && !json; shown++) {
      const { name, file, caughtBy, seconds, trouble } = outcomes[shown];
      const what = caughtBy ?? (trouble ? `COULD NOT RUN: ${trouble}` : "SURVIVED");
      console.log(
        `${name.padEnd(names)}  ${file.padEnd(files)}  ${seconds.toFixed(1).padStart(5)} s  ${what}`,
      );
    }
  });

  const caught = outcomes.filter(({ caughtBy }) => caughtBy !== null).length;
  const seconds = Math.round((Date.now() - start) / 1000);
  if (json) console.log(JSON.stringify({ caught, of: outcomes.length, seconds, outcomes }, null, 2));
  else console.log(`\n${caught} of ${outcomes.length} caught, in ${seconds} s`);
  if (caught < outcomes.length) process.exitCode = 1;
});

/** A test that fails anyway would catch everything. @param {readonly string[]} tests */
async function requireSoundTests(tests) {
  const { failed, trouble } = await runTests(tests, LIMITS.allTests);
  if (failed.length > 0) throw new UsageError(`without any fault these fail:\n  ${failed.join("\n  ")}`);
  if (trouble) throw new UsageError(`without any fault the tests could not run: ${trouble}`);
}

/** @param {Fault} fault @param {boolean} allTests @returns {Promise<Outcome>} */
async function outcomeOf({ name, file, tests, named }, allTests) {
  const start = performance.now();
  const chosen = allTests ? [] : [...tests, ...(named === undefined ? [] : ["-t", named])];
  const limit = allTests ? LIMITS.allTests : LIMITS.someTests;
  const { failed, trouble } = await runTests([...chosen, "--bail", "1", "--maxWorkers", "1"], limit, name);
  const seconds = (performance.now() - start) / 1000;
  return { name, file, caughtBy: failed[0] ?? null, seconds, ...(trouble && { trouble }) };
}

/**
 * Runs tests with one fault or with none, and says which failed; `trouble` is why none did though something is wrong.
 *
 * @param {readonly string[]} args for vitest
 * @param {number} limit in seconds
 * @param {string} [fault]
 * @returns {Promise<{ failed: string[], trouble?: string }>}
 */
function runTests(args, limit, fault) {
  const vitest = [`${root}node_modules/vitest/vitest.mjs`, "run", "--config", pathOf("vitest.config.ts")];
  // In threads, so that a killed process leaves nothing behind.
  const settings = ["--project", "SIMD", "--pool", "threads", "--reporter", "json"];
  const env = { ...process.env, DISTILGRAD_FAULT: fault };
  const options = {
    cwd: root,
    env,
    timeout: 1000 * limit,
    killSignal: /** @type {const} */ ("SIGKILL"),
    maxBuffer: 1e9,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [...vitest, ...settings, ...args], options, (error, stdout, stderr) => {
      if (error?.killed) resolve({ failed: [], trouble: `no end after ${limit} s` });
      else resolve(verdictOf(stdout, stderr, error !== null));
    });
  });
}

/** @param {string} stdout @param {string} stderr @param {boolean} unsound whether vitest found anything wrong */
function verdictOf(stdout, stderr, unsound) {
  const firstLine = (/** @type {string} */ text) => text.trim().split("\n")[0];
  if (!stdout.startsWith("{")) return { failed: [], trouble: firstLine(stderr) };
  /** @type {FileReport[]} */
  const reports = JSON.parse(stdout).testResults;
  const tests = reports.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ status, fullName }) => ({
      status,
      title: `${relative(root, name)}: ${firstLine(fullName)}`,
    })),
  );
  const failed = tests.filter(({ status }) => status === "failed").map(({ title }) => title);
  if (failed.length > 0) return { failed };
  if (unsound) {
    const message = reports.map((file) => file.message).find((text) => text !== "") ?? stderr;
    return { failed, trouble: firstLine(message) };
  }
  const ran = tests.some(({ status }) => status === "passed");
  return ran ? { failed } : { failed, trouble: "no test has such a name" };
}

/**
 * Works on as many items at a time as there are processors.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T, index: number) => Promise<void>} work
 */
async function inParallel(items, work) {
  const entries = items.entries();
  const worker = async () => {
    for (const [i, item] of entries) await work(item, i);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
