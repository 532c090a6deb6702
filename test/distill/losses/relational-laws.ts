/** What holds for both losses on the relations between rows, by distance and by angle. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Tensor } from "../../../src/tensor.ts";
import { apart, type Loss, mapped, pass } from "./cases.ts";

const runs = { seed: 1, numRuns: 100 };

/** e²/2 up to 1, then a line. */
export const huber = (e: number): number => (Math.abs(e) <= 1 ? (e * e) / 2 : Math.abs(e) - 0.5);

/**
 * Tests of the laws.
 *
 * @param spread pairs of features whose rows are apart
 * @param rounding what moving and turning the rows may change
 */
export function relationalLaws(
  loss: Loss,
  spread: fc.Arbitrary<readonly [Tensor, Tensor]>,
  rounding: number,
): void {
  it("does not depend on the size, the place or the orientation of either side", () => {
    fc.assert(
      fc.property(
        spread,
        fc.constantFrom(-2, 0.125),
        fc.double({ min: 0, max: 6, noNaN: true }),
        ([s, t], factor, angle) => {
          const plain = pass(loss, s, t);
          const change = (moved: Tensor): number => Math.abs(pass(loss, moved, t).value - plain.value);
          const larger = mapped(s, (x) => factor * x);
          const scaled = pass(loss, larger, t);
          expect(scaled.value).toBe(plain.value); // by powers of two, which are exact
          const back = scaled.student.map((g) => g * factor);
          expect(apart(back, plain.student)).toBe(0);
          expect(change(mapped(s, (x, i) => x + 5 * (i % s.shape[1])))).toBeLessThanOrEqual(rounding);
          if (s.shape[1] !== 2) return;
          const turned = mapped(s, (x, i) =>
            i % 2 === 0
              ? Math.cos(angle) * x - Math.sin(angle) * s.data[i + 1]
              : Math.sin(angle) * s.data[i - 1] + Math.cos(angle) * x,
          );
          expect(change(turned)).toBeLessThanOrEqual(rounding);
        },
      ),
      runs,
    );
  });

  it("has gradients that move no mean and change no size: they sum to 0, and are perpendicular to the features", () => {
    fc.assert(
      fc.property(spread, ([s, t]) => {
        const { student: ds } = pass(loss, s, t);
        const width = s.shape[1];
        for (let c = 0; c < width; c++) {
          const column = ds.filter((_, i) => i % width === c);
          expect(Math.abs(column.reduce((a, b) => a + b))).toBeLessThanOrEqual(1e-13);
        }
        expect(Math.abs(ds.reduce((total, g, i) => total + g * s.data[i], 0))).toBeLessThanOrEqual(1e-13);
      }),
      runs,
    );
  });

  it("is symmetric, and exactly 0 with gradients of 0 for equal features", () => {
    fc.assert(
      fc.property(spread, ([s, t]) => {
        const [one, other] = [pass(loss, s, t), pass(loss, t, s)];
        expect(other).toEqual({ value: one.value, student: one.teacher, teacher: one.student });
        const equal = pass(loss, s, s);
        expect([equal.value, ...equal.student, ...equal.teacher].every((x) => x === 0)).toBe(true);
      }),
      runs,
    );
  });
}
