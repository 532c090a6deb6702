import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainFloat32 } from "../../../src/kernels/plain-float32.ts";
import { defineRows } from "../../../src/kernels/wasm/rows.ts";
import { log1p } from "../../../src/math.ts";
import { RandomStream } from "../../../src/random.ts";
import { bitsOf, floatsOf, SCRATCH, simdPrograms } from "../../support/simd-programs.ts";

const runs = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 150 : 5000 };
const call = simdPrograms((builder) => defineRows(builder, builder.importFunction("log1p", ["f64"], "f64")), {
  log1p,
});
const seeds = fc.nat(1e6);
const sizes = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(1003));
const rowCounts = fc.integer({ min: 0, max: 4 });
const colCounts = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(133));

/** Logits of all magnitudes, so that powers are ordinary, denormal and 0; with ties; and some that are no numbers. */
function logitsOf(size: number, random: RandomStream): Float32Array {
  const scale = [1, 10, 300, 1e5, 1e-6][random.below(5)];
  const odd = random.below(3) === 0;
  return floatsOf(size, random).map((x) => {
    if (odd) return x;
    const z = random.normal() * scale;
    return random.below(4) === 0 ? Math.round(z) : z;
  });
}

describe("sums by SIMD", () => {
  it("have the bits of the plain ones, for every size and special value", () => {
    fc.assert(
      fc.property(sizes, seeds, (n, seed) => {
        const random = new RandomStream(seed);
        const [x, y] = [floatsOf(n, random), floatsOf(n, random)];
        expect(bitsOf(Float64Array.of(call("sum", [x], n)))).toEqual(
          bitsOf(Float64Array.of(plainFloat32.sum(x))),
        );
        expect(bitsOf(Float64Array.of(call("dot", [x, y], n)))).toEqual(
          bitsOf(Float64Array.of(plainFloat32.dot(x, y))),
        );
      }),
      runs,
    );
  });
});

describe.each(["softmax", "logSoftmax"] as const)("%s by SIMD", (name) => {
  it("has the bits of the plain loop, forwards and backwards, for every size and special value", () => {
    fc.assert(
      fc.property(rowCounts, colCounts, seeds, (rows, cols, seed) => {
        const random = new RandomStream(seed);
        const x = logitsOf(rows * cols, random);
        const [y, expected] = [new Float32Array(x.length), new Float32Array(x.length)];
        plainFloat32[name](expected, x, rows, cols);
        call(name, [y, x], rows, cols, SCRATCH);
        expect(bitsOf(y)).toEqual(bitsOf(expected));

        const backward = `${name}Backward` as const;
        const [dx, dy] = [floatsOf(x.length, random), floatsOf(x.length, random)];
        const own = random.below(4) === 0 ? floatsOf(x.length, random) : y;
        const expectedDx = dx.slice();
        plainFloat32[backward](expectedDx, own, dy, rows, cols);
        call(backward, [dx, own, dy], rows, cols);
        expect(bitsOf(dx)).toEqual(bitsOf(expectedDx));
      }),
      runs,
    );
  });
});

describe("distribution by SIMD", () => {
  it("has the bits of the plain loop, for every size, temperature and special value", () => {
    const temperatures = fc.constantFrom(1, 4, 0.3, 1e-8, 1e8);
    fc.assert(
      fc.property(rowCounts, colCounts, temperatures, seeds, (rows, cols, temperature, seed) => {
        const x = logitsOf(rows * cols, new RandomStream(seed));
        const [p, logP, expectedP, expectedLogP] = [0, 0, 0, 0].map(() => new Float64Array(x.length));
        plainFloat32.distribution(expectedP, expectedLogP, x, rows, cols, temperature);
        call("distribution", [p, logP, x], rows, cols, SCRATCH, temperature);
        expect(bitsOf(p)).toEqual(bitsOf(expectedP));
        expect(bitsOf(logP)).toEqual(bitsOf(expectedLogP));
      }),
      runs,
    );
  });
});
