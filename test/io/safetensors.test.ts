import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { arange, tensor, zeros } from "../../src/factories.ts";
import { type Integers, readSafetensors, writeSafetensors } from "../../src/io/index.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { BatchNorm1d, Linear, Sequential } from "../../src/nn/index.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { RandomStream } from "../../src/random.ts";
import { Tensor } from "../../src/tensor.ts";
import { bytesOf, oddFloats } from "../support/odd-floats.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A file with a header as it is written here, and values of so many bytes. */
function fileOf(header: string, size: number): Uint8Array {
  const written = utf8(header);
  const bytes = new Uint8Array(8 + written.length + size);
  new DataView(bytes.buffer).setUint32(0, written.length, true);
  bytes.set(written, 8);
  return bytes;
}

describe("writeSafetensors", () => {
  it("writes these bytes", () => {
    const tensors = new Map<string, Tensor | Integers>([
      ["b", { shape: [1], data: Int32Array.of(-2) }],
      ["ä", tensor([[1], [0.5]])],
      ["a", tensor([-0])],
      ["wide", tensor([1], { kernels: float64 })],
    ]);
    const header =
      '{"__metadata__":{"author":"x\\ny","format":"pt"},"wide":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"ä":{"dtype":"F32","shape":[2,1],"data_offsets":[12,20]},"b":{"dtype":"I32","shape":[1],"data_offsets":[20,24]}}';
    const length = utf8(header).length;
    const padding = (8 - (length % 8)) % 8;
    expect(padding).toBeGreaterThan(0);
    const metadata = new Map([
      ["format", "pt"],
      ["author", "x\ny"],
    ]);
    expect([...writeSafetensors(tensors, metadata)]).toEqual([
      ...[(length + padding) & 255, (length + padding) >> 8, 0, 0, 0, 0, 0, 0],
      ...utf8(header + " ".repeat(padding)),
      ...[0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
      ...[0, 0, 0, 0x80],
      ...[0, 0, 0x80, 0x3f, 0, 0, 0, 0x3f],
      ...[0xfe, 0xff, 0xff, 0xff],
    ]);
  });

  it("writes nothing but a header where there are no tensors", () => {
    expect([...writeSafetensors(new Map())]).toEqual([8, 0, 0, 0, 0, 0, 0, 0, ...utf8("{}      ")]);
  });

  it("orders names by their code points, as the bytes of UTF-8 are ordered", () => {
    const names = ["b", "a.b", "a", "\uffee", "🦆", "ab", ""];
    const bytes = writeSafetensors(new Map(names.map((name) => [name, zeros([])])));
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(sorted.slice(-2)).toEqual(["\uffee", "🦆"]);
    expect([...readSafetensors(bytes).tensors.keys()]).toEqual(sorted);
  });

  it.each<[string, unknown, unknown, DistilgradError["code"], string]>([
    [
      "no Map",
      { a: 1 },
      new Map(),
      "value",
      "expected a Map of tensors, as stateDict() gives it, got an object",
    ],
    ["metadata that are no Map", new Map(), {}, "value", "expected metadata, a Map of texts, got an object"],
    [
      "the name of the metadata",
      new Map([["__metadata__", zeros([1])]]),
      undefined,
      "value",
      '"__metadata__" is no name for a tensor; pass metadata second',
    ],
    [
      "a name with NUL",
      new Map([["a\0b", zeros([1])]]),
      undefined,
      "value",
      'expected a name to be a text without NUL, got "a\0b", a string',
    ],
    [
      "a name that is a number",
      new Map([[1, zeros([1])]]),
      undefined,
      "value",
      "expected a name to be a text without NUL, got 1",
    ],
    [
      "half a surrogate pair",
      new Map([["\ud800", zeros([1])]]),
      undefined,
      "value",
      'expected text, got half of a surrogate pair at position 0 of "\\ud800"',
    ],
    [
      "numbers without a shape",
      new Map([["a", new Float32Array(3)]]),
      undefined,
      "value",
      'expected "a" to be a tensor or { shape, data: Int32Array }, got a Float32Array',
    ],
    [
      "nothing",
      new Map([["a", undefined]]),
      undefined,
      "value",
      'expected "a" to be a tensor or { shape, data: Int32Array }, got undefined',
    ],
    [
      "integers of another shape",
      new Map([["a", { shape: [2], data: Int32Array.of(1) }]]),
      undefined,
      "shape",
      '"a" with shape [2] holds 2 values, got 1',
    ],
    [
      "integers without a shape",
      new Map([["a", { data: Int32Array.of(1) }]]),
      undefined,
      "shape",
      "expected a shape such as [2, 3], got undefined",
    ],
    [
      "metadata that are numbers",
      new Map(),
      new Map([["epoch", 3]]),
      "value",
      'expected metadata "epoch" to be a text without NUL, got 3',
    ],
    [
      "a name of metadata with NUL",
      new Map(),
      new Map([["\0", "x"]]),
      "value",
      'expected a name in metadata to be a text without NUL, got "\0", a string',
    ],
  ])("refuses %s", (_, tensors, metadata, code, message) => {
    expect(() => writeSafetensors(tensors as never, metadata as never)).toThrow(
      new DistilgradError(code, `writeSafetensors: ${message}`),
    );
  });

  it("refuses more tensors and longer headers than it reads", () => {
    const many = new Map(Array.from({ length: 100_001 }, (_, i) => [`${i}`, zeros([0])]));
    expect(() => writeSafetensors(many)).toThrow(
      new DistilgradError("value", "writeSafetensors: expected at most 100000 tensors, got 100001"),
    );
    const long = new Map([["note", "x".repeat(16 * 1024 * 1024)]]);
    expect(() => writeSafetensors(new Map(), long)).toThrow(
      /^writeSafetensors: expected a header of at most 16 MiB, got \d+ bytes$/,
    );
  });
});

describe("readSafetensors", () => {
  it("reads what was written, bit by bit: payloads of NaN, −0 and denormals", () => {
    const integers = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0);
    const single = new Tensor(oddFloats(float32).slice(), [2, 3], float32);
    const double = new Tensor(oddFloats(float64).slice(), [6], float64);
    const read = readSafetensors(
      writeSafetensors(
        new Map<string, Tensor | Integers>([
          ["single", single],
          ["double", double],
          ["whole", { shape: [3, 1], data: integers }],
        ]),
      ),
    );
    expect([...read.tensors.keys()]).toEqual(["double", "single"]);
    for (const [name, tensor] of [
      ["single", single],
      ["double", double],
    ] as const) {
      const got = read.tensors.get(name)!;
      expect(bytesOf(got.data)).toEqual(bytesOf(tensor.data));
      expect([got.shape, got.kernels]).toEqual([tensor.shape, tensor.kernels]);
    }
    expect([...read.integers]).toEqual([["whole", { shape: [3, 1], data: integers }]]);
    expect(read.metadata.size).toBe(0);
  });

  it("reads any tensors, names and metadata again, from anywhere in a buffer", () => {
    const name = fc
      .string({ unit: "grapheme", maxLength: 6 })
      .filter((s) => !s.includes("\0") && s !== "__metadata__");
    const shape = fc.array(fc.nat(3), { maxLength: 3 });
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.tuple(shape, fc.boolean()), { maxKeys: 5 }),
        fc.dictionary(
          name,
          fc.string({ unit: "grapheme" }).filter((s) => !s.includes("\0")),
          { maxKeys: 3 },
        ),
        fc.nat(9),
        (described, texts, offset) => {
          const tensors = new Map(
            Object.entries(described).map(([name, [shape, wide]]) => {
              const size = shape.reduce((product, n) => product * n, 1);
              return [name, reshape(arange(size, { kernels: wide ? float64 : float32 }), shape)];
            }),
          );
          const bytes = writeSafetensors(tensors, new Map(Object.entries(texts)));
          const moved = new Uint8Array(bytes.length + offset);
          moved.set(bytes, offset);
          const read = readSafetensors(moved.subarray(offset));
          expect(new Map(read.metadata)).toEqual(new Map(Object.entries(texts)));
          expect(read.tensors.size).toBe(tensors.size);
          for (const [name, value] of tensors) {
            const got = read.tensors.get(name)!;
            expect([got.shape, got.data, got.kernels]).toEqual([value.shape, value.data, value.kernels]);
          }
          expect(writeSafetensors(read.tensors, read.metadata)).toEqual(bytes);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });

  it("gives a model its weights and buffers back", () => {
    const make = (seed: number): Sequential => {
      const random = new RandomStream(seed);
      return new Sequential({
        in: new Linear(3, 4, { random }),
        norm: new BatchNorm1d(4),
        out: new Linear(4, 2, { random }),
      });
    };
    const [one, other] = [make(1), make(2)];
    one.forward(reshape(arange(9), [3, 3]));
    other.loadStateDict(readSafetensors(writeSafetensors(one.stateDict())).tensors);
    const values = (model: Sequential): unknown[] =>
      [...model.stateDict()].map(([name, { data }]) => [name, data]);
    expect(values(other)).toEqual(values(one));
  });

  it("copies: the bytes may change afterwards", () => {
    const bytes = writeSafetensors(new Map([["a", tensor([1, 2])]]));
    const { tensors } = readSafetensors(bytes);
    bytes.fill(0);
    expect([...tensors.get("a")!.data]).toEqual([1, 2]);
  });

  it("reads entries in the header's order, whatever the order of their values", () => {
    const header =
      '{"b":{"data_offsets":[4,8],"shape":[],"dtype":"I32"},"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}} ';
    const bytes = fileOf(header, 8);
    bytes[bytes.length - 8] = 7;
    bytes[bytes.length - 4] = 9;
    expect([...readSafetensors(bytes).integers]).toEqual([
      ["b", { shape: [], data: Int32Array.of(9) }],
      ["a", { shape: [1], data: Int32Array.of(7) }],
    ]);
  });

  const entry = (rest: string): string => `{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]${rest}}}`;
  const one = entry("");

  it.each<[string, Uint8Array, string]>([
    ["too few bytes", new Uint8Array(7), "expected the length of the header in 8 bytes, got 7 bytes"],
    [
      "a header that is too long",
      fileOf(one, 8).fill(1, 3, 4),
      "expected a header of at most 16 MiB, got 16777270 bytes",
    ],
    [
      "a header of 2³² bytes",
      fileOf(one, 8).fill(1, 4, 5),
      "expected a header of at most 16 MiB, got 4294967350 bytes",
    ],
    [
      "a header that ends early",
      fileOf(one, 8).slice(0, 40),
      "expected a header of 54 bytes, got 32; the file is torn",
    ],
    ["no header", fileOf("", 8), 'expected a header that begins with "{"'],
    ["a header that begins with a space", fileOf(` ${one}`, 8), 'expected a header that begins with "{"'],
    ["a list", fileOf("[]", 0), 'expected a header that begins with "{"'],
    [
      "a line end after the header",
      fileOf(`${one}\n`, 8),
      'expected the end at position 54 of the JSON, got "\\n"',
    ],
    [
      "a name twice",
      fileOf(`{"w":1,"\\u0077":1}`, 8),
      'expected each key once at position 7 of the JSON, got "\\"\\\\u0077\\":1"',
    ],
    ["bytes that are no UTF-8", fileOf(one, 8).fill(0xff, 10, 11), "expected UTF-8, got 0xff at byte 2"],
    ["an entry that is no object", fileOf('{"w":1}', 0), 'tensor "w": expected an object'],
    [
      "an unknown key",
      fileOf(entry(',"strides":[1]'), 8),
      'tensor "w": expected dtype, shape and data_offsets, got "strides"',
    ],
    [
      "another dtype",
      fileOf(one.replace("F32", "BF16"), 8),
      'tensor "w": expected a dtype of F64, F32 and I32, got "BF16"',
    ],
    [
      "no dtype",
      fileOf(one.replace('"dtype":"F32",', ""), 8),
      'tensor "w": expected a dtype of F64, F32 and I32, got none',
    ],
    [
      "a dtype in small letters",
      fileOf(one.replace("F32", "f32"), 8),
      'tensor "w": expected a dtype of F64, F32 and I32, got "f32"',
    ],
    [
      "no shape",
      fileOf(one.replace('"shape":[2],', ""), 8),
      'tensor "w": expected a shape, a list of whole numbers of at least 0',
    ],
    [
      "a negative size",
      fileOf(one.replace("[2]", "[-2]"), 8),
      'tensor "w": expected a shape, a list of whole numbers of at least 0',
    ],
    [
      "a size that is a text",
      fileOf(one.replace("[2]", '["2"]'), 8),
      'tensor "w": expected a shape, a list of whole numbers of at least 0',
    ],
    [
      "one offset",
      fileOf(one.replace("[0,8]", "[8]"), 8),
      'tensor "w": expected data_offsets, two whole numbers of at least 0',
    ],
    [
      "offsets in exponent form",
      fileOf(one.replace("[0,8]", "[0,8e0]"), 8),
      'expected a number as JavaScript writes it, or another value at position 50 of the JSON, got "8e0]}}"',
    ],
    [
      "a shape beyond all numbers",
      fileOf(one.replace("[2]", "[9007199254740991,9007199254740991]"), 8),
      'tensor "w": expected fewer values than [9007199254740991, 9007199254740991] has',
    ],
    [
      "a shape of too many axes",
      fileOf(one.replace("[2]", `[0,${"9007199254740991,".repeat(30)}2]`), 8),
      'tensor "w": expected ',
    ],
    [
      "offsets of another size",
      fileOf(one.replace("[2]", "[3]"), 8),
      'tensor "w": expected 12 bytes for F32 [3], got data_offsets [0, 8]',
    ],
    [
      "offsets backwards",
      fileOf(one.replace("[0,8]", "[8,0]"), 8),
      'tensor "w": expected 8 bytes for F32 [2], got data_offsets [8, 0]',
    ],
    [
      "a hole",
      fileOf(one.replace("[0,8]", "[4,12]"), 12),
      'tensor "w": expected values from byte 0 on, got 4: a hole',
    ],
    [
      "an overlap",
      fileOf(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ),
      'tensor "b": expected values from byte 8 on, got 4: an overlap',
    ],
    ["values that stop early", fileOf(one, 7), "expected 8 bytes of values, got 7; the file is torn"],
    [
      "bytes after the last value",
      fileOf(one, 9),
      "expected 8 bytes of values, got 9; the rest belongs to no tensor",
    ],
    ["metadata that are a list", fileOf('{"__metadata__":[]}', 0), "expected __metadata__ to be an object"],
    [
      "metadata that are numbers",
      fileOf('{"__metadata__":{"a":1}}', 0),
      'expected metadata "a" to be a text',
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(expect.objectContaining({ code: "data" }));
    expect(() => readSafetensors(bytes)).toThrow(`readSafetensors: ${message}`);
  });

  it("refuses too many tensors before it looks at any", () => {
    const many = `{${Array.from({ length: 100_002 }, (_, i) => `"${i}":0`).join()}}`;
    expect(() => readSafetensors(fileOf(many, 0))).toThrow(
      new DistilgradError("data", "readSafetensors: expected at most 100000 tensors, got 100002"),
    );
  });

  it("refuses what are no bytes", () => {
    expect(() => readSafetensors(new ArrayBuffer(8) as never)).toThrow(
      new DistilgradError("value", "readSafetensors: expected a Uint8Array, got an ArrayBuffer"),
    );
  });

  it("reads a file with one byte changed as one tensor, or refuses it by name", () => {
    const bytes = writeSafetensors(new Map([["w", tensor([1, 2])]]), new Map([["k", "v"]]));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const edited = bytes.slice();
        edited[at] = byte;
        try {
          const { tensors, integers, metadata } = readSafetensors(edited);
          expect(tensors.size + integers.size).toBe(1);
          expect(metadata.size).toBe(1);
        } catch (error) {
          expect(error).toBeInstanceOf(DistilgradError);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
