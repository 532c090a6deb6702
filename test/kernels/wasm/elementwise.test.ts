import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainFloat32 } from "../../../src/kernels/plain-float32.ts";
import { defineElementwise } from "../../../src/kernels/wasm/elementwise.ts";
import { RandomStream } from "../../../src/random.ts";
import { bitsOf, floatsOf, simdPrograms } from "../../support/simd-programs.ts";

const runs = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 100 : 5000 };
const call = simdPrograms(defineElementwise);
const sizes = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(1003));
const seeds = fc.nat(1e6);

describe.each(["add", "sub", "mul", "div", "addProduct", "reluBackward"] as const)("%s by SIMD", (name) => {
  it("has the bits of the plain loop, for every size and special value", () => {
    fc.assert(
      fc.property(sizes, seeds, (n, seed) => {
        const random = new RandomStream(seed);
        const [y, a, b] = [0, 1, 2].map(() => floatsOf(n, random));
        const expected = y.slice();
        plainFloat32[name](expected, a, b);
        call(name, [y, a, b], n, 0);
        expect(bitsOf(y)).toEqual(bitsOf(expected));
      }),
      runs,
    );
  });
});

describe("relu by SIMD", () => {
  it("has the bits of the plain loop, for every size and special value", () => {
    fc.assert(
      fc.property(sizes, seeds, (n, seed) => {
        const x = floatsOf(n, new RandomStream(seed));
        const [y, expected] = [new Float32Array(n), new Float32Array(n)];
        plainFloat32.relu(expected, x);
        call("relu", [y, x, x], n, 0);
        expect(bitsOf(y)).toEqual(bitsOf(expected));
      }),
      runs,
    );
  });
});

const factors = fc.constantFrom(
  0,
  -0,
  1,
  -1,
  0.5,
  0.1,
  -3e38,
  1e300,
  1e-300,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
);

describe.each(["scale", "addScaled"] as const)("%s by SIMD", (name) => {
  it("has the bits of the plain loop, for factors within float32 and beyond, also in place", () => {
    fc.assert(
      fc.property(sizes, seeds, factors, fc.boolean(), (n, seed, s, inPlace) => {
        const random = new RandomStream(seed);
        const x = floatsOf(n, random);
        const y = inPlace ? x : floatsOf(n, random);
        const expected = y.slice();
        plainFloat32[name](expected, s, inPlace ? expected : x);
        call(name, [y, x, x], n, s);
        expect(bitsOf(y)).toEqual(bitsOf(expected));
      }),
      runs,
    );
  });
});

describe("rows by SIMD", () => {
  const sides = fc.integer({ min: 0, max: 37 });

  it("are filled as by the plain loop", () => {
    fc.assert(
      fc.property(sides, sides, seeds, (rows, cols, seed) => {
        const b = floatsOf(cols, new RandomStream(seed));
        const [y, expected] = [new Float32Array(rows * cols), new Float32Array(rows * cols)];
        plainFloat32.fillRows(expected, b, rows);
        call("fillRows", [y, b], rows, cols);
        expect(bitsOf(y)).toEqual(bitsOf(expected));
      }),
      runs,
    );
  });

  it("are summed as by the plain loop", () => {
    fc.assert(
      fc.property(sides, sides, seeds, (rows, cols, seed) => {
        const random = new RandomStream(seed);
        const [db, dy] = [floatsOf(cols, random), floatsOf(rows * cols, random)];
        const expected = db.slice();
        plainFloat32.sumRows(expected, dy, rows);
        call("sumRows", [db, dy], rows, cols);
        expect(bitsOf(db)).toEqual(bitsOf(expected));
      }),
      runs,
    );
  });
});
