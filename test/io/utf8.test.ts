import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../src/io/utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

describe("UTF-8", () => {
  it("is what TextEncoder writes, for any text, and is read as that text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const bytes = encodeUtf8("t", text);
        expect(bytes).toEqual(new TextEncoder().encode(text));
        expect(decodeUtf8("t", bytes)).toBe(text);
      }),
      { seed: 1, numRuns: 300 },
    );
    const ends = "\0\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}";
    expect(decodeUtf8("t", encodeUtf8("t", ends))).toBe(ends);
    const long = "é🦆".repeat(5000);
    expect(decodeUtf8("t", encodeUtf8("t", long))).toBe(long);
  });

  it("is refused where a strict TextDecoder refuses it, for every sequence of up to two bytes and many longer ones", () => {
    const same = (bytes: Uint8Array): void => {
      let expected: string | null = null;
      try {
        expected = strict.decode(bytes);
      } catch {}
      if (expected === null) expect(() => decodeUtf8("t", bytes)).toThrow(DistilgradError);
      else if (decodeUtf8("t", bytes) !== expected) expect.fail(`${[...bytes]}`);
    };
    for (let first = 0; first < 256; first++) {
      same(Uint8Array.of(first));
      for (let second = 0x70; second < 256; second++) same(Uint8Array.of(first, second));
    }
    const edge = fc.constantFrom(
      0x41,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc2,
      0xdf,
      0xe0,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
      0xff,
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 3, maxLength: 5 }),
        fc.array(edge, { minLength: 3, maxLength: 5 }),
        (any, edges) => {
          same(any);
          same(Uint8Array.from(edges));
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("names the byte that is wrong, and the half of a pair that has no bytes", () => {
    expect(() => decodeUtf8("read", Uint8Array.of(0x41, 0xc3, 0x28))).toThrow(
      new DistilgradError("data", "read: expected UTF-8, got 0xc3 at byte 1"),
    );
    for (const text of ["a\ud800", "a\udc00b", "a\ud800\ud800\udc00"]) {
      expect(() => encodeUtf8("write", text)).toThrow(
        new DistilgradError(
          "value",
          `write: expected text, got half of a surrogate pair at position 1 of ${JSON.stringify(text)}`,
        ),
      );
    }
  });
});
