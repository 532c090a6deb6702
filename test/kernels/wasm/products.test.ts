import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as f32x4 from "../../../src/kernels/wasm/assembler/f32x4.ts";
import { ModuleBuilder } from "../../../src/kernels/wasm/assembler/module.ts";
import { defineProducts, SCRATCH } from "../../../src/kernels/wasm/products.ts";
import { engine } from "../../../src/kernels/wasm/webassembly.ts";
import { RandomStream } from "../../../src/random.ts";

const round = Math.fround;
const deep = process.env.DISTILGRAD_DEEP !== undefined;

type Kind = "A·B" | "A·Bᵀ" | "Aᵀ·B" | "Aᵀ·Bᵀ";
const kinds: readonly Kind[] = ["A·B", "A·Bᵀ", "Aᵀ·B", "Aᵀ·Bᵀ"];

const PAGES = 512;
/** Where the product's own room begins and ends. */
const SCRATCH_START = 1024;
const SCRATCH_END = SCRATCH_START + SCRATCH;
/** How far beyond an array a program may read. */
const SLACK = 64;
/** Lies around the operands, and shows when it is added to or used: not a NaN, which would stay what it is. */
const CANARY = 0x3fc12345;

function programs(multiplyAdd?: f32x4.MultiplyAdd) {
  const builder = new ModuleBuilder();
  defineProducts(builder, SCRATCH_START, multiplyAdd);
  const { Module, Instance, Memory } = engine()!;
  const memory = new Memory({ initial: PAGES, maximum: PAGES });
  const { exports } = new Instance(new Module(builder.assemble(PAGES)), { m: { m: memory } });
  return {
    product: exports.product,
    floats: new Float32Array(memory.buffer),
    words: new Uint32Array(memory.buffer),
  };
}

const simd = programs();

interface Case {
  readonly kind: Kind;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

const strides = ({ kind, m, k, n }: Case): readonly [ai: number, ap: number, bp: number, bj: number] => [
  ...(kind.startsWith("Aᵀ") ? ([1, m] as const) : ([k, 1] as const)),
  ...(kind.endsWith("Bᵀ") ? ([1, k] as const) : ([n, 1] as const)),
];

/** The contract of class a as a textbook loop. */
function byContract(given: Case, c: Float32Array, a: Float32Array, b: Float32Array): Float32Array {
  const { m, k, n } = given;
  const [ai, ap, bp, bj] = strides(given);
  const result = c.slice();
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = c[i * n + j];
      for (let p = 0; p < k; p++) sum = round(sum + round(a[i * ai + p * ap] * b[p * bp + j * bj]));
      result[i * n + j] = sum;
    }
  }
  return result;
}

const random = new RandomStream(4);
const special = [
  0,
  -0,
  1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-45,
  -1e-39,
  3e38,
];
const specialEvery = (odds: number) => (): number =>
  random.below(odds) === 0 ? special[random.below(special.length)] : random.normal();

/**
 * Computes with the program and by the contract, and says how they differ: undefined when they do not. Operands lie
 * anywhere at whole floats; with `last`, that one ends where no more than the slack is left of the memory.
 */
function difference(
  given: Case,
  value: () => number,
  { last = "", run = simd }: { last?: string; run?: typeof simd } = {},
): string | undefined {
  const { m, k, n } = given;
  const fill = (size: number): Float32Array => Float32Array.from({ length: size }, value);
  const operands = { a: fill(m * k), b: fill(k * n), c: fill(m * n) };
  const at: Record<string, number> = {};
  let end = SCRATCH_END / 4 + 32;
  for (const [name, { length }] of Object.entries(operands)) {
    at[name] = name === last ? run.floats.length - SLACK / 4 - length : end + random.below(4);
    if (name !== last) end = at[name] + length + 32;
  }
  const places: [number, number][] = [
    [SCRATCH_END / 4, end],
    [run.floats.length - 4096, run.floats.length],
  ];
  for (const place of places) run.words.fill(CANARY, ...place);
  for (const [name, values] of Object.entries(operands)) run.floats.set(values, at[name]);
  const before = places.map((place) => run.words.slice(...place));

  const [ai, ap, bp, bj] = strides(given).map((stride) => 4 * stride);
  run.product(4 * at.c, 4 * n, 4 * at.a, ai, ap, 4 * at.b, bp, bj, m, k, n);

  const want = byContract(given, operands.c, operands.a, operands.b);
  const got = run.floats.slice(at.c, at.c + m * n);
  const name = `${m}×${k}×${n} ${given.kind}`;
  for (let i = 0; i < want.length; i++) {
    if (!Object.is(got[i], want[i])) return `${name}: C[${i}] is ${got[i]}, not ${want[i]}`;
  }
  run.words.set(new Uint32Array(operands.c.buffer), at.c);
  for (const [p, [start, stop]] of places.entries()) {
    for (let i = start; i < stop; i++) {
      if (run.words[i] !== before[p][i - start]) return `${name}: written ${i - at.c} floats from C's start`;
    }
  }
}

function every(sizes: readonly (readonly [m: number, k: number, n: number])[], odds: number): string[] {
  return kinds
    .flatMap((kind) => sizes.map(([m, k, n]) => difference({ kind, m, k, n }, specialEvery(odds))))
    .filter((found) => found !== undefined);
}

const upTo = (most: number): number[] => Array.from({ length: most + 1 }, (_, i) => i);

describe("the product program", () => {
  it("gives the bits of the textbook loop, and writes nothing but C, at every combination of tails", () => {
    const sizes = upTo(11).flatMap((m) =>
      upTo(9).flatMap((k) => upTo(17).map((n): [number, number, number] => [m, k, n])),
    );
    expect(every(sizes, 30)).toEqual([]);
  });

  it("does so for random sizes, and with NaN, infinities, zeros of both signs and denormals", () => {
    const kind = fc.constantFrom(...kinds);
    const [m, k, n] = [70, 300, 70].map((max) => fc.integer({ min: 0, max }));
    fc.assert(
      fc.property(fc.record({ kind, m, k, n }), fc.constantFrom(4, 100, 1e9), (given, odds) => {
        expect(difference(given, specialEvery(odds))).toBeUndefined();
      }),
      { seed: 4, numRuns: deep ? 2000 : 150 },
    );
  });

  it("does so when p, rows and columns are taken in blocks", () => {
    const sizes = [
      [1, 511, 9],
      [2, 513, 10],
      [3, 1025, 12],
      [4, 257, 2060],
      [6, 784, 10],
      [257, 3, 5],
      [511, 258, 4],
      [513, 2, 13],
      [512, 512, 9],
      [19, 300, 11],
      [20, 300, 11],
      [1, 300, 1],
      [300, 300, 1],
    ] as const;
    expect(every(sizes, 5000)).toEqual([]);
  });

  it("reads no more than the slack beyond an operand", () => {
    for (const last of ["a", "b", "c"]) {
      for (const kind of kinds) {
        for (const n of [1, 2, 5, 8, 9, 10]) {
          for (const m of [1, 2, 3, 5, 6, 21]) {
            for (const k of [1, 2, 9]) {
              expect(difference({ kind, m, k, n }, specialEvery(1e9), { last })).toBeUndefined();
            }
          }
        }
      }
    }
  });

  it("makes a row alone what it is in a batch", () => {
    const [rows, k, n] = [7, 130, 21];
    for (const kind of ["A·B", "A·Bᵀ"] as const) {
      const given = { kind, m: rows, k, n };
      const [ai, ap, bp, bj] = strides(given).map((stride) => 4 * stride);
      const { product, floats } = simd;
      const [a, b, whole] = [SCRATCH_END, SCRATCH_END + 8192, SCRATCH_END + 32768];
      const parts = whole + 4096;
      for (let i = SCRATCH_END / 4; i < parts / 4; i++) floats[i] = random.normal();
      floats.copyWithin(parts / 4, whole / 4, whole / 4 + rows * n);
      product(whole, 4 * n, a, ai, ap, b, bp, bj, rows, k, n);
      for (let i = 0; i < rows; i++)
        product(parts + 4 * i * n, 4 * n, a + i * ai, ai, ap, b, bp, bj, 1, k, n);
      const at = (start: number): Float32Array => floats.slice(start / 4, start / 4 + rows * n);
      expect(at(parts)).toEqual(at(whole));
    }
  });
});

/** Null where the engine has no relaxed SIMD. */
function fusedPrograms(): typeof simd | null {
  try {
    return programs(f32x4.fusedMultiplyAdd);
  } catch {
    return null;
  }
}

const fused = fusedPrograms();

describe.skipIf(fused === null)("the product program with fused multiply-add", () => {
  it("gives the same where no operation rounds", () => {
    const run = fused!;
    const whole = (): number => random.below(64) - 32;
    for (const kind of kinds) {
      for (const [m, k, n] of [
        [1, 130, 21],
        [2, 9, 10],
        [13, 300, 11],
        [32, 64, 32],
      ]) {
        expect(difference({ kind, m, k, n }, whole, { run })).toBeUndefined();
      }
    }
  });
});
