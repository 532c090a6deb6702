/** Floor 0: what callers who have no type checker get wrong. Knows values and classes, not what they are for. */
import { DistilgradError, type ErrorCode } from "./errors.ts";

/**
 * Requires an options object that names nothing unknown: a misspelt setting would silently keep its default.
 *
 * @param where the function's name
 * @param known every name that it reads
 */
export function requireOptions(where: string, options: unknown, known: readonly string[]): void {
  const list = known.join(", ");
  if (typeof options !== "object" || options === null || isAnotherThing(options, known)) {
    throw new DistilgradError("value", `${where}: expected { ${list} }, got ${kindOf(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new DistilgradError("value", `${where}: unknown option "${name}"; possible are ${list}`);
    }
  }
}

/** A model, a Map, a list without entries: none has a field of its own that could be misspelt, and would pass for `{}`. */
const isAnotherThing = (value: object, known: readonly string[]): boolean =>
  Object.keys(value).length === 0 && kindOf(value) !== "an object" && !known.some((name) => name in value);

/** Requires an object of a class of this library; `what` says in words what was wanted. */
export function requireInstance(
  where: string,
  what: string,
  value: unknown,
  type: abstract new (...parts: never[]) => unknown,
): void {
  if (!(value instanceof type)) {
    throw new DistilgradError("value", `${where}: expected ${what}, got ${kindOf(value)}`);
  }
}

/** Requires a whole number, such as a size, a count or a stride. */
export function requireWhole(where: string, name: string, value: unknown, least: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new DistilgradError(
      "value",
      `${where}: ${name} must be a whole number of at least ${least}, got ${kindOf(value)}`,
    );
  }
}

/** Requires true or false: in JavaScript, "false" and "no" are true. */
export function requireFlag(where: string, name: string, value: unknown): void {
  if (typeof value !== "boolean") {
    throw new DistilgradError("value", `${where}: ${name} must be true or false, got ${kindOf(value)}`);
  }
}

/** Requires a finite number above 0, such as an ε that keeps a divisor from being 0. */
export function requirePositive(where: string, name: string, value: unknown): void {
  if (!(typeof value === "number" && value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new DistilgradError(
      "value",
      `${where}: ${name} must be a finite number above 0, got ${kindOf(value)}`,
    );
  }
}

/** Requires that a function whose result this is ran at once: whoever called it undoes something when it returns. */
export function requireSynchronous(code: ErrorCode, where: string, result: unknown, hint: string): void {
  const promise = result as { then?: (done: undefined, failed: () => void) => void } | null | undefined;
  if (typeof promise?.then !== "function") return;
  promise.then(undefined, () => {}); // refused here; its own failure is nobody's to handle
  throw new DistilgradError(
    code,
    `${where}: expected a synchronous function, got one that returns a promise; ${hint}`,
  );
}

/** A wrong value in a few words: enough to recognise it, short enough for a sentence. */
export function kindOf(value: unknown): string {
  if (typeof value === "string") return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}", a string`;
  if (typeof value === "bigint") return `${value}n, a bigint`;
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" && name !== "Object"
    ? `${/^(?:[AEIO]|U(?!int))/.test(name) ? "an" : "a"} ${name}`
    : "an object";
}
