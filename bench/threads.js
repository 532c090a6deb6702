// @ts-check
/** What a second thread brings: two processes that take turns, one with it and one without. */
import { fileURLToPath } from "node:url";
import { Engine } from "./engines/client.js";
import { median } from "./limits.js";

const program = fileURLToPath(new URL("engines/process.js", import.meta.url));

/** @param {string} file */
const start = (file) => Engine.start({ name: file, command: process.execPath, args: [program, file] });

/**
 * Times of a task on two threads and on one, in ms, and the median of the ratios of turns.
 *
 * @param {string} task @param {number} rounds
 */
export async function onTwoThreads(task, rounds) {
  const engines = [await start("./distilgrad-on-two-threads.js"), await start("./distilgrad.js")];
  try {
    for (const engine of engines) {
      const { cannot } = await engine.ask({ task });
      if (cannot !== undefined) throw new Error(`${task}: ${cannot}`);
    }
    /** @type {number[][]} */
    const turns = [];
    for (let round = 0; round < rounds; round++) {
      const turn = [];
      for (const engine of engines) turn.push((await engine.ask({ task, ms: 300 })).ms ?? Number.NaN);
      // The first turn is for the engine to compile what it has seen.
      if (round > 0) turns.push(turn);
    }
    return {
      two: median(turns.map(([two]) => two)),
      one: median(turns.map(([, one]) => one)),
      ratio: median(turns.map(([two, one]) => two / one)),
    };
  } finally {
    for (const engine of engines) engine.stop();
  }
}
