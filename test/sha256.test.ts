import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256, sha256OfFloats } from "../src/sha256.ts";

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const reference = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

describe("sha256", () => {
  it("gives the published digests", () => {
    expect(sha256(ascii(""))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(sha256(ascii("abc"))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(sha256(ascii("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))).toBe(
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
    expect(
      sha256(
        ascii(
          "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        ),
      ),
    ).toBe("cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    expect(sha256(new Uint8Array(1_000_000).fill(0x61))).toBe(
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    );
  });

  it("agrees with node:crypto at every length around the ends of the first two blocks", () => {
    for (let length = 0; length <= 130; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 167 + length * 31) & 0xff);
      expect(sha256(bytes), `length ${length}`).toBe(reference(bytes));
    }
  });

  it("agrees with node:crypto on random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
        expect(sha256(bytes)).toBe(reference(bytes));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("reads a view from its offset and leaves it unchanged", () => {
    const whole = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff);
    expect(sha256(whole.subarray(3, 203))).toBe(reference(whole.slice(3, 203)));
    expect(whole).toEqual(Uint8Array.from({ length: 300 }, (_, i) => i & 0xff));
  });
});

describe("sha256OfFloats", () => {
  it("hashes the little-endian bytes of each element type", () => {
    expect(sha256OfFloats([Float32Array.of(1, -2.5)])).toBe(sha256(fromHex("0000803f000020c0")));
    expect(sha256OfFloats([Float64Array.of(1, -2.5)])).toBe(
      sha256(fromHex("000000000000f03f00000000000004c0")),
    );
    expect(sha256OfFloats([Int32Array.of(1, -2)])).toBe(sha256(fromHex("01000000feffffff")));
  });

  it("gives one hash to every NaN", () => {
    const singles = new Float32Array(Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0x7fffffff).buffer);
    for (let i = 0; i < singles.length; i++) {
      expect(sha256OfFloats([singles.subarray(i, i + 1)])).toBe(sha256(fromHex("0000c07f")));
    }
    const words = BigUint64Array.of(0x7ff8000000000000n, 0xfff8000000000000n, 0x7ff0000000000001n);
    const doubles = new Float64Array(words.buffer);
    for (let i = 0; i < doubles.length; i++) {
      expect(sha256OfFloats([doubles.subarray(i, i + 1)])).toBe(sha256(fromHex("000000000000f87f")));
    }
  });

  it("tells negative from positive zero, and keeps infinities and denormals", () => {
    expect(sha256OfFloats([Float32Array.of(-0)])).toBe(sha256(fromHex("00000080")));
    expect(sha256OfFloats([Float32Array.of(0)])).toBe(sha256(fromHex("00000000")));
    expect(sha256OfFloats([Float32Array.of(-Infinity, 2 ** -149)])).toBe(sha256(fromHex("000080ff01000000")));
    expect(sha256OfFloats([Float64Array.of(2 ** -1074)])).toBe(sha256(fromHex("0100000000000000")));
  });

  it("does not depend on where one array ends and the next begins", () => {
    const numbers = Float32Array.from({ length: 5000 }, (_, i) => i / 7);
    const whole = sha256OfFloats([numbers]);
    expect(whole).toBe(reference(new Uint8Array(numbers.buffer)));
    for (const cut of [0, 1, 15, 16, 17, 1023, 1024, 1025, 4999]) {
      expect(sha256OfFloats([numbers.subarray(0, cut), numbers.subarray(cut)]), `cut ${cut}`).toBe(whole);
    }
  });

  it("takes arrays of several types from any iterable", () => {
    const singles = Float32Array.from({ length: 1500 }, (_, i) => i - 0.5);
    const doubles = Float64Array.from({ length: 1500 }, (_, i) => i / 3);
    const integers = Int32Array.from({ length: 1500 }, (_, i) => -i);
    const parts = [singles, doubles, integers].map((array) => Buffer.from(array.buffer));
    expect(sha256OfFloats(new Set([singles, doubles, integers]))).toBe(reference(Buffer.concat(parts)));
    expect(sha256OfFloats([])).toBe(sha256(ascii("")));
  });
});
