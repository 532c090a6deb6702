import { kindOf, requireInstance } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape, requireShape, type Shape, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import {
  type Integers,
  LONGEST_HEADER,
  METADATA,
  MOST_TENSORS,
  type Numbers,
  putBits,
  SIZES,
} from "./safetensors.ts";
import { shown } from "./shown.ts";
import { encodeUtf8 } from "./utf8.ts";

const SPACE = 0x20;

/**
 * Tensors as the bytes of a safetensors file, which are the same for the same tensors.
 *
 *     length of the header, uint64 · header, JSON padded with spaces to a multiple of 8 · values, one after the other
 *
 * All is little-endian. F64 comes before F32 and that before I32, within each the names in the order of their code points:
 * the order of the format's own library. Values are copied bit by bit, payloads of NaN included.
 *
 * @param tensors by name, such as `model.stateDict()`
 * @param metadata texts by name, written in the order of their names
 * @throws `value` on a name that is reserved, has a NUL or is no text, on more than 100,000 tensors, and on anything that
 *   is neither a tensor nor integers
 * @see Hugging Face, safetensors: Format, https://huggingface.co/docs/safetensors
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor | Integers>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const where = "writeSafetensors";
  requireInstance(where, "a Map of tensors, as stateDict() gives it", tensors, Map);
  requireInstance(where, "metadata, a Map of texts", metadata, Map);
  if (tensors.size > MOST_TENSORS) {
    throw new DistilgradError(
      "value",
      `${where}: expected at most ${MOST_TENSORS} tensors, got ${tensors.size}`,
    );
  }
  const items = [...tensors].map(([name, value]) => itemOf(where, name, value));
  const rank = ({ dtype }: Item): number => [...SIZES.keys()].indexOf(dtype);
  items.sort((a, b) => rank(a) - rank(b) || byCodePoint(a.name, b.name));
  const fields: string[] = [];
  if (metadata.size > 0) fields.push(`"${METADATA}":{${metadataFields(where, metadata)}}`);
  let size = 0;
  for (const { name, dtype, shape, data } of items) {
    const offsets = [size, size + data.byteLength];
    fields.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${offsets.join(",")}]}`,
    );
    size = offsets[1];
  }
  const header = encodeUtf8(where, `{${fields.join(",")}}`);
  const start = 8 + 8 * Math.ceil(header.length / 8);
  if (start - 8 > LONGEST_HEADER) {
    throw new DistilgradError(
      "value",
      `${where}: expected a header of at most 16 MiB, got ${start - 8} bytes`,
    );
  }
  const bytes = new Uint8Array(start + size).fill(SPACE, 8 + header.length, start);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, start - 8, true);
  bytes.set(header, 8);
  let at = start;
  for (const { data } of items) {
    putBits(view, at, data);
    at += data.byteLength;
  }
  return bytes;
}

/** A tensor on its way into a file. */
interface Item {
  readonly name: string;
  readonly dtype: string;
  readonly shape: Shape;
  readonly data: Numbers;
}

function itemOf(where: string, name: string, value: Tensor | Integers): Item {
  requireText(where, "a name", name);
  if (name === METADATA) {
    throw new DistilgradError(
      "value",
      `${where}: "${METADATA}" is no name for a tensor; pass metadata second`,
    );
  }
  const { shape, data } = value ?? {};
  if (value instanceof Tensor) {
    return { name, dtype: data instanceof Float64Array ? "F64" : "F32", shape, data };
  }
  if (!(data instanceof Int32Array)) {
    throw new DistilgradError(
      "value",
      `${where}: expected ${shown(name)} to be a tensor or { shape, data: Int32Array }, got ${kindOf(value)}`,
    );
  }
  requireShape(where, shape);
  if (sizeOf(shape) !== data.length) {
    throw new DistilgradError(
      "shape",
      `${where}: ${shown(name)} with shape ${formatShape(shape)} holds ${sizeOf(shape)} values, got ${data.length}`,
    );
  }
  return { name, dtype: "I32", shape, data };
}

function metadataFields(where: string, metadata: ReadonlyMap<string, string>): string {
  const sorted = [...metadata].sort(([a], [b]) => byCodePoint(a, b));
  for (const [name, text] of sorted) {
    requireText(where, "a name in metadata", name);
    requireText(where, `metadata ${shown(name)}`, text);
  }
  return sorted.map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`).join(",");
}

/** Requires a text that every reader reads alike. */
function requireText(where: string, what: string, text: unknown): void {
  if (typeof text !== "string" || text.includes("\0")) {
    throw new DistilgradError(
      "value",
      `${where}: expected ${what} to be a text without NUL, got ${kindOf(text)}`,
    );
  }
  encodeUtf8(where, text);
}

/** Of two texts, the one whose first different character has the smaller code point comes first. */
function byCodePoint(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [one, other] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (one !== other) return rankOfUnit(one) - rankOfUnit(other);
  }
  return a.length - b.length;
}

/** Surrogates stand for the largest code points, and are not the largest code units. */
const rankOfUnit = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);
