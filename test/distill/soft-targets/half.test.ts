import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { float32FromHalf, halfFromFloat32 } from "../../../src/distill/soft-targets/half.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function halfOf(x: number): number {
  float[0] = x;
  return halfFromFloat32(bits[0]);
}

/** The value of a half by its definition; NaN for those that have none. */
function worthOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(half >> 10) & 0x1f, half & 0x3ff];
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** All finite halves of a positive sign, ascending: half h has the value at h. */
const positive = Array.from({ length: 0x7c00 }, (_, half) => worthOf(half));

/** The nearest half by search: of two equally near, the even one. */
function nearest(x: number): number {
  const size = Math.abs(x);
  let [low, high] = [0, 0x7c00];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (positive[middle] <= size) low = middle;
    else high = middle;
  }
  // Infinity stands where the next half would: 2^16.
  const above = low + 1 === 0x7c00 ? 65536 : positive[low + 1];
  const [down, up] = [size - positive[low], above - size];
  const rounded = down < up || (down === up && low % 2 === 0) ? low : low + 1;
  return (x < 0 || Object.is(x, -0) ? 0x8000 : 0) | rounded;
}

describe("a half", () => {
  it("is a float32 and comes back from it with the same bits, each of the 65,536", () => {
    const wrong: number[] = [];
    for (let half = 0; half < 65536; half++) {
      bits[0] = float32FromHalf(half);
      if (!Object.is(float[0], worthOf(half))) wrong.push(half);
      if (halfFromFloat32(float32FromHalf(half)) !== half) wrong.push(half);
    }
    expect(wrong).toEqual([]);
  });

  it("is the nearest one to a float32: at every half, halfway to the next, and one float32 to either side of that", () => {
    const wrong: number[] = [];
    for (let half = 0; half < 0x7bff; half++) {
      const middle = (positive[half] + positive[half + 1]) / 2;
      float[0] = middle;
      const at = bits[0];
      expect(float[0]).toBe(middle);
      for (const near of [at - 1, at, at + 1].filter((near) => near >= 0)) {
        bits[0] = near;
        const x = float[0];
        if (halfOf(x) !== nearest(x) || halfOf(-x) !== nearest(-x)) wrong.push(x);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("is the nearest one to any float32, by search", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -70000, max: 70000 }), (x) => {
        if (Math.abs(x) < 65536) expect(halfOf(x)).toBe(nearest(x));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("is infinite from 65520 on, and 65504 below", () => {
    expect([65504, 65519.996, 65520, 65536, 3e38, Number.POSITIVE_INFINITY].map(halfOf)).toEqual([
      0x7bff, 0x7bff, 0x7c00, 0x7c00, 0x7c00, 0x7c00,
    ]);
    expect(halfOf(-65520)).toBe(0xfc00);
  });

  it("is 0 up to the half of its least value, and keeps its sign", () => {
    expect([2 ** -25, -(2 ** -25), 1.0001 * 2 ** -25, 1e-40, -0].map(halfOf)).toEqual([
      0, 0x8000, 1, 0, 0x8000,
    ]);
  });

  it("is NaN for every NaN, also for those whose payload it has no room for", () => {
    for (const nan of [0x7f800001, 0xff800001, 0x7fc00000, 0x7f801fff]) {
      const half = halfFromFloat32(nan);
      expect(worthOf(half)).toBeNaN();
      expect(half >>> 15).toBe(nan >>> 31);
    }
  });
});
