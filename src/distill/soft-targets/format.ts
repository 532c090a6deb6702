/**
 * Floor 4: a store as bytes. Knows where its parts lie, not what answers mean.
 *
 *     "dg-soft\n" · version, uint32 · length of the header, uint32 · header, JSON in UTF-8
 *     · for each answer the SHA-256 of its sample · for each answer its record · SHA-256 of all bytes before
 *
 * Numbers are little-endian. Answers stand in the order of epochs, those of one epoch in the order of the samples.
 */
import { requireInstance } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../io/utf8.ts";
import { sha256 } from "../../sha256.ts";
import { parseDescription, printDescription, type SoftTargetDescription } from "./description.ts";
import { codecOf } from "./mode.ts";

/** What a store holds. */
export interface Stored {
  readonly description: SoftTargetDescription;
  /** The SHA-256 of each answer's sample, 32 bytes each. */
  readonly keys: Uint8Array;
  /** Each answer as its mode's codec writes it. */
  readonly records: Uint8Array;
}

/** Of a SHA-256, in bytes. */
export const KEY = 32;

const MAGIC = /* @__PURE__ */ Uint8Array.from([0x64, 0x67, 0x2d, 0x73, 0x6f, 0x66, 0x74, 0x0a]);
const VERSION = 1;
const FIXED = 16;

/** How many answers a store of this description has. */
export const answersIn = ({ start, end, epochs }: SoftTargetDescription): number => (end - start) * epochs;

/** The bytes of 64 hexadecimal digits. */
export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: KEY }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** The 64 hexadecimal digits of the key at `at`. */
export function hexAt(keys: Uint8Array, at: number): string {
  let hex = "";
  for (let i = at; i < at + KEY; i++) hex += keys[i].toString(16).padStart(2, "0");
  return hex;
}

/** A store as bytes; the same store gives the same bytes. */
export function writeStore({ description, keys, records }: Stored): Uint8Array {
  const header = encodeUtf8("SoftTargets", printDescription(description));
  const end = FIXED + header.length + keys.length + records.length;
  const bytes = new Uint8Array(end + KEY);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, header.length, true);
  bytes.set(header, FIXED);
  bytes.set(keys, FIXED + header.length);
  bytes.set(records, FIXED + header.length + keys.length);
  bytes.set(bytesOfHex(sha256(bytes.subarray(0, end))), end);
  return bytes;
}

/**
 * What `writeStore` wrote, copied.
 *
 * @throws `data` on other bytes: another kind of file, another version, bytes that are missing, added or changed
 */
export function readStore(where: string, bytes: Uint8Array): Stored {
  requireInstance(where, "a Uint8Array", bytes, Uint8Array);
  const refused = (what: string): DistilgradError => new DistilgradError("data", `${where}: ${what}`);
  if (bytes.length < FIXED || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw refused(`expected soft targets, which begin with "dg-soft", got ${bytes.length} other bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint32(8, true);
  if (version !== VERSION) throw refused(`expected version ${VERSION} of the format, got ${version}`);
  const end = bytes.length - KEY;
  if (end < FIXED || sha256(bytes.subarray(0, end)) !== hexAt(bytes, end)) {
    throw refused(`the SHA-256 at the end is not that of the bytes before it; they are torn or were edited`);
  }
  const from = FIXED + view.getUint32(12, true);
  if (from > end) throw refused(`the header is longer than the ${bytes.length} bytes`);
  const description = parseDescription(where, decodeUtf8(where, bytes.subarray(FIXED, from)));
  const answers = answersIn(description);
  const length = answers * (KEY + codecOf(description.mode, description.classes).bytes);
  if (end - from !== length) {
    throw refused(`expected ${length} bytes of answers to ${answers} samples, got ${end - from}`);
  }
  return {
    description,
    keys: bytes.slice(from, from + answers * KEY),
    records: bytes.slice(from + answers * KEY, end),
  };
}
