// @ts-check
/** The options of both benchmarks. What is wrong with them is said before anything runs. */
import { parseArgs } from "node:util";

/** Wrong use: the message is for the person at the command line. */
export class UsageError extends Error {}

/**
 * @param {readonly string[]} args
 * @param {object} settings
 * @param {readonly string[]} settings.names what `--only` may name
 * @param {number} settings.rounds how many where `--rounds` is not given
 * @param {readonly string[]} [settings.flags] switches of this program
 * @param {readonly string[]} [settings.values] options with a value of this program
 */
export function readOptions(args, { names, rounds, flags = [], values = [] }) {
  /** @type {Record<string, { type: "string" | "boolean" }>} */
  const options = { only: { type: "string" }, rounds: { type: "string" } };
  for (const flag of flags) options[flag] = { type: "boolean" };
  for (const value of values) options[value] = { type: "string" };
  const given = parsed(args, options);

  const { only } = given;
  const chosen = typeof only === "string" ? only.split(",").map((name) => name.trim()) : names;
  for (const name of chosen) {
    if (names.includes(name)) continue;
    throw new UsageError(
      `--only: expected ${names.join(", ")} or several of them with commas, got "${name}"`,
    );
  }
  const count = given.rounds === undefined ? rounds : Number(given.rounds);
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`--rounds: expected a whole number of at least 1, got "${given.rounds}"`);
  }
  return { chosen: names.filter((name) => chosen.includes(name)), rounds: count, given };
}

/** @param {readonly string[]} args @param {Record<string, { type: "string" | "boolean" }>} options @returns {Record<string, unknown>} */
function parsed(args, options) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`${/** @type {Error} */ (error).message}; the options are ${known.join(", ")}`);
  }
}

/** Runs a program; wrong use ends it with one line and exit code 2. @param {() => Promise<void>} program */
export async function runProgram(program) {
  try {
    await program();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
