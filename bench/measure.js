// @ts-check
/** Times rows against their limits, in rounds, so that a slow second of the machine weighs on a row and its limit alike. */
import { Bench } from "tinybench";
import { median } from "./limits.js";

/** @typedef {import("./limits.js").LimitName} LimitName */

/**
 * Something to run again and again, or something that is measured in a way of its own.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {() => unknown} [run]
 * @property {number} [flop] float32 operations of a run, if the multiply-add loop is its limit
 * @property {number} [bytes] read or written by a run, if the copy is its limit
 * @property {() => Promise<Omit<Result, "name">>} [measured]
 */

/**
 * A line of the table.
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {number} value the median
 * @property {"ms" | "bytes"} unit
 * @property {number} [rate] billions of operations or bytes a second
 * @property {string} limit what the row is held against, in words
 * @property {number} limitValue the limit in this run: a rate, or in the row's unit where the row has no rate
 * @property {number} ratio of the rate to the limit, or of the value to the limit
 */

/**
 * Shortest time of measurement in a round, and before the first one, in ms. Many short rounds rather than few long ones:
 * the limit must be seen in the same state of the machine as the row.
 */
const [roundTime, warmupTime] = [50, 300];

/**
 * Runs every row once a round, with its limit before and after.
 *
 * @param {Row[]} rows
 * @param {number} rounds
 * @param {Record<LimitName, () => number>} limits
 * @returns {Promise<Result[]>}
 */
export async function measure(rows, rounds, limits) {
  /** @type {Map<Row, { ms: number, rate: number, limit: number }[]>} */
  const seen = new Map(rows.map((row) => [row, []]));
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      if (row.run === undefined) continue;
      const limit = limits[limitOf(row)];
      const before = limit();
      const ms = await timeOf(row.run, round === 0);
      seen.get(row)?.push({ ms, rate: amountOf(row) / ms / 1e6, limit: (before + limit()) / 2 });
    }
  }
  /** @type {Result[]} */
  const results = [];
  for (const row of rows) {
    if (row.measured) {
      results.push({ name: row.name, ...(await row.measured()) });
      continue;
    }
    const samples = seen.get(row) ?? [];
    results.push({
      name: row.name,
      value: median(samples.map(({ ms }) => ms)),
      unit: "ms",
      rate: median(samples.map(({ rate }) => rate)),
      limit: limitOf(row),
      limitValue: median(samples.map(({ limit }) => limit)),
      ratio: median(samples.map(({ rate, limit }) => rate / limit)),
    });
  }
  return results;
}

/** @param {Row} row @returns {LimitName} */
const limitOf = (row) => (row.bytes === undefined ? "multiply-add" : "copy");
/** @param {Row} row */
const amountOf = ({ bytes, flop }) => bytes ?? flop ?? Number.NaN;

/** The median time of a run in ms. @param {() => unknown} run @param {boolean} cold */
async function timeOf(run, cold) {
  const bench = new Bench({
    time: roundTime,
    iterations: 1,
    warmup: cold,
    warmupTime,
    warmupIterations: 2,
  });
  bench.add("row", run, { async: false });
  await bench.run();
  const { result } = bench.tasks[0];
  if (result.state === "errored") throw result.error;
  if (result.state !== "completed") throw new Error(`a row was ${result.state}`);
  return result.latency.p50;
}
