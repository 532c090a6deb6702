/** A store's bytes: what they are, and that no others are read. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSoftTargets, recordSoftTargets, type SoftTargets } from "../../../src/distill/index.ts";
import { bytesOfHex } from "../../../src/distill/soft-targets/format.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { tensor } from "../../../src/factories.ts";
import { sha256, sha256OfFloats } from "../../../src/sha256.ts";
import { augment, dataset, teacher } from "./models.ts";

const targets = recordSoftTargets(() => tensor([[1, -2]]), { x: tensor([[3]]) }, { teacherName: "é" });
const bytes = targets.bytes();
const header = `{"teacher":"name:é","temperature":null,"mode":"float32","classes":2,"classNames":null,"data":"${sha256OfFloats([Float32Array.of(3)])}","rows":1,"start":0,"end":1,"epochs":1,"augmentation":null}`;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const refusal = (message: string): DistilgradError =>
  new DistilgradError("data", `readSoftTargets: ${message}`);

/** Bytes with a sound end, whatever they say. */
function sealed(body: Uint8Array): Uint8Array {
  return Uint8Array.from([...body, ...bytesOfHex(sha256(body))]);
}

/** The store's bytes with another header; its length and the hash at the end are right. */
function withHeader(text: string, answers = bytes.slice(16 + utf8(header).length, -32)): Uint8Array {
  const written = utf8(text);
  const start = bytes.slice(0, 16);
  new DataView(start.buffer).setUint32(12, written.length, true);
  return sealed(Uint8Array.from([...start, ...written, ...answers]));
}

describe("a store's bytes", () => {
  it("are a mark, version, header, the samples' hashes, the answers, and a hash of all that", () => {
    const answers = new Uint8Array(Float32Array.of(1, -2).buffer);
    const expected = sealed(
      Uint8Array.from([
        ...utf8("dg-soft\n"),
        ...[1, 0, 0, 0],
        ...[utf8(header).length, 0, 0, 0],
        ...utf8(header),
        ...bytesOfHex(sha256OfFloats([Float32Array.of(3)])),
        ...answers,
      ]),
    );
    expect(bytes).toEqual(expected);
    expect(withHeader(header)).toEqual(bytes);
  });

  it.each<[string, () => SoftTargets]>([
    ["all logits", () => recordSoftTargets(teacher, dataset)],
    ["halves", () => recordSoftTargets(teacher, dataset, { mode: "float16", classNames: ["α", "🦆", "c"] })],
    ["top classes", () => recordSoftTargets(teacher, dataset, { mode: { top: 2, rest: "nothing" } })],
    [
      "epochs of a shard",
      () => recordSoftTargets(teacher, dataset, { augment, epochs: 3, shard: { index: 1, count: 4 } }),
    ],
  ])("are read as the store that wrote them: %s", (_, make) => {
    const written = make();
    const read = readSoftTargets(written.bytes());
    expect(read.description).toEqual(written.description);
    expect(read.stored).toEqual(written.stored);
    expect(read.bytes()).toEqual(written.bytes());
  });

  it("are copied, wherever in a buffer they begin", () => {
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const read = readSoftTargets(shifted.subarray(3));
    shifted.fill(0);
    expect([...read.forward(tensor([[3]])).data]).toEqual([1, -2]);
  });

  const torn = "the SHA-256 at the end is not that of the bytes before it; they are torn or were edited";

  it("are refused with any bit changed", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const edited = bytes.slice();
        edited[at] ^= 1 << bit;
        expect(() => readSoftTargets(edited)).toThrow(DistilgradError);
        if (at >= 12) expect(() => readSoftTargets(edited)).toThrow(refusal(torn));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("are refused at every length but their own", () => {
    for (let length = 0; length < bytes.length; length++) {
      const message =
        length < 16 ? `expected soft targets, which begin with "dg-soft", got ${length} other bytes` : torn;
      expect(() => readSoftTargets(bytes.slice(0, length))).toThrow(refusal(message));
    }
    expect(() => readSoftTargets(Uint8Array.from([...bytes, 0]))).toThrow(refusal(torn));
  });

  it("are refused where they are of another kind or version", () => {
    expect(() => readSoftTargets(utf8("PK and more than sixteen"))).toThrow(
      refusal('expected soft targets, which begin with "dg-soft", got 24 other bytes'),
    );
    const newer = bytes.slice();
    newer[8] = 2;
    expect(() => readSoftTargets(newer)).toThrow(refusal("expected version 1 of the format, got 2"));
    expect(() => readSoftTargets([...bytes] as never)).toThrow(
      new DistilgradError("value", "readSoftTargets: expected a Uint8Array, got an array"),
    );
  });
});

describe("a sealed store that says something else", () => {
  const change = (from: string, to: string): string => {
    expect(header).toContain(from);
    return header.replace(from, to);
  };

  it.each<[string, string, string]>([
    ["an unknown field", change('"rows"', '"x":1,"rows"'), 'the header has an unknown field "x"'],
    ["a field twice", change('"rows":1', '"rows":1,"rows":1'), "expected each key once at position"],
    ["no field", change('"rows":1,', ""), 'the header has no "rows"'],
    ["no object", "[]", "the header is no object"],
    [
      "a fraction",
      change('"rows":1', '"rows":1.0'),
      "expected a number as JavaScript writes it, or another value at position",
    ],
    [
      "a text as a number",
      change('"rows":1', '"rows":"1"'),
      'the header needs a whole number of at least 1 as "rows"',
    ],
    [
      "no class",
      change('"classes":2', '"classes":0'),
      'the header needs a whole number of at least 1 as "classes"',
    ],
    [
      "an empty range",
      change('"end":1', '"end":0'),
      'the header needs a whole number of at least 1 as "end"',
    ],
    ["rows beyond the last", change('"end":1', '"end":2'), "the header has rows up to 2 of 1"],
    ["a number as a teacher", change('"name:é"', "7"), 'the header needs a text as "teacher"'],
    [
      "names of too few classes",
      change('"classNames":null', '"classNames":["a"]'),
      "the header has 1 names of 2 classes",
    ],
    [
      "a number as a name",
      change('"classNames":null', '"classNames":["a",1]'),
      'the header needs 2 names or null as "classNames"',
    ],
    [
      "a temperature of 0",
      change('"temperature":null', '"temperature":0'),
      'the header needs a number above 0 or null as "temperature"',
    ],
    [
      "half a row",
      change('"rows":1', '"rows":1.5'),
      'the header needs a whole number of at least 1 as "rows"',
    ],
    ["a number as a mode", change('"float32"', "32"), 'the header needs a mode as "mode"'],
    [
      "an unknown mode",
      change('"float32"', '"float8"'),
      'mode must be "float32", "float16" or { top, rest }, got "float8", a string',
    ],
    [
      "as many top classes as classes",
      change('"float32"', '{"top":2,"rest":"spread"}'),
      "top must be below the number of classes, 2, got 2",
    ],
    [
      "another number of answers",
      change('"epochs":1', '"epochs":2'),
      "expected 80 bytes of answers to 2 samples, got 40",
    ],
    [
      "answers of another size",
      change('"float32"', '"float16"'),
      "expected 36 bytes of answers to 1 samples, got 40",
    ],
    [
      "an enormous number of answers",
      change('"epochs":1', '"epochs":9007199254740991'),
      "expected 360287970189639600 bytes of answers to 9007199254740991 samples, got 40",
    ],
    [
      "a truth as an augmentation",
      change('"augmentation":null', '"augmentation":true'),
      'the header needs a text or null as "augmentation"',
    ],
  ])("is refused: %s", (_, text, message) => {
    expect(() => readSoftTargets(withHeader(text))).toThrow(`readSoftTargets: ${message}`);
  });

  it("is refused where the header is longer than the bytes, or no text", () => {
    const long = bytes.slice(0, -32);
    new DataView(long.buffer).setUint32(12, 10_000, true);
    expect(() => readSoftTargets(sealed(long))).toThrow(
      refusal(`the header is longer than the ${bytes.length} bytes`),
    );
    const broken = bytes.slice(0, -32);
    broken[16] = 0xff;
    expect(() => readSoftTargets(sealed(broken))).toThrow(refusal("expected UTF-8, got 0xff at byte 0"));
  });

  it("is refused where a class is kept twice or does not exist", () => {
    const top = recordSoftTargets(
      () => tensor([[1, 2, 3]]),
      { x: tensor([[3]]) },
      { teacherName: "t", mode: { top: 2, rest: "spread" } },
    );
    const written = top.bytes().slice(0, -32);
    for (const [classes, message] of [
      [[1, 1], "expected 2 of 3 classes in ascending order, got 1 after 1"],
      [[2, 0], "expected 2 of 3 classes in ascending order, got 0 after 2"],
      [[1, 3], "expected 2 of 3 classes in ascending order, got 3 after 1"],
    ] as const) {
      written.set([classes[0], 0, classes[1], 0], written.length - 4);
      const read = readSoftTargets(sealed(written));
      expect(() => read.forward(tensor([[3]]))).toThrow(
        new DistilgradError("data", `SoftTargets: ${message}`),
      );
    }
  });
});
