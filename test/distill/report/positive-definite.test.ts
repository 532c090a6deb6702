import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { values } from "../../../src/check/fast-check/index.ts";
import { solvePositiveDefinite } from "../../../src/distill/report/positive-definite.ts";
import { runs, sum, u64 } from "./cases.ts";

const numbers = (length: number) => fc.array(values(), { minLength: length, maxLength: length });

/** M Mᵀ + I, a right side, and the size. */
const systems = fc
  .integer({ min: 1, max: 6 })
  .chain((n) => fc.tuple(numbers(n * n), numbers(n), fc.constant(n)))
  .map(([m, b, n]) => {
    const a = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return (i === j ? 1 : 0) + sum(Array.from({ length: n }, (_, k) => m[i * n + k] * m[j * n + k]));
    });
    return { a, b: Float64Array.from(b), n };
  });

const times = (a: Float64Array, x: Float64Array): number[] =>
  Array.from(x, (_, i) => sum(Array.from(x, (value, j) => a[i * x.length + j] * value)));

describe("solvePositiveDefinite", () => {
  it("solves A x = b", () => {
    fc.assert(
      fc.property(systems, ({ a, b, n }) => {
        const x = solvePositiveDefinite(a, b);
        // Higham (2002), theorem 10.4: a residual of at most 4 n (3 n + 1) u ‖A‖ ‖x‖; the check adds 2 n u of that.
        const norms = n * Math.max(...a.map(Math.abs)) * Math.hypot(...x);
        const off = (4 * n * (3 * n + 1) + 2 * n) * u64 * norms;
        for (const [i, value] of times(a, x).entries()) {
          expect(Math.abs(value - b[i])).toBeLessThanOrEqual(off);
        }
      }),
      runs,
    );
  });

  it("reads the lower half alone, and leaves its arguments as they are", () => {
    const [a, b] = [Float64Array.of(4, Number.NaN, 2, 3), Float64Array.of(8, 8)];
    expect([...solvePositiveDefinite(a, b)]).toEqual([1, 2]);
    expect([...a]).toEqual([4, Number.NaN, 2, 3]);
    expect([...b]).toEqual([8, 8]);
  });

  it("gives a finite x with bᵀ x > 0 where A is singular", () => {
    for (const a of [
      [1, -1, -1, 1],
      [0, 0, 0, 0],
      [0, 0, 0, 2],
    ]) {
      for (const b of [
        [1, 0],
        [0, -1],
        [1, 1],
        [1, -1],
      ]) {
        const x = solvePositiveDefinite(Float64Array.from(a), Float64Array.from(b));
        expect(x.every(Number.isFinite)).toBe(true);
        expect(b[0] * x[0] + b[1] * x[1]).toBeGreaterThan(0);
      }
    }
  });
});
