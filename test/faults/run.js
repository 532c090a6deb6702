// @ts-check
/**
 * `npm run faults`: whether the tests notice. Each seeded fault is put into the source, in memory only, and the tests that
 * should fail are run. `-- --only relu-kink,beta-missing` chooses, `--all-tests` runs every test with each, `--json`
 * prints the same as data.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import { runProgram, UsageError } from "../../bench/options.js";
import { readOptions } from "./options.js";

/** @typedef {import("./fault.ts").Fault} Fault */
/** @typedef {import("./server.js").Job} Job */
/** @typedef {import("./server.js").Verdict} Verdict */
/** @typedef {(job: Job) => Promise<Verdict>} Server */
/** @typedef {{ name: string, file: string, caughtBy: string | null, seconds: number, trouble?: string }} Outcome */

const pathOf = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));

await runProgram(async () => {
  const { module } = await runnerImport(pathOf("faults.ts"), { configFile: false, logLevel: "error" });
  const { faults } = /** @type {{ faults: Fault[] }} */ (module);
  const { chosen, json, allTests } = readOptions(process.argv.slice(2), faults);
  // In seconds, and far more than is needed: what is not done then never will be.
  const servers = Array.from({ length: availableParallelism() }, () => createServer(allTests ? 900 : 120));

  const start = Date.now();
  await requireSoundTests(servers, [...new Set(chosen.flatMap(({ tests }) => tests))]);
  const width = (/** @type {"name" | "file"} */ field) =>
    Math.max(...chosen.map((fault) => fault[field].length));
  const [names, files] = [width("name"), width("file")];
  /** @type {Outcome[]} */
  const outcomes = [];
  let shown = 0;
  await share(servers, chosen, async (server, fault, i) => {
    outcomes[i] = await outcomeOf(server, fault, allTests);
    for (; outcomes[shown] && !json; shown++) {
      const { name, file, caughtBy, seconds, trouble } = outcomes[shown];
      const what = caughtBy ?? (trouble ? `COULD NOT RUN: ${trouble}` : "SURVIVED");
      console.log(
        `${name.padEnd(names)}  ${file.padEnd(files)}  ${seconds.toFixed(1).padStart(5)} s  ${what}`,
      );
    }
  });
  const seconds = Math.round((Date.now() - start) / 1000);

  const caught = outcomes.filter(({ caughtBy }) => caughtBy !== null).length;
  if (json) console.log(JSON.stringify({ caught, of: outcomes.length, seconds, outcomes }, null, 2));
  else console.log(`\n${caught} of ${outcomes.length} caught, in ${seconds} s`);
  process.exitCode = caught === outcomes.length ? 0 : 1;
});

/**
 * A test that fails anyway would catch everything.
 *
 * @param {readonly Server[]} servers
 * @param {readonly string[]} tests
 */
async function requireSoundTests(servers, tests) {
  /** @type {string[]} */
  const wrong = [];
  await share(servers, tests, async (server, file) => {
    const { failed, trouble } = await server({ tests: [file] });
    wrong.push(...failed, ...(trouble ? [`${file}: ${trouble}`] : []));
  });
  if (wrong.length > 0) throw new UsageError(`wrong without any fault:\n  ${wrong.join("\n  ")}`);
}

/** @param {Server} server @param {Fault} fault @param {boolean} allTests @returns {Promise<Outcome>} */
async function outcomeOf(server, { name, file, tests, named }, allTests) {
  const start = performance.now();
  const chosen = allTests ? { tests: [] } : { tests, ...(named !== undefined && { named }) };
  const { failed, trouble } = await server({ fault: name, file, ...chosen });
  const seconds = (performance.now() - start) / 1000;
  return { name, file, caughtBy: failed[0] ?? null, seconds, ...(trouble && { trouble }) };
}

/**
 * A process that runs tests, one job at a time; one that does not answer is replaced. It ends with this one, which waits
 * for it no longer than for a job.
 *
 * @param {number} limit in seconds
 * @returns {Server}
 */
function createServer(limit) {
  const start = () => {
    const child = fork(pathOf("server.js"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    child.unref();
    child.channel?.unref();
    return child;
  };
  let child = start();
  return (job) =>
    new Promise((resolve) => {
      const answer = (/** @type {Verdict} */ verdict) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(verdict);
      };
      const giveUp = (/** @type {string} */ trouble) => {
        answer({ failed: [], trouble });
        child.kill("SIGKILL");
        child = start();
      };
      const timer = setTimeout(giveUp, 1000 * limit, `no end after ${limit} s`);
      child.once("message", answer);
      child.once("exit", () => giveUp("the process ended"));
      child.send(job);
    });
}

/**
 * Gives each server an item at a time.
 *
 * @template T
 * @param {readonly Server[]} servers
 * @param {readonly T[]} items
 * @param {(server: Server, item: T, index: number) => Promise<void>} work
 */
async function share(servers, items, work) {
  const entries = items.entries();
  await Promise.all(
    servers.map(async (server) => {
      for (const [i, item] of entries) await work(server, item, i);
    }),
  );
}
