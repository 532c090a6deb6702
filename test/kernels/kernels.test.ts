import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Floats, Kernels } from "../../src/kernels/kernels.ts";
import { plainFloat32 } from "../../src/kernels/plain-float32.ts";
import { argmaxRow } from "../../src/kernels/rows.ts";
import { RandomStream } from "../../src/random.ts";

const round = Math.fround;
const runs = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 200 : 5000 };

type Product = "matmul" | "matmulTransposedA" | "matmulTransposedB";

/** The contract of class a, as a textbook loop: k ascending, one rounding each, from what is in the output. */
function byContract(
  kind: Product,
  c: Float32Array,
  a: Floats,
  b: Floats,
  m: number,
  k: number,
  n: number,
): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = c[i * n + j];
      for (let p = 0; p < k; p++) {
        const x = kind === "matmulTransposedA" ? a[p * m + i] : a[i * k + p];
        const y = kind === "matmulTransposedB" ? b[j * k + p] : b[p * n + j];
        sum = round(sum + round(x * y));
      }
      c[i * n + j] = sum;
    }
  }
}

const special = [
  0,
  -0,
  1,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-45,
  3e38,
  1e-38,
];

function floats(size: number, random: RandomStream, specials: boolean): Float32Array {
  return Float32Array.from({ length: size }, () =>
    specials && random.below(8) === 0 ? special[random.below(special.length)] : random.normal(),
  );
}

/** NaN is one class: its bits are the engine's business. Everything else counts to the sign of zero. */
const bits = (values: Floats): string[] => [...values].map((x) => (Object.is(x, -0) ? "-0" : String(x)));

const sizes = fc.integer({ min: 0, max: 13 });

describe.each<Product>(["matmul", "matmulTransposedA", "matmulTransposedB"])("%s in float32", (kind) => {
  it("has the bits of the textbook loop, for every size and special value", () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, fc.nat(1e6), fc.boolean(), (m, k, n, seed, specials) => {
        const random = new RandomStream(seed);
        const [a, b, c] = [m * k, k * n, m * n].map((size) => floats(size, random, specials));
        const expected = c.slice();
        byContract(kind, expected, a, b, m, k, n);
        float32[kind](c, a, b, m, k, n);
        expect(bits(c)).toEqual(bits(expected));
      }),
      runs,
    );
  });

  it("is the exact product where nothing is rounded", () => {
    const random = new RandomStream(5);
    const [m, k, n] = [17, 23, 19];
    const [a, b] = [m * k, k * n].map((size) =>
      Float32Array.from({ length: size }, () => random.below(64) - 32),
    );
    const [c, d] = [new Float32Array(m * n), new Float64Array(m * n)];
    float32[kind](c, a, b, m, k, n);
    float64[kind](d, a, b, m, k, n);
    expect([...c]).toEqual([...d]);
  });

  it("computes a row in a batch to the same bits as the row alone", () => {
    if (kind === "matmulTransposedA") return;
    const random = new RandomStream(6);
    const [m, k, n] = [11, 7, 10];
    const [a, b] = [m * k, k * n].map((size) => floats(size, random, false));
    const whole = new Float32Array(m * n);
    float32[kind](whole, a, b, m, k, n);
    for (let i = 0; i < m; i++) {
      const row = new Float32Array(n);
      float32[kind](row, a.subarray(i * k, (i + 1) * k), b, 1, k, n);
      expect(row).toEqual(whole.slice(i * n, (i + 1) * n));
    }
  });
});

describe.each<[string, Kernels]>([
  ["float32", plainFloat32],
  ["float64", float64],
])("the %s set", (name, kernels) => {
  it("says its name and makes zeroed buffers of its type", () => {
    expect(kernels.name).toBe(name);
    expect(kernels.alloc(3)).toEqual(name === "float32" ? new Float32Array(3) : new Float64Array(3));
  });

  it("adds into buffers called d…, and overwrites the others", () => {
    const from = (...values: number[]): Floats => {
      const buffer = kernels.alloc(values.length);
      buffer.set(values);
      return buffer;
    };
    const dx = from(10, 20);
    kernels.addScaled(dx, 2, from(1, 2));
    expect([...dx]).toEqual([12, 24]);
    kernels.addProduct(dx, from(3, 4), from(1, 2));
    expect([...dx]).toEqual([15, 32]);
    kernels.reluBackward(dx, from(-1, 1), from(5, 5));
    expect([...dx]).toEqual([15, 37]);
    kernels.sumRows(dx, from(1, 2, 3, 4), 2);
    expect([...dx]).toEqual([19, 43]);
    kernels.softmaxBackward(dx, from(0.5, 0.5), from(1, 0), 1, 2);
    expect([...dx]).toEqual([19.25, 42.75]);
    kernels.logSoftmaxBackward(dx, from(Number.NEGATIVE_INFINITY, 0), from(1, 0), 1, 2);
    expect([...dx]).toEqual([20.25, 41.75]);

    const y = from(7, 7);
    kernels.add(y, from(1, 2), from(3, 4));
    expect([...y]).toEqual([4, 6]);
    kernels.fillRows(y, from(9), 2);
    expect([...y]).toEqual([9, 9]);
    kernels.relu(y, from(-1, 2));
    expect([...y]).toEqual([0, 2]);
  });

  it("sums rows in float64: a small addend survives a large one", () => {
    const db = kernels.alloc(1);
    const dy = kernels.alloc(3);
    dy.set([2 ** 24, 1, -(2 ** 24)]);
    kernels.sumRows(db, dy, 3);
    expect(db[0]).toBe(1);
  });

  it("does nothing to empty buffers", () => {
    const none = kernels.alloc(0);
    kernels.softmax(none, none, 0, 3);
    kernels.logSoftmax(none, none, 0, 3);
    kernels.matmul(none, none, none, 0, 0, 0);
    kernels.fillRows(none, kernels.alloc(3), 0);
    expect(none.length).toBe(0);
  });
});

describe("one operation an element", () => {
  it("is the correctly rounded float32 result", () => {
    const random = new RandomStream(8);
    const [a, b] = [floats(5000, random, true), floats(5000, random, true)];
    const y = new Float32Array(5000);
    for (const [op, f] of [
      ["add", (x: number, z: number) => x + z],
      ["sub", (x: number, z: number) => x - z],
      ["mul", (x: number, z: number) => x * z],
      ["div", (x: number, z: number) => x / z],
    ] as const) {
      float32[op](y, a, b);
      expect(bits(y)).toEqual(bits(Float32Array.from(a, (x, i) => round(f(x, b[i])))));
    }
  });
});

describe("argmaxRow", () => {
  it("takes the first of equals, and the first NaN before all", () => {
    expect(argmaxRow(Float32Array.of(9, 1, 3, 3), 1, 3)).toBe(2);
    expect(argmaxRow(Float32Array.of(1, Number.NaN, 3, Number.NaN), 0, 4)).toBe(1);
    expect(argmaxRow(Float32Array.of(Number.NaN, 3), 0, 2)).toBe(0);
    expect(argmaxRow(Float32Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY), 0, 2)).toBe(0);
  });
});
