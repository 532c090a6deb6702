import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { parseStrictJson, type StrictJson } from "../../src/io/strict-json.ts";

/** Maps as plain objects without a prototype. */
function plain(value: StrictJson): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  }
  return Array.isArray(value) ? value.map(plain) : value;
}
const parse = (text: string): StrictJson => parseStrictJson("read", text);

const text = fc.string({ unit: "grapheme", maxLength: 8 }).filter((s) => !s.includes("\0"));
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.maxSafeInteger().map((n) => n + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(text, tie("json"), { maxKeys: 4 }),
  ),
}));

describe("parseStrictJson", () => {
  it("reads what JSON.stringify writes, indented or not", () => {
    fc.assert(
      fc.property(json, fc.constantFrom(0, 2, "\t"), (value, indent) => {
        expect(plain(parse(JSON.stringify(value, null, indent)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("reads every escape, and keeps keys in order, whatever they are called", () => {
    expect(parse('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83E\\udd86"')).toBe('"\\/\b\f\n\r\té🦆');
    const read = parse('{"b":1,"__proto__":2,"1":3,"a":4}') as ReadonlyMap<string, StrictJson>;
    expect([...read]).toEqual([
      ["b", 1],
      ["__proto__", 2],
      ["1", 3],
      ["a", 4],
    ]);
  });

  it("reads numbers as JavaScript writes them, and spaces after the end", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        fc.pre(!Object.is(number, -0));
        expect(parse(`[${number}]  `)).toEqual([number]);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it.each<[string, string]>([
    ["", "a number as JavaScript writes it, or another value at position 0 of the JSON, got the end"],
    ["{", "a string at position 1 of the JSON, got the end"],
    ['{"a":1,"a":2}', 'each key once at position 7 of the JSON, got "\\"a\\":2}"'],
    ['{"a":1,"\\u0061":2}', 'each key once at position 7 of the JSON, got "\\"\\\\u0061\\":2"'],
    ['{"a"1}', '":" at position 4 of the JSON, got "1}"'],
    ['{"a":1 "b":2}', '"," or "}" at position 7 of the JSON, got "\\"b\\":2}"'],
    ['{"a":1,}', 'a string at position 7 of the JSON, got "}"'],
    ["{a:1}", 'a string at position 1 of the JSON, got "a:1}"'],
    ["[1 2]", '"," or "]" at position 3 of the JSON, got "2]"'],
    ["[1,]", 'a number as JavaScript writes it, or another value at position 3 of the JSON, got "]"'],
    ["[1] x", 'the end at position 4 of the JSON, got "x"'],
    ["[1]\n", 'the end at position 3 of the JSON, got "\\n"'],
    ["[1]\0", 'the end at position 3 of the JSON, got "\\u0000"'],
    ["1.0", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "1.0"'],
    ["1e3", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "1e3"'],
    ["1E3", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "1E3"'],
    ["-0", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "-0"'],
    ["01", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "01"'],
    ["-", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "-"'],
    ["+1", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "+1"'],
    [
      "9007199254740993",
      'a number as JavaScript writes it, or another value at position 0 of the JSON, got "9007199254"',
    ],
    ["1e999", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "1e999"'],
    ["NaN", 'a number as JavaScript writes it, or another value at position 0 of the JSON, got "NaN"'],
    ["'a'", "a number as JavaScript writes it, or another value at position 0 of the JSON, got \"'a'\""],
    ['"a', "the rest of a string at position 2 of the JSON, got the end"],
    ['"a\nb"', 'the rest of a string at position 2 of the JSON, got "\\nb\\""'],
    ['"\\x"', 'an escape at position 1 of the JSON, got "\\\\x\\""'],
    ['"\\u00e"', 'an escape at position 1 of the JSON, got "\\\\u00e\\""'],
    ['"\\u+123"', 'an escape at position 1 of the JSON, got "\\\\u+123\\""'],
    [
      '"\\ud800"',
      'a string of whole characters without NUL at position 0 of the JSON, got "\\"\\\\ud800\\""',
    ],
    [
      '"\\udc00x"',
      'a string of whole characters without NUL at position 0 of the JSON, got "\\"\\\\udc00x\\""',
    ],
    [
      '{"\\u0000":1}',
      'a string of whole characters without NUL at position 1 of the JSON, got "\\"\\\\u0000\\":1"',
    ],
    ["[".repeat(40), `at most 32 levels at position 33 of the JSON, got "[[[[[[["`],
  ])("refuses %j", (source, message) => {
    expect(() => parse(source)).toThrow(new DistilgradError("data", `read: expected ${message}`));
  });

  it("takes long texts and many levels without a stack that overflows", () => {
    expect((parse(`[${"1,".repeat(100_000)}1]`) as StrictJson[]).length).toBe(100_001);
    expect(() => parse("[".repeat(1_000_000))).toThrow(DistilgradError);
  });
});
