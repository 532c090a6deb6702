// @ts-check
/**
 * `npm run bench`: what steps, products, loops and predictions cost on this machine, each beside a limit measured in the
 * same run. `-- --only W1,products` chooses, `--rounds 5` repeats, `--plain` takes the plain JavaScript set, `--fused`
 * the one with fused multiplications and additions, `--json` prints the same as data.
 */
import { cpus } from "node:os";
import { accelerate, Linear, plainFloat32 } from "distilgrad";
import { groups } from "./groups.js";
import { createLimits } from "./limits.js";
import { measure } from "./measure.js";
import { readOptions, runProgram, UsageError } from "./options.js";
import { short, table, time } from "./table.js";

/** @typedef {import("./measure.js").Result} Result */

await runProgram(async () => {
  const { chosen, rounds, given } = readOptions(process.argv.slice(2), {
    names: Object.keys(groups),
    rounds: 11,
    flags: ["json", "plain", "fused"],
  });
  if (given.fused) fuse();
  // SIMD comes with the first layer of a program.
  const kernels = given.plain ? plainFloat32 : new Linear(1, 1).weight.kernels;
  const limits = createLimits();
  /** @type {{ group: string, title: string, results: Result[] }[]} */
  const measured = [];
  for (const group of chosen) {
    const { title, rows } = groups[group];
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${group}: ${title}`);
    measured.push({ group, title, results: await measure(rows(kernels), rounds, limits) });
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");

  const machine = { node: process.version, cpu: cpus()[0]?.model.trim() ?? "unknown", kernels: kernels.name };
  if (given.json) console.log(JSON.stringify({ ...machine, rounds, groups: measured }, null, 2));
  else {
    console.log(
      `Node ${machine.node}, ${machine.cpu}, kernels ${machine.kernels}, one thread, ${rounds} rounds\n`,
    );
    console.log(table([["", "median", "rate", "limit", "ratio"], null, ...measured.flatMap(linesOf)]));
  }
});

/** Not every engine has the instruction. */
function fuse() {
  try {
    accelerate({ fused: true });
  } catch (error) {
    throw new UsageError(`--fused: ${/** @type {Error} */ (error).message}`);
  }
}

/** @param {{ group: string, title: string, results: Result[] }} group @returns {(string | string[])[]} */
function linesOf({ group, title, results }) {
  return [`${group}: ${title}`, ...results.map(lineOf)];
}

/** @param {Result} result @returns {string[]} */
function lineOf({ name, value, unit, rate, limit, limitValue, ratio }) {
  const figure = (/** @type {number} */ x) => (unit === "ms" ? time(x) : `${(x / 1e3).toFixed(1)} kB`);
  const cells = [`  ${name}`, figure(value)];
  if (rate === undefined) return [...cells, "", `${figure(limitValue)}: ${limit}`, `${short(ratio)} ×`];
  const per = limit === "copy" ? "GB/s" : "GFLOP/s";
  return [
    ...cells,
    `${short(rate)} ${per}`,
    `${short(limitValue)} ${per}: ${limit}`,
    `${(100 * ratio).toFixed(ratio < 0.1 ? 1 : 0)} %`,
  ];
}
