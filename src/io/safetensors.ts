/** Floor 3: what a safetensors file is made of. Knows names, shapes and numbers, not what they are weights of. */
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Whole numbers of 32 bits, which no tensor holds. */
export interface Integers {
  readonly shape: Shape;
  readonly data: Int32Array;
}

/** What a file holds, in the order in which its header names it. */
export interface Safetensors {
  /** `F32` in the `float32` set, `F64` in the `float64` set. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** `I32`. */
  readonly integers: ReadonlyMap<string, Integers>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Every type of number with its size in bytes, in the order in which a file has them. */
export const SIZES: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ["F64", 8],
  ["F32", 4],
  ["I32", 4],
]);

/** The key that names no tensor. */
export const METADATA = "__metadata__";

/** In bytes: beyond it, a header is no header. */
export const LONGEST_HEADER = 16 * 1024 * 1024;
export const MOST_TENSORS = 100_000;

/** The numbers of a tensor. */
export type Numbers = Float32Array | Float64Array | Int32Array;

/** Bits are moved as whole numbers: as a float, a NaN may lose its payload on the way. */
export function putBits(view: DataView, at: number, data: Numbers): void {
  const { buffer } = data.slice(); // the values alone, wherever they lie
  if (data.BYTES_PER_ELEMENT === 8) {
    const bits = new BigUint64Array(buffer);
    for (let i = 0; i < bits.length; i++) view.setBigUint64(at + 8 * i, bits[i], true);
  } else {
    const bits = new Uint32Array(buffer);
    for (let i = 0; i < bits.length; i++) view.setUint32(at + 4 * i, bits[i], true);
  }
}

export function getBits(view: DataView, at: number, data: Numbers): void {
  if (data.BYTES_PER_ELEMENT === 8) {
    const bits = new BigUint64Array(data.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = view.getBigUint64(at + 8 * i, true);
  } else {
    const bits = new Uint32Array(data.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = view.getUint32(at + 4 * i, true);
  }
}
