// @ts-check
/** The other end of process.js and process.py: an engine that runs in a process of its own, and waits when not asked. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * How to start an engine.
 *
 * @typedef {object} Start
 * @property {string} name
 * @property {string} command
 * @property {string[]} args
 */

/** One thread, whatever the library would do by itself. */
export const oneThread = {
  ...process.env,
  OMP_NUM_THREADS: "1",
  OPENBLAS_NUM_THREADS: "1",
  PYTHONDONTWRITEBYTECODE: "1",
};

/** A running engine. */
export class Engine {
  /** Starts an engine and waits for its greeting. @param {Start} start */
  static async start(start) {
    const engine = new Engine(start);
    const { version, cannot } = await engine.answer();
    engine.version = version ?? `(${cannot})`;
    return engine;
  }

  /** @param {Start} start */
  constructor({ name, command, args }) {
    this.name = name;
    this.version = "";
    this.process = spawn(command, args, { env: oneThread, stdio: ["pipe", "pipe", "pipe"] });
    this.errors = "";
    this.process.stderr.on("data", (text) => {
      this.errors = `${this.errors}${text}`.slice(-2000);
    });
    this.process.on("error", (error) => {
      this.errors = error.message;
    });
    // A process that died is noticed by the answer that does not come.
    this.process.stdin.on("error", () => {});
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** What the engine says next. @returns {Promise<{ version?: string, values?: (number | null)[], ms?: number, cannot?: string }>} */
  async answer() {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) return { cannot: `its process ended: ${this.errors.trim().split("\n").at(-1)}` };
      // Libraries print greetings of their own.
      if (value.startsWith("{")) return JSON.parse(value);
    }
  }

  /** @param {{ task: string, ms?: number }} command */
  ask(command) {
    this.process.stdin.write(`${JSON.stringify(command)}\n`);
    return this.answer();
  }

  stop() {
    this.process.stdin.end();
  }
}
