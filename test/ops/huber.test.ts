/** huber where its two forms meet, and far out. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { huber, mse } from "../../src/ops/index.ts";
import type { Tensor } from "../../src/tensor.ts";
import { in64, operand, shape } from "../support/arbitraries.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const runs = { seed: 1, numRuns: 60 };
const parameter = (values: number[]): Tensor => tensor(values, { kernels: float64, requiresGrad: true });
const gradient = (x: Tensor): number[] => [...(x.grad?.data ?? [])];

const pair = shape({ minSize: 1 }).chain((drawn) => fc.tuple(operand(drawn), operand(drawn)));

describe("huber", () => {
  const values = [-3, -1, -0.5, 0, 0.25, 1, 2];

  it("has δ = 1 where none is given, and both forms meet there", () => {
    const x = parameter(values);
    const loss = huber(x, tensor(new Float64Array(7), { kernels: float64 }));
    // 2.5 + 0.5 + 0.125 + 0 + 0.03125 + 0.5 + 1.5
    expect(loss.item()).toBe(5.15625 / 7);
    loss.backward();
    // Within one rounding: the clipped difference times 1/7.
    expect(gradient(x)).toEqual([-1, -1, -0.5, 0, 0.25, 1, 1].map((d) => d * (1 / 7)));
  });

  it("is half of mse where δ exceeds every difference, and its gradient is half of that", () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const of = (loss: (p: Tensor, q: Tensor) => Tensor): [number, number[], number[]] => {
          const [p, q] = [in64(a), in64(b)];
          for (const leaf of [p, q]) leaf.requiresGrad = true;
          const y = loss(p, q);
          y.backward();
          return [y.item(), gradient(p), gradient(q)];
        };
        const [own, squared] = [of((p, q) => huber(p, q, { delta: 100 })), of(mse)];
        expect(Math.abs(own[0] - squared[0] / 2)).toBeLessThanOrEqual(2 ** -52 * own[0]);
        for (const side of [1, 2] as const) {
          for (const [i, g] of own[side].entries())
            expect(Math.abs(g - squared[side][i] / 2)).toBeLessThanOrEqual(2 ** -51 * Math.abs(g));
        }
      }),
      runs,
    );
  });

  it("is symmetric, and opposite gradients go to its operands", () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const [p, q] = [in64(a), in64(b)];
        for (const leaf of [p, q]) leaf.requiresGrad = true;
        huber(p, q).backward();
        expect(gradient(q).map((g) => -g + 0)).toEqual(gradient(p).map((g) => g + 0));
        expect(huber(q, p).item()).toBe(huber(p, q).item());
      }),
      runs,
    );
  });

  it("squares nothing larger than δ: 1e200 is no overflow", () => {
    const x = parameter([1e200, -1e300]);
    const loss = huber(x, tensor([0, 0], { kernels: float64 }), { delta: 2 });
    expect(loss.item()).toBe((2 * (1e200 - 1) + 2 * (1e300 - 1)) / 2);
    loss.backward();
    expect(gradient(x)).toEqual([1, -1]);
  });

  it("shows NaN and infinities, with the gradient ±δ / n for an infinity", () => {
    const x = parameter([none, infinity, -infinity, 0]);
    const y = huber(x, tensor([0, 0, 0, 0], { kernels: float64 }), { delta: 2 });
    expect(y.item()).toBeNaN();
    y.backward();
    expect(gradient(x)).toEqual([none, 0.5, -0.5, 0]);
    expect(huber(tensor([infinity]), tensor([0])).item()).toBe(infinity);
    expect(huber(tensor([0]), tensor([none])).item()).toBeNaN();
  });
});
