// @ts-check
/**
 * `npm run proof`: what is proved, with its figures of today. It runs all tests, compares derivatives once more to say how
 * closely they agree, and asks whether the tests notice seeded faults. `-- --without-faults` leaves the last out, which
 * takes most of the time; with DISTILGRAD_DEEP=1 the functions of one value are taken at every float32.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { runProgram, UsageError } from "../../bench/options.js";
import { table } from "../../bench/table.js";

/** @typedef {{ name: string, assertionResults: { status: string, fullName: string, meta?: Record<string, unknown> }[] }} FileReport */

const pathOf = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const root = pathOf("../../");
const say = (/** @type {string} */ text) => console.log(`${text}\n`);
/** @param {number} count */
const counted = (count) => count.toLocaleString("en");

await runProgram(async () => {
  const { withoutFaults } = options();
  const reports = suite();
  say(testsOf(reports));
  say(functionsOf(reports));
  say(await gradients());
  say(await laws());
  if (!withoutFaults) faults();
});

function options() {
  try {
    const { values } = parseArgs({ options: { "without-faults": { type: "boolean", default: false } } });
    return { withoutFaults: values["without-faults"] };
  } catch (error) {
    throw new UsageError(`${/** @type {Error} */ (error).message}; the option is --without-faults`);
  }
}

/** All tests. @returns {FileReport[]} */
function suite() {
  const folder = mkdtempSync(join(tmpdir(), "distilgrad-proof-"));
  try {
    const file = join(folder, "tests.json");
    const { status } = run(
      "node_modules/vitest/vitest.mjs",
      "run",
      "--reporter=json",
      `--outputFile=${file}`,
    );
    const reports = /** @type {FileReport[]} */ (JSON.parse(readFileSync(file, "utf8")).testResults);
    if (status === 0) return reports;
    const failed = reports.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName),
    );
    throw new UsageError(
      `these tests fail, so nothing is proved:\n  ${failed.join("\n  ") || "none was run"}`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {string} program @param {string[]} args */
function run(program, ...args) {
  const stdio = /** @type {import("node:child_process").StdioOptions} */ (["ignore", "ignore", "inherit"]);
  return spawnSync(process.execPath, [join(root, program), ...args], { cwd: root, stdio });
}

/** How many tests there are of what. @param {readonly FileReport[]} reports */
function testsOf(reports) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { name, assertionResults } of reports) {
    const [, folder, file] = relative(root, name).split(/[\\/]/);
    const area = file === undefined ? "laws, graph and numbers" : folder;
    const passed = assertionResults.filter(({ status }) => status === "passed").length;
    counts.set(area, (counts.get(area) ?? 0) + passed);
  }
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([area, n]) => [area, counted(n)]);
  const all = [...counts.values()].reduce((a, b) => a + b);
  return table([["Tests, all of which pass", ""], null, ...rows, null, ["", counted(all)]]);
}

/** @param {readonly FileReport[]} reports */
function functionsOf(reports) {
  const rows = reports
    .flatMap(({ assertionResults }) => assertionResults)
    .flatMap(({ meta }) =>
      meta?.sweep ? [/** @type {import("./sweep.ts").SweepFigures} */ (meta.sweep)] : [],
    )
    .map(({ name, inputs, float64, float32, misrounded }) => [
      name,
      counted(inputs),
      float64.toFixed(3),
      float32.toFixed(7),
      counted(misrounded),
    ]);
  return table([
    ["Functions of one value", "inputs", "float64, ULP", "float32, ULP", "not the nearest float32"],
    null,
    ...rows,
  ]);
}

async function gradients() {
  const { module } = await runnerImport(pathOf("gradients.ts"), { configFile: false, logLevel: "error" });
  const { agreements } = /** @type {typeof import("./gradients.ts")} */ (module);
  const found = agreements(40);
  /** @param {"cases" | "entries" | "directions"} field */
  const sum = (field) => counted(found.reduce((total, one) => total + one[field], 0));
  const nearest = [...found].sort((a, b) => b.worst - a.worst).slice(0, 5);
  return [
    `Gradients of ${found.length} ops, on ${sum("cases")} drawn cases: ${sum("entries")} entries of Jacobians and ${sum("directions")}`,
    "directions agree with fourth-order differences within 1e-9 + 1e-8 · max |J|. Nearest to that limit:",
    ...nearest.map(({ op, worst }) => `  ${op.padEnd(28)} ${(100 * worst).toFixed(2)} % of it`),
  ].join("\n");
}

async function laws() {
  const { module } = await runnerImport(pathOf("laws.ts"), { configFile: false, logLevel: "error" });
  const { extremeValues, lawsByGroup } = /** @type {typeof import("./laws.ts")} */ (module);
  const rows = Object.entries(lawsByGroup).map(([group, list]) => [
    group,
    String(list.length),
    list.map(({ number }) => number).join(" "),
  ]);
  const all = Object.values(lawsByGroup).flat().length;
  return table([
    ["Laws", "", ""],
    null,
    ...rows,
    null,
    ["", String(all), `and ${extremeValues.length} kinds of extreme values, on both kernel sets`],
  ]);
}

/** Prints as it goes, and fails where a fault survives. */
function faults() {
  say("Seeded faults, and the test that notices each:");
  const { status } = spawnSync(process.execPath, [join(root, "test/faults/run.js")], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) process.exitCode = 1;
}
