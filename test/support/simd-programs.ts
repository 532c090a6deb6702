/** SIMD programs without the set around them: a module of its own, arrays at awkward addresses, and a watch on the rest. */
import { expect } from "vitest";
import type { Floats } from "../../src/kernels/kernels.ts";
import { ModuleBuilder } from "../../src/kernels/wasm/assembler/module.ts";
import { engine } from "../../src/kernels/wasm/webassembly.ts";

const PAGES = 256;
/** Arrays lie from here on; the memory below is scratch. */
const FIRST = 8 << 20;
/** An address for what a program asks for as scratch memory. */
export const SCRATCH = 4 << 20;
/** NaN with a payload: what is added to it, or read of it, shows. */
const UNTOUCHED = 0x7fa5a5a5;

/** Calls a program with arrays, which it may change, and numbers; returns its result. */
export type Call = (
  name: string,
  arrays: readonly (Floats | null)[],
  ...numbers: readonly number[]
) => number;

/** Assembles what `define` puts into a module. Two arrays that are one have one address; none has the address 0. */
export function simdPrograms(define: (builder: ModuleBuilder) => void, imports: object = {}): Call {
  const builder = new ModuleBuilder();
  define(builder);
  const { Instance, Memory, Module } = engine()!;
  const memory = new Memory({ initial: PAGES, maximum: PAGES });
  const module = new Module(builder.assemble(PAGES));
  const programs = new Instance(module, { m: { m: memory, ...imports } }).exports;
  let calls = 0;
  return (name, arrays, ...numbers) => {
    const distinct = [...new Set(arrays.filter((array) => array !== null))];
    const addresses = new Map<Floats | null, number>([[null, 0]]);
    let at = FIRST;
    for (const array of distinct) {
      at += 64 + array.BYTES_PER_ELEMENT * (calls++ % 4);
      addresses.set(array, at);
      at += array.byteLength;
      at += -at & 7;
    }
    const end = at + 64;
    const words = new Uint32Array(memory.buffer, FIRST, (end - FIRST) / 4).fill(UNTOUCHED);
    const inMemory = (array: Floats): Floats =>
      array instanceof Float32Array
        ? new Float32Array(memory.buffer, addresses.get(array), array.length)
        : new Float64Array(memory.buffer, addresses.get(array), array.length);
    for (const array of distinct) inMemory(array).set(array);
    const result = programs[name](...arrays.map((array) => addresses.get(array)!), ...numbers);
    for (const array of distinct) {
      const there = inMemory(array);
      array.set(there);
      new Uint32Array(there.buffer, there.byteOffset, there.byteLength / 4).fill(UNTOUCHED);
    }
    expect(
      words.every((word) => word === UNTOUCHED),
      `${name} wrote beyond its arrays`,
    ).toBe(true);
    return result;
  };
}

const special = [
  0,
  -0,
  1,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** -149,
  -(2 ** -127),
  2 ** -126,
  3.4028234663852886e38,
  -3e38,
];

/** Draws floats of every kind: ordinary ones, and now and then a special one. */
export function floatsOf(size: number, random: { below(n: number): number; normal(): number }): Float32Array {
  return Float32Array.from({ length: size }, () => {
    const kind = random.below(12);
    if (kind === 0) return special[random.below(special.length)];
    if (kind === 1) return random.normal() * 2 ** (random.below(278) - 149);
    return random.normal();
  });
}

/** NaN is one class: its bits are the engine's business. Everything else counts to the sign of zero. */
export const bitsOf = (values: Floats): string[] =>
  [...values].map((x) => (Object.is(x, -0) ? "-0" : String(x)));
