// @ts-check
/** The options of `npm run faults`. What is wrong with them is said before anything runs. */
import { parseArgs } from "node:util";
import { UsageError } from "../../bench/options.js";

/** @typedef {import("./fault.ts").Fault} Fault */

/** @param {readonly string[]} args @param {readonly Fault[]} faults */
export function readOptions(args, faults) {
  const { only, json, "all-tests": allTests } = parsed(args);
  const names = only?.split(",").map((name) => name.trim());
  const unknown = names?.find((name) => faults.every((fault) => fault.name !== name));
  if (unknown !== undefined) {
    throw new UsageError(
      `--only: expected names of faults with commas, got "${unknown}"; test/faults has them`,
    );
  }
  return { chosen: faults.filter(({ name }) => names?.includes(name) ?? true), json, allTests };
}

/** @param {readonly string[]} args */
function parsed(args) {
  const options = /** @type {const} */ ({
    only: { type: "string" },
    json: { type: "boolean", default: false },
    "all-tests": { type: "boolean", default: false },
  });
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`${/** @type {Error} */ (error).message}; the options are ${known.join(", ")}`);
  }
}
