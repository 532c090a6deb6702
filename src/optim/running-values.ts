/** Floor 3: values that are kept by name from step to step, and whether saved ones fit their place. */
import { kindOf } from "../arguments.ts";
import type { Floats } from "../kernels/kernels.ts";

/** What is missing in `given`, and what it has besides; `what` names one of them. */
export function differences(
  what: string,
  own: ReadonlyMap<string, unknown>,
  given: ReadonlyMap<string, unknown>,
): string[] {
  const problems: string[] = [];
  for (const name of own.keys()) if (!given.has(name)) problems.push(`missing ${what} "${name}"`);
  for (const name of given.keys()) if (!own.has(name)) problems.push(`unexpected ${what} "${name}"`);
  return problems;
}

/** The same of values, which must also be of one type and as many. */
export function misfits(
  what: string,
  own: ReadonlyMap<string, Floats>,
  given: ReadonlyMap<string, Floats>,
): string[] {
  const problems = differences(what, own, given);
  for (const [name, values] of own) {
    const other = given.get(name);
    if (given.has(name) && other?.constructor !== values.constructor) {
      problems.push(`${what} "${name}" is ${kindOf(other)} instead of ${kindOf(values)}`);
    } else if (other && other.length !== values.length) {
      problems.push(`${what} "${name}" holds ${other.length} values instead of ${values.length}`);
    }
  }
  return problems;
}

/** A copy of each. */
export function copied(values: ReadonlyMap<string, Floats>): Map<string, Floats> {
  return new Map([...values].map(([name, own]) => [name, own.slice()]));
}
