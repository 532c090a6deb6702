/** Floor 3: text as UTF-8 and back, where no TextDecoder is. Knows code points, not what they say. */
import { DistilgradError } from "../errors.ts";
import { shown } from "./shown.ts";

/**
 * The bytes of a text.
 *
 * @param where the function's name, for messages
 * @throws `value` on half of a surrogate pair, which UTF-8 cannot spell
 * @see RFC 3629, UTF-8, a transformation format of ISO 10646 (2003), §3
 */
export function encodeUtf8(where: string, text: string): Uint8Array {
  const bytes = new Uint8Array(3 * text.length); // no code unit needs more
  let end = 0;
  const put = (byte: number): void => {
    bytes[end++] = byte;
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at)!;
    if (code >= 0xd800 && code < 0xe000) {
      throw new DistilgradError(
        "value",
        `${where}: expected text, got half of a surrogate pair at position ${at} of ${shown(text)}`,
      );
    }
    if (code < 0x80) put(code);
    else {
      if (code < 0x800) put(0xc0 | (code >> 6));
      else {
        if (code < 0x10000) put(0xe0 | (code >> 12));
        else {
          put(0xf0 | (code >> 18));
          put(continuing(code >> 12));
          at++; // a pair of code units
        }
        put(continuing(code >> 6));
      }
      put(continuing(code));
    }
  }
  return bytes.slice(0, end);
}

const continuing = (code: number): number => 0x80 | (code & 0x3f);

/** The least code point that needs so many bytes: a smaller one spelled in as many is another spelling of it. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000];

/**
 * The text that bytes spell.
 *
 * @param where the function's name, for messages
 * @throws `data`, with the position, on what no text is spelled as: a stray or missing byte, a spelling that is longer
 *   than need be, a surrogate, a code point above 0x10FFFF
 * @see RFC 3629, UTF-8, a transformation format of ISO 10646 (2003), §4
 */
export function decodeUtf8(where: string, bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length); // no byte makes more than one
  let end = 0;
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    const length =
      first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    let code = length === 1 ? first : first & (0x7f >> length);
    let sound = length > 0 && at + length <= bytes.length;
    for (let i = 1; sound && i < length; i++) {
      sound = (bytes[at + i] & 0xc0) === 0x80;
      code = (code << 6) | (bytes[at + i] & 0x3f);
    }
    if (!sound || code < LEAST[length] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) {
      throw new DistilgradError(
        "data",
        `${where}: expected UTF-8, got 0x${first.toString(16)} at byte ${at}`,
      );
    }
    if (code < 0x10000) units[end++] = code;
    else {
      units[end++] = 0xd800 + ((code - 0x10000) >> 10);
      units[end++] = 0xdc00 + ((code - 0x10000) & 0x3ff);
    }
    at += length;
  }
  // By the thousand: a text that grows by single characters takes many times its size.
  let text = "";
  for (let at = 0; at < end; at += 1024) {
    text += String.fromCharCode(...units.subarray(at, Math.min(at + 1024, end)));
  }
  return text;
}
