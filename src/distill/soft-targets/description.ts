/** Floor 4: what a store of soft targets says of itself, in words and as strict JSON. */
import { DistilgradError } from "../../errors.ts";
import { parseStrictJson, type StrictJson, type StrictObject } from "../../io/strict-json.ts";
import { requireMode, type SoftTargetMode } from "./mode.ts";

/** Whose answers to what a store holds. */
export interface SoftTargetDescription {
  /** `sha256:…` of a module's state, `name:…` as the caller calls it, or both. */
  readonly teacher: string;
  /** The only temperature at which the answers hold, such as an ensemble's; null where they hold at any. */
  readonly temperature: number | null;
  readonly mode: SoftTargetMode;
  /** How many classes an answer has. */
  readonly classes: number;
  /** Their names in order; null where none were given. */
  readonly classNames: readonly string[] | null;
  /** SHA-256 of the values of all samples, those of other shards included. */
  readonly data: string;
  /** How many samples those are. */
  readonly rows: number;
  /** The first of them that is answered here. */
  readonly start: number;
  /** The first after `start` that is not. */
  readonly end: number;
  /** In how many epochs each is answered, from epoch 0 on; 1 without an augmentation. */
  readonly epochs: number;
  /** The settings of the augmentation, such as "shift 1, seed 5"; null where samples are answered as they are. */
  readonly augmentation: string | null;
}

const fields = [
  "teacher",
  "temperature",
  "mode",
  "classes",
  "classNames",
  "data",
  "rows",
  "start",
  "end",
  "epochs",
  "augmentation",
] as const;

/** The first field in which two stores differ, of those that both have; null where there is none. */
export function firstDifference(
  a: Partial<SoftTargetDescription>,
  b: Partial<SoftTargetDescription>,
): (typeof fields)[number] | null {
  return fields.find((name) => name in a && name in b && inWords(a[name]) !== inWords(b[name])) ?? null;
}

/** A field's value, as messages show it; no two values look alike. */
export const inWords = (value: SoftTargetDescription[keyof SoftTargetDescription] | undefined): string =>
  JSON.stringify(value) ?? "none";

/** The description as JSON, fields in a fixed order. */
export function printDescription(description: SoftTargetDescription): string {
  return `{${fields.map((name) => `"${name}":${JSON.stringify(description[name])}`).join(",")}}`;
}

/** What `printDescription` wrote. @throws `data` on anything that it does not write, `value` on a mode that is none */
export function parseDescription(where: string, text: string): SoftTargetDescription {
  const header = parseStrictJson(where, text);
  const broken = (what: string): DistilgradError =>
    new DistilgradError("data", `${where}: the header ${what}`);
  if (!(header instanceof Map)) throw broken("is no object");
  for (const name of header.keys()) {
    if (!fields.some((field) => field === name)) throw broken(`has an unknown field ${JSON.stringify(name)}`);
  }
  function field<T extends StrictJson>(
    name: string,
    what: string,
    fits: (value: StrictJson) => value is T,
  ): T {
    const value = (header as StrictObject).get(name);
    if (value === undefined) throw broken(`has no "${name}"`);
    if (!fits(value)) throw broken(`needs ${what} as "${name}"`);
    return value;
  }
  const whole = (name: string, least: number): number =>
    field(
      name,
      `a whole number of at least ${least}`,
      (value): value is number => Number.isSafeInteger(value) && (value as number) >= least,
    );

  const classes = whole("classes", 1);
  const epochs = whole("epochs", 1);
  const rows = whole("rows", 1);
  const start = whole("start", 0);
  const end = whole("end", start + 1);
  if (end > rows) throw broken(`has rows up to ${end} of ${rows}`);
  const classNames = field("classNames", `${classes} names or null`, isNamesOrNull);
  if (classNames !== null && classNames.length !== classes) {
    throw broken(`has ${classNames.length} names of ${classes} classes`);
  }
  const stored = field(
    "mode",
    "a mode",
    (value): value is string | StrictObject => isText(value) || value instanceof Map,
  );
  const mode = requireMode(where, isText(stored) ? stored : Object.fromEntries(stored), classes);
  return {
    teacher: field("teacher", "a text", isText),
    temperature: field("temperature", "a number above 0 or null", isPositiveOrNull),
    mode,
    classes,
    classNames,
    data: field("data", "a text", isText),
    rows,
    start,
    end,
    epochs,
    augmentation: field("augmentation", "a text or null", isTextOrNull),
  };
}

const isText = (value: StrictJson): value is string => typeof value === "string";
const isTextOrNull = (value: StrictJson): value is string | null => value === null || isText(value);
const isPositiveOrNull = (value: StrictJson): value is number | null =>
  value === null || (typeof value === "number" && value > 0);
const isNamesOrNull = (value: StrictJson): value is readonly string[] | null =>
  value === null || (Array.isArray(value) && value.every(isText));
