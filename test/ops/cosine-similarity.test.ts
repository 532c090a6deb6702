/** cosineSimilarity of parallel, short, long and no vectors. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ones, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { cosineSimilarity, softmax } from "../../src/ops/index.ts";
import type { Tensor } from "../../src/tensor.ts";
import { in64, type Operand, operand, operandIn } from "../support/arbitraries.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const runs = { seed: 1, numRuns: 60 };
const u = 2 ** -24;
const parameter = (values: number[], kernels: Kernels = float64): Tensor =>
  tensor(values, { kernels, requiresGrad: true });
const gradient = (x: Tensor): number[] => [...(x.grad?.data ?? [])];

describe("cosineSimilarity", () => {
  const drawn = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 9 }))
    .chain((of) => fc.tuple(operand(of), operand(of)));

  it("is 1 to the last bit for equal vectors in float32, and −1 for opposite ones", () => {
    const vectors = fc.array(
      fc.float({ noNaN: true, noDefaultInfinity: true }).filter((x) => Math.abs(x) > 1e-6),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(vectors, (values) => {
        const x = tensor(values);
        const opposite = tensor(values.map((v) => -v));
        expect(cosineSimilarity(x, x).item()).toBe(1);
        expect(cosineSimilarity(x, opposite).item()).toBe(-1);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("lies within [−1, 1], however nearly parallel or opposite", () => {
    fc.assert(
      fc.property(drawn, fc.double({ min: 0.1, max: 10, noNaN: true }), ([x], factor) => {
        for (const f of [factor, -factor]) {
          const near = { shape: x.shape, values: x.values.map((v) => v * f) };
          for (const y of cosineSimilarity(in64(x), in64(near)).data) expect(y >= -1 && y <= 1).toBe(true);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it.each([1e30, 3e38, 1e-30])("does not depend on a scale of %d in float32", (size) => {
    const [p, q] = [
      [3, 4].map((x) => Math.fround((x / 4) * size)),
      [4, 3].map((x) => Math.fround((x / 4) * size)),
    ];
    const [a, b] = [parameter(p, float32), parameter(q, float32)];
    // ε far below the lengths. 24/25, from two vectors that rounding moves by u of their lengths, and a rounding.
    const y = cosineSimilarity(a, b, { epsilon: 1e-60 });
    expect(Math.abs(y.item() - 0.96)).toBeLessThanOrEqual(3 * u);
    y.backward();
    for (const g of [...gradient(a), ...gradient(b)]) expect(Number.isFinite(g)).toBe(true);
  });

  it.each([1e150, 1e-150])("does not depend on a scale of %d in float64", (size) => {
    const [a, b] = [parameter([3 * size, 4 * size]), parameter([4 * size, 3 * size])];
    const y = cosineSimilarity(a, b, { epsilon: 1e-300 });
    expect(Math.abs(y.item() - 0.96)).toBeLessThanOrEqual(2 ** -50);
    y.backward();
    // (b/|b| − y a/|a|)/|a| = ([0.8, 0.6] − 0.96 [0.6, 0.8]) / 5 size
    for (const [i, g] of [0.224, -0.168].entries()) {
      expect(Math.abs(gradient(a)[i] * 5 * size - g)).toBeLessThanOrEqual(2 ** -50);
    }
  });

  it("is 0 for the zero vector, with a gradient that points to the other", () => {
    const [a, b] = [parameter([0, 0]), parameter([3, 4])];
    const y = cosineSimilarity(a, b, { epsilon: 0.25 });
    expect(y.item()).toBe(0);
    y.backward();
    // b / (ε · 5), and a / (…) = 0 for b.
    expect(gradient(a)).toEqual([2.4, 3.2]);
    expect(gradient(b)).toEqual([0, 0]);
    const zero = parameter([0, 0]);
    const both = cosineSimilarity(zero, parameter([0, 0]), { epsilon: 1e-200 });
    expect(both.item()).toBe(0);
    both.backward();
    expect(gradient(zero)).toEqual([0, 0]);
  });

  it("has ε = 1e-8 where none is given, and counts a vector of that length as short", () => {
    const [a, b] = [parameter([1e-9]), parameter([2])];
    const y = cosineSimilarity(a, b);
    expect(Math.abs(y.item() - 0.1)).toBeLessThanOrEqual(2 ** -53);
    y.backward();
    expect(gradient(a)).toEqual([1e8]);
    // At the length ε itself, the length counts as a constant.
    const edge = parameter([0.5]);
    cosineSimilarity(edge, parameter([2]), { epsilon: 0.5 }).backward();
    expect(gradient(edge)).toEqual([2]);
    const beyond = parameter([0.5 + 2 ** -52]);
    cosineSimilarity(beyond, parameter([2]), { epsilon: 0.5 }).backward();
    expect(gradient(beyond)).toEqual([0]);
  });

  it("has gradients perpendicular to its vectors", () => {
    fc.assert(
      fc.property(
        operand([6], { min: -3, max: 3, gap: 0.1 }),
        operand([6], { min: -3, max: 3, gap: 0.1 }),
        (p, q) => {
          const [a, b] = [in64(p), in64(q)];
          for (const leaf of [a, b]) leaf.requiresGrad = true;
          cosineSimilarity(a, b).backward();
          for (const leaf of [a, b]) {
            const dot = gradient(leaf).reduce((total, g, i) => total + g * leaf.data[i], 0);
            expect(Math.abs(dot)).toBeLessThanOrEqual(2 ** -49);
          }
        },
      ),
      runs,
    );
  });

  it("computes a pair in a batch to the same bits as the pair alone", () => {
    fc.assert(
      fc.property(drawn, ([x, v]) => {
        const [count, cols] = x.shape;
        const pass = (p: Operand, q: Operand): [number[], number[], number[]] => {
          const [a, b] = [operandIn(float32, p), operandIn(float32, q)];
          for (const leaf of [a, b]) leaf.requiresGrad = true;
          const y = cosineSimilarity(a, b);
          y.backward(ones(y.shape));
          return [[...y.data], gradient(a), gradient(b)];
        };
        const [y, da, db] = pass(x, v);
        for (let row = 0; row < count; row++) {
          const part = <T>(of: readonly T[]): T[] => of.slice(row * cols, (row + 1) * cols);
          const alone = pass(
            { shape: [cols], values: part(x.values) },
            { shape: [cols], values: part(v.values) },
          );
          expect(alone).toEqual([[y[row]], part(da), part(db)]);
        }
      }),
      runs,
    );
  });

  it("shows NaN and infinities in their row only", () => {
    const y = cosineSimilarity(
      tensor([
        [none, 1],
        [infinity, 1],
        [1, 1],
      ]),
      tensor([
        [1, 1],
        [1, 1],
        [1, 1],
      ]),
    );
    expect(y.toArray()).toEqual([none, none, 1]);
    const a = parameter([none, 1]);
    cosineSimilarity(a, parameter([1, 1])).backward();
    expect(gradient(a)).toEqual([none, none]);
  });

  it("gives nothing for no rows", () => {
    expect(cosineSimilarity(ones([0, 3]), ones([0, 3])).shape).toEqual([0]);
  });

  it("is a number between 0 and 1 for two rows of probabilities", () => {
    fc.assert(
      fc.property(drawn, ([x, v]) => {
        for (const y of cosineSimilarity(softmax(in64(x)), softmax(in64(v))).data) {
          expect(y > 0 && y <= 1).toBe(true);
        }
      }),
      runs,
    );
  });
});
