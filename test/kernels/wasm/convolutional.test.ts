/** The programs of convolutional networks against the plain loops: the same bits, and nothing written beyond an array. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillChannels, sumChannels } from "../../../src/kernels/channels.ts";
import { unrolling } from "../../../src/kernels/columns.ts";
import { addImage, addMap, addWeight, type Convolution } from "../../../src/kernels/convolutions.ts";
import type { Floats, Kernels } from "../../../src/kernels/kernels.ts";
import { plainFloat32 } from "../../../src/kernels/plain-float32.ts";
import { addTaken, maxPool } from "../../../src/kernels/pooling.ts";
import { convolutional } from "../../../src/kernels/wasm/convolutional.ts";
import { defineProducts } from "../../../src/kernels/wasm/products.ts";
import type { Windows } from "../../../src/kernels/windows.ts";
import { RandomStream } from "../../../src/random.ts";
import { bitsOf, floatsOf, simdPrograms } from "../../support/simd-programs.ts";

const runs = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 150 : 3000 };
const call = simdPrograms((builder) => convolutional.define(builder, defineProducts(builder, 1024)));

/** Whole numbers as what the watched memory takes: floats of the same bytes. */
const asFloats = (values: Floats | Int32Array): Floats =>
  values instanceof Int32Array ? new Float32Array(values.buffer, values.byteOffset, values.length) : values;

let calls = 0;

/** How many of a program's parameters are arrays: the first ones. */
const arraysOf: Readonly<Record<string, number>> = {
  addMap: 5,
  addImage: 5,
  addWeight: 5,
  maxPool: 3,
  addTaken: 3,
  sumChannels: 2,
};

/** The plain set, with programs that run in watched memory. An address is the place of its array, counted below 0. */
const watched: Kernels = {
  ...plainFloat32,
  simd: {
    run(extension, _, arrays, use) {
      expect(extension).toBe(convolutional);
      const operands = arrays.map((array) =>
        asFloats(typeof array === "number" ? new Float32Array(array) : array),
      );
      const program =
        (name: string) =>
        (...values: number[]): number => {
          calls++;
          const own = arraysOf[name];
          return call(
            name,
            values.slice(0, own).map((value) => (value === 0 ? null : operands[-1 - value])),
            ...values.slice(own),
          );
        };
      use(
        Object.fromEntries(Object.keys(arraysOf).map((name) => [name, program(name)])),
        ...arrays.map((_, i) => -1 - i),
      );
      return true;
    },
  },
};

const axis = (most: number): fc.Arbitrary<Windows> =>
  fc
    .record({
      taps: fc.integer({ min: 1, max: 4 }),
      stride: fc.constantFrom(1, 1, 1, 2, 3),
      padding: fc.integer({ min: 0, max: 4 }),
      dilation: fc.constantFrom(1, 1, 1, 2, 3),
      more: fc.integer({ min: 0, max: most }),
    })
    .map(({ more, ...settings }) => {
      const { taps, stride, padding, dilation } = settings;
      const reach = dilation * (taps - 1) + 1;
      const length = Math.max(reach - 2 * padding, 1) + more;
      return { ...settings, length, count: Math.floor((length + 2 * padding - reach) / stride) + 1 };
    });

const geometries = fc
  .record({
    samples: fc.integer({ min: 0, max: 3 }),
    groups: fc.constantFrom(1, 1, 2, 3),
    inputs: fc.integer({ min: 0, max: 4 }),
    outputs: fc.constantFrom(1, 2, 5, 8, 17),
    vertical: axis(6),
    horizontal: axis(20),
  })
  .map(({ vertical, horizontal, ...channels }) => ({ ...channels, ...unrolling(vertical, horizontal) }));

const seeds = fc.nat(1e6);

describe.each([
  ["addMap", addMap, "map"],
  ["addImage", addImage, "image"],
  ["addWeight", addWeight, "weight"],
] as const)("%s by SIMD", (_, run, written) => {
  it("has the bits of the plain loops, for every geometry and special value", () => {
    fc.assert(
      fc.property(geometries, seeds, fc.boolean(), (geometry, seed, specials) => {
        const random = new RandomStream(seed);
        const { samples, groups, inputs, outputs, vertical, horizontal } = geometry;
        const draw = (size: number): Floats =>
          specials ? floatsOf(size, random) : Float32Array.from({ length: size }, () => random.normal());
        const operands = {
          map: draw(samples * groups * outputs * vertical.count * horizontal.count),
          weight: draw(groups * outputs * inputs * vertical.taps * horizontal.taps),
          image: draw(samples * groups * inputs * vertical.length * horizontal.length),
        };
        const results = [plainFloat32, watched].map((kernels) => {
          const own = { ...operands, [written]: operands[written].slice() };
          const others = {
            map: ["weight", "image"],
            image: ["weight", "map"],
            weight: ["map", "image"],
          } as const;
          const [first, second] = others[written];
          const convolution: Convolution = { ...geometry, kernels };
          const before = calls;
          run(own[written], own[first], own[second], convolution);
          expect(calls - before).toBe(kernels === watched ? 1 : 0);
          return bitsOf(own[written]);
        });
        expect(results[1]).toEqual(results[0]);
      }),
      runs,
    );
  });
});

describe("maxPool by SIMD", () => {
  const poolings = fc
    .tuple(axis(6), axis(20))
    .filter((axes) => axes.every(({ taps, padding }) => 2 * padding <= taps))
    .map((axes) => axes.map((windows) => ({ ...windows, dilation: 1 })))
    .map((axes) =>
      axes.map((windows) => {
        const { taps, stride, padding, length } = windows;
        return { ...windows, count: Math.floor((length + 2 * padding - taps) / stride) + 1 };
      }),
    );

  it("has the values and the positions of the plain loop, with ties and NaN, and adds where they are", () => {
    fc.assert(
      fc.property(
        poolings,
        fc.integer({ min: 0, max: 3 }),
        seeds,
        fc.boolean(),
        ([vertical, horizontal], planes, seed, ties) => {
          const random = new RandomStream(seed);
          const size = planes * vertical.length * horizontal.length;
          const x = ties
            ? Float32Array.from({ length: size }, () => [0, -0, 1, Number.NaN, -Infinity][random.below(5)])
            : floatsOf(size, random);
          const dy = floatsOf(planes * vertical.count * horizontal.count, random);
          const before = floatsOf(size, random);
          const results = [plainFloat32, watched].map((kernels) => {
            const y = new Float32Array(dy.length);
            const taken = new Int32Array(dy.length);
            const dx = before.slice();
            maxPool(kernels, y, taken, x, vertical, horizontal);
            addTaken(kernels, dx, taken, dy);
            return [bitsOf(y), [...taken], bitsOf(dx)];
          });
          expect(results[1]).toEqual(results[0]);
        },
      ),
      runs,
    );
  });
});

describe("sumChannels by SIMD", () => {
  it("has the bits of the plain loop, for every size and special value", () => {
    const small = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(
        small,
        fc.integer({ min: 1, max: 19 }),
        fc.integer({ min: 1, max: 11 }),
        seeds,
        (samples, channels, positions, seed) => {
          const random = new RandomStream(seed);
          const dy = floatsOf(samples * channels * positions, random);
          const before = floatsOf(channels, random);
          const results = [plainFloat32, watched].map((kernels) => {
            const db = before.slice();
            sumChannels(kernels, db, dy, positions);
            return bitsOf(db);
          });
          expect(results[1]).toEqual(results[0]);
        },
      ),
      runs,
    );
  });

  it("keeps what float32 sums would lose", () => {
    for (const kernels of [plainFloat32, watched]) {
      const db = new Float32Array(2);
      sumChannels(kernels, db, Float32Array.of(2 ** 24, 1, 5, 6, 1, -(2 ** 24), 7, 8), 2);
      expect([...db]).toEqual([2, 26]);
    }
  });
});

describe("fillChannels", () => {
  it("gives every position of a channel its value", () => {
    const y = new Float32Array(12);
    fillChannels(y, Float32Array.of(1, 2), 3);
    expect([...y]).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2]);
  });
});
