// @ts-check
/**
 * Runs tests again and again, each time with another fault: vitest starts once, and reads again only what a fault
 * changes. `run.js` forks it, sends a `Job` and waits for the `Verdict`, as often as it likes.
 */
import { fileURLToPath } from "node:url";
import { createVitest } from "vitest/node";

/**
 * @typedef {object} Job
 * @property {string} [fault] its name
 * @property {string} [file] the one that it changes
 * @property {readonly string[]} tests files; all there are where the list is empty
 * @property {string} [named] which of their tests
 */
/** @typedef {{ failed: string[], trouble?: string }} Verdict which tests failed, or why none was there to fail */

const pathOf = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const firstLine = (/** @type {string} */ text) => text.trim().split("\n")[0];

/** What is heard of the run that goes on. */
const heard = {
  /** @type {string[]} */ failed: [],
  /** @type {string[]} */ errors: [],
  passed: 0,
};

const starting = createVitest("test", {
  config: pathOf("vitest.config.ts"),
  project: ["SIMD"],
  watch: false,
  bail: 1,
  // In threads, so that a process that is killed leaves nothing behind.
  pool: "threads",
  maxWorkers: 1,
  reporters: [
    {
      onTestCaseResult(test) {
        const { state } = test.result();
        if (state === "failed")
          heard.failed.push(`${test.module.relativeModuleId}: ${firstLine(test.fullName)}`);
        if (state === "passed") heard.passed++;
      },
      onTestModuleEnd(module) {
        for (const { message } of module.errors()) heard.errors.push(firstLine(message));
      },
    },
  ],
});

/** The file with the fault of the job before. */
let changed = "";

/** @param {Job} job @returns {Promise<Verdict>} */
async function verdictOn({ fault = "", file = "", tests, named }) {
  const vitest = await starting;
  process.env.DISTILGRAD_FAULT = fault;
  for (const path of [changed, file]) if (path !== "") vitest.invalidateFile(pathOf(`../../${path}`));
  changed = file;
  if (named === undefined) vitest.resetGlobalTestNamePattern();
  else vitest.setGlobalTestNamePattern(named);
  Object.assign(heard, { failed: [], errors: [], passed: 0 });
  await vitest.runTestSpecifications(await vitest.globTestSpecifications([...tests]));
  const { failed, errors, passed } = heard;
  if (failed.length > 0 || (errors.length === 0 && passed > 0)) return { failed };
  return { failed, trouble: errors[0] ?? "there is no such test" };
}

process.on("message", async (/** @type {Job} */ job) => {
  process.send?.(await verdictOn(job).catch((error) => ({ failed: [], trouble: firstLine(String(error)) })));
});
process.on("disconnect", () => process.exit());
