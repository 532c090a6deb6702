/** Floor 3: JSON from files that nobody vouches for. Knows the grammar, not what is written in it. */
import { DistilgradError } from "../errors.ts";

/** What a text says. Objects are Maps: their keys keep their order, and "__proto__" is one like any other. */
export type StrictJson = string | number | boolean | null | readonly StrictJson[] | StrictObject;
export type StrictObject = ReadonlyMap<string, StrictJson>;

/** Deeper than any header, and shallow enough for every engine's stack. */
const DEEPEST = 32;

/** What follows a backslash, and what both stand for. */
const ESCAPES: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/**
 * Reads JSON in which nothing can be lost or read in two ways: keys that come twice, after their escapes are read, are
 * refused, and so are numbers that JavaScript would write in another way, such as `1e3`, `16.0` and those that it can't
 * hold; halves of surrogate pairs; NUL; and anything but spaces after the end.
 *
 * @param where the function's name, for messages
 * @throws `data`, with the position
 * @see RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format (2017), §2 to §7
 */
export function parseStrictJson(where: string, text: string): StrictJson {
  let at = 0;
  const broken = (what: string, from = at): DistilgradError => {
    const got = from < text.length ? JSON.stringify(text.slice(from, from + 10)) : "the end";
    return new DistilgradError(
      "data",
      `${where}: expected ${what} at position ${from} of the JSON, got ${got}`,
    );
  };
  const skip = (): void => {
    while (at < text.length && " \t\n\r".includes(text[at])) at++;
  };
  /** Past a mark, if it comes next. */
  const passed = (mark: string): boolean => {
    skip();
    if (!text.startsWith(mark, at)) return false;
    at += mark.length;
    return true;
  };
  const value = (depth: number): StrictJson => {
    skip();
    if (depth > DEEPEST) throw broken(`at most ${DEEPEST} levels`);
    if (passed("{")) return object(depth);
    if (passed("[")) return array(depth);
    if (text[at] === '"') return string();
    if (passed("true")) return true;
    if (passed("false")) return false;
    if (passed("null")) return null;
    return number();
  };
  const object = (depth: number): StrictObject => {
    const entries = new Map<string, StrictJson>();
    if (passed("}")) return entries;
    do {
      skip();
      const start = at;
      const key = string();
      if (entries.has(key)) throw broken("each key once", start);
      if (!passed(":")) throw broken('":"');
      entries.set(key, value(depth + 1));
    } while (passed(","));
    if (!passed("}")) throw broken('"," or "}"');
    return entries;
  };
  const array = (depth: number): StrictJson[] => {
    const entries: StrictJson[] = [];
    if (passed("]")) return entries;
    do entries.push(value(depth + 1));
    while (passed(","));
    if (!passed("]")) throw broken('"," or "]"');
    return entries;
  };
  const string = (): string => {
    const start = at;
    if (text[at] !== '"') throw broken("a string");
    const parts: string[] = [];
    for (let from = ++at; ; from = ++at) {
      while (text[at] !== '"' && text[at] !== "\\" && text[at] >= " ") at++;
      parts.push(text.slice(from, at));
      if (text[at] === '"') break;
      if (text[at] !== "\\") throw broken("the rest of a string");
      parts.push(escaped());
    }
    at++;
    const read = parts.join("");
    for (const character of read) {
      // What iterates as one code unit among the surrogates has no partner.
      const lone = character.length === 1 && character >= "\ud800" && character <= "\udfff";
      if (lone || character === "\0") throw broken("a string of whole characters without NUL", start);
    }
    return read;
  };
  /** From a backslash to the last character of its escape. */
  const escaped = (): string => {
    const start = at++;
    const plain = ESCAPES.get(text[at]);
    if (plain !== undefined) return plain;
    const digits = text.slice(at + 1, at + 5);
    const isHex =
      digits.length === 4 && [...digits].every((digit) => "0123456789abcdefABCDEF".includes(digit));
    if (text[at] !== "u" || !isHex) throw broken("an escape", start);
    at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  };
  const number = (): number => {
    const start = at;
    while (at < text.length && "+-.0123456789eE".includes(text[at])) at++;
    const written = text.slice(start, at);
    const read = Number(written);
    if (String(read) !== written) throw broken("a number as JavaScript writes it, or another value", start);
    return read;
  };

  const read = value(0);
  while (text[at] === " ") at++;
  if (at < text.length) throw broken("the end");
  return read;
}
