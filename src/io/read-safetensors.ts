import { requireInstance } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { zeros } from "../factories.ts";
import { float32 } from "../kernels/float32.ts";
import { float64 } from "../kernels/float64.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import {
  getBits,
  type Integers,
  LONGEST_HEADER,
  METADATA,
  MOST_TENSORS,
  type Safetensors,
  SIZES,
} from "./safetensors.ts";
import { shown } from "./shown.ts";
import { parseStrictJson, type StrictJson, type StrictObject } from "./strict-json.ts";
import { decodeUtf8 } from "./utf8.ts";

/** What a header says of a tensor. */
interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: Shape;
  /** Bytes from the first value of the file on. */
  readonly begin: number;
  readonly end: number;
}

/**
 * The tensors of a safetensors file, as copies.
 *
 * Stricter than the format where that is safe: a file that two readers could read in two ways is refused. So is anything
 * but F64, F32 and I32.
 *
 * @param bytes all of the file
 * @throws `data`, saying where, on a length, a header or an entry that is not as the format has it; on keys that come
 *   twice or are unknown; on values that overlap, leave a hole or stop before the end; on a header beyond 16 MiB and more
 *   than 100,000 tensors
 * @see Hugging Face, safetensors: Format, https://huggingface.co/docs/safetensors
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const where = "readSafetensors";
  requireInstance(where, "a Uint8Array", bytes, Uint8Array);
  if (bytes.length < 8)
    throw broken(`expected the length of the header in 8 bytes, got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint32(4, true) * 4294967296 + view.getUint32(0, true);
  if (length > LONGEST_HEADER) throw broken(`expected a header of at most 16 MiB, got ${length} bytes`);
  const start = 8 + length;
  if (start > bytes.length) {
    throw broken(`expected a header of ${length} bytes, got ${bytes.length - 8}; the file is torn`);
  }
  if (bytes[8] !== 0x7b || length === 0) throw broken('expected a header that begins with "{"');
  const header = parseStrictJson(where, decodeUtf8(where, bytes.subarray(8, start))) as StrictObject;
  if (header.size > MOST_TENSORS + 1)
    throw broken(`expected at most ${MOST_TENSORS} tensors, got ${header.size}`);

  const metadata = metadataIn(header.get(METADATA));
  const entries = [...header]
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => entryOf(name, entry));
  requireOneAfterTheOther(entries, bytes.length - start);

  const tensors = new Map<string, Tensor>();
  const integers = new Map<string, Integers>();
  for (const { name, dtype, shape, begin } of entries) {
    const at = start + begin;
    if (dtype === "I32") {
      const data = new Int32Array(sizeOf(shape));
      getBits(view, at, data);
      integers.set(name, { shape, data });
    } else {
      const made = zeros(shape, { kernels: dtype === "F64" ? float64 : float32 });
      getBits(view, at, made.data);
      tensors.set(name, made);
    }
  }
  return { tensors, integers, metadata };
}

function metadataIn(value: StrictJson | undefined): Map<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  if (!(value instanceof Map)) throw broken(`expected ${METADATA} to be an object`);
  for (const [name, text] of value) {
    if (typeof text !== "string") throw broken(`expected metadata ${shown(name)} to be a text`);
    metadata.set(name, text);
  }
  return metadata;
}

function entryOf(name: string, entry: StrictJson): Entry {
  const of = (what: string): DistilgradError => broken(`tensor ${shown(name)}: expected ${what}`);
  if (!(entry instanceof Map)) throw of("an object");
  for (const key of entry.keys()) {
    if (!["dtype", "shape", "data_offsets"].includes(key)) {
      throw of(`dtype, shape and data_offsets, got ${shown(key)}`);
    }
  }
  const [dtype, shape, offsets] = [entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")];
  const width = typeof dtype === "string" ? SIZES.get(dtype) : undefined;
  if (typeof dtype !== "string" || width === undefined) {
    throw of(`a dtype of F64, F32 and I32, got ${typeof dtype === "string" ? shown(dtype) : "none"}`);
  }
  if (!areSizes(shape)) throw of("a shape, a list of whole numbers of at least 0");
  if (!areSizes(offsets) || offsets.length !== 2) throw of("data_offsets, two whole numbers of at least 0");
  const size = width * sizeOf(shape);
  if (!Number.isSafeInteger(size)) throw of(`fewer values than ${formatShape(shape)} has`);
  const [begin, end] = offsets;
  if (end - begin !== size) {
    throw of(`${size} bytes for ${dtype} ${formatShape(shape)}, got data_offsets ${formatShape(offsets)}`);
  }
  return { name, dtype, shape, begin, end };
}

const areSizes = (value: StrictJson | undefined): value is readonly number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** Requires that the values fill the file from its first byte to its last, each byte once. */
function requireOneAfterTheOther(entries: readonly Entry[], size: number): void {
  let done = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== done) {
      throw broken(
        `tensor ${shown(name)}: expected values from byte ${done} on, got ${begin}: ${begin > done ? "a hole" : "an overlap"}`,
      );
    }
    done = end;
  }
  if (done !== size) {
    throw broken(
      `expected ${done} bytes of values, got ${size}; ${done > size ? "the file is torn" : "the rest belongs to no tensor"}`,
    );
  }
}

const broken = (what: string): DistilgradError => new DistilgradError("data", `readSafetensors: ${what}`);
