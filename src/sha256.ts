/** Floor 0: SHA-256 of bytes and of numbers. Knows bits and the order of bytes, not what they stand for. */
import { kindOf } from "./arguments.ts";
import { DistilgradError } from "./errors.ts";

/**
 * The SHA-256 of bytes, as 64 hexadecimal digits in lower case.
 *
 * @see FIPS 180-4, Secure Hash Standard (2015), §6.2
 */
export function sha256(bytes: Uint8Array): string {
  const digest = new Digest();
  digest.add(bytes);
  return digest.hex();
}

/**
 * The SHA-256 of numbers, one array after the other, each number as its little-endian bytes whatever the machine's
 * order.
 *
 * Every NaN counts as the same one, 0x7fc00000 in single and 0x7ff8000000000000 in double precision, because
 * engines may change its other bits whenever they move it; −0 and +0 differ. Only the bytes count: where one array
 * ends and the next begins does not.
 *
 * @throws `value` for a list of anything else: a single array in the place of a list is one of numbers
 * @see FIPS 180-4, Secure Hash Standard (2015), §6.2; IEEE 754-2019, §6.2.1 (quiet NaN)
 */
export function sha256OfFloats(arrays: Iterable<Float32Array | Float64Array | Int32Array>): string {
  const list = [...arrays];
  for (const array of list) {
    if (!(array instanceof Float32Array || array instanceof Float64Array || array instanceof Int32Array)) {
      throw new DistilgradError(
        "value",
        `sha256OfFloats: expected a list of Float32Array, Float64Array or Int32Array, got one of ${kindOf(array)}; pass [tensor.data]`,
      );
    }
  }
  const digest = new Digest();
  const bytes = new Uint8Array(8 * NUMBERS_AT_ONCE);
  const view = new DataView(bytes.buffer);
  for (const array of list) {
    const width = array.BYTES_PER_ELEMENT;
    for (let start = 0; start < array.length; start += NUMBERS_AT_ONCE) {
      const part = array.subarray(start, start + NUMBERS_AT_ONCE);
      if (part instanceof Float64Array) putDoubles(view, part);
      else if (part instanceof Float32Array) putFloats(view, part);
      else for (let i = 0; i < part.length; i++) view.setInt32(4 * i, part[i], true);
      digest.add(bytes.subarray(0, width * part.length));
    }
  }
  return digest.hex();
}

const NUMBERS_AT_ONCE = 1024;

function putFloats(view: DataView, numbers: Float32Array): void {
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i];
    if (Number.isNaN(x)) view.setUint32(4 * i, 0x7fc00000, true);
    else view.setFloat32(4 * i, x, true);
  }
}

function putDoubles(view: DataView, numbers: Float64Array): void {
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i];
    if (Number.isNaN(x)) view.setBigUint64(8 * i, 0x7ff8000000000000n, true);
    else view.setFloat64(8 * i, x, true);
  }
}

/** A message on its way: what is left over from whole blocks of 64 bytes waits in `rest`. */
class Digest {
  /** H, starting at the fractional parts of √2 … √19 (§5.3.3). */
  readonly #hash = new Int32Array([
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ]);
  readonly #schedule = new Int32Array(64);
  readonly #rest = new Uint8Array(64);
  /** Bytes added so far; those in `rest` are this modulo 64. */
  #length = 0;

  add(bytes: Uint8Array): void {
    const waiting = this.#length % 64;
    const taken = waiting === 0 ? 0 : Math.min(64 - waiting, bytes.length);
    this.#rest.set(bytes.subarray(0, taken), waiting);
    this.#length += bytes.length;
    if (taken > 0 && waiting + taken === 64) this.#block(this.#rest, 0);
    let at = taken;
    for (; at + 64 <= bytes.length; at += 64) this.#block(bytes, at);
    if (at < bytes.length) this.#rest.set(bytes.subarray(at));
  }

  /** Ends the message: one bit 1, zeros up to 8 bytes before the end of a block, the length in bits (§5.1.1). */
  hex(): string {
    const padding = new Uint8Array(64 - ((this.#length + 8) % 64) + 8);
    const view = new DataView(padding.buffer);
    padding[0] = 0x80;
    view.setUint32(padding.length - 8, Math.floor(this.#length / 0x20000000));
    view.setUint32(padding.length - 4, (this.#length % 0x20000000) * 8);
    this.add(padding);
    let digits = "";
    for (const word of this.#hash) digits += (word >>> 0).toString(16).padStart(8, "0");
    return digits;
  }

  /** One block of 64 bytes from `at` on (§6.2.2, with the functions of §4.1.2). */
  #block(bytes: Uint8Array, at: number): void {
    const w = this.#schedule;
    for (let t = 0; t < 16; t++, at += 4) {
      w[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let t = 16; t < 64; t++) {
      const s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ (w[t - 15] >>> 3);
      const s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ (w[t - 2] >>> 10);
      w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    const hash = this.#hash;
    let a = hash[0];
    let b = hash[1];
    let c = hash[2];
    let d = hash[3];
    let e = hash[4];
    let f = hash[5];
    let g = hash[6];
    let h = hash[7];
    for (let t = 0; t < 64; t++) {
      const choice = (e & f) ^ (~e & g);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const t1 = (h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + choice + ROUND[t] + w[t]) | 0;
      const t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + majority;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    hash[0] += a;
    hash[1] += b;
    hash[2] += c;
    hash[3] += d;
    hash[4] += e;
    hash[5] += f;
    hash[6] += g;
    hash[7] += h;
  }
}

const rotr = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** K: the first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2). */
const ROUND = /* @__PURE__ */ new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
