// @ts-check
/**
 * One engine in a process of its own: `node process.js ../peers/jax.js` takes commands, a line of JSON each, and answers
 * them in turn. An engine is a file whose default export names its version and its tasks:
 *
 *     { "task": "W1" }             prepares it, runs it three times and answers { values }
 *     { "task": "W1", "ms": 200 }  runs it for so long, at least three times, and answers { ms }, the median
 *
 * With `--first-step` it takes W1's first step, prints the moment in ms since 1970, and ends.
 */
import { createInterface } from "node:readline";
import { median } from "../limits.js";

/** @typedef {() => unknown} Task what runs again and again; a training step returns its loss, or a promise of it */
/** @typedef {{ version: string, tasks: Record<string, () => Task | Promise<Task>> }} Engine */

const [file, mode] = process.argv.slice(2);
/** @type {Engine} */
const engine = (await import(new URL(file, import.meta.url).href)).default;

if (mode === "--first-step") {
  const step = await engine.tasks.W1();
  await step();
  process.stdout.write(String(performance.timeOrigin + performance.now()));
  process.exit();
}

/** @type {{ name: string, run: Task } | null} */
let current = null;

/** @param {{ task: string, ms?: number }} command */
async function answer({ task, ms }) {
  if (ms === undefined) {
    current = null;
    const prepare = engine.tasks[task];
    if (prepare === undefined) return { cannot: "not written for this engine" };
    const run = await prepare();
    const values = [await run(), await run(), await run()];
    current = { name: task, run };
    return { values: values.map((value) => (typeof value === "number" ? value : null)) };
  }
  if (current?.name !== task) throw new Error(`${task} was not prepared`);
  const { run } = current;
  const times = [];
  for (let left = ms; left > 0 || times.length < 3; ) {
    const start = performance.now();
    // Only what is a promise is waited for: a turn of the event loop is not part of a synchronous engine's step.
    const value = run();
    if (value instanceof Promise) await value;
    const time = performance.now() - start;
    times.push(time);
    left -= time;
  }
  return { ms: median(times) };
}

/** @param {object} message */
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

say({ version: engine.version });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say(await answer(JSON.parse(line)));
  } catch (error) {
    current = null;
    say({ cannot: String(/** @type {Error} */ (error).message).split("\n")[0] });
  }
}
