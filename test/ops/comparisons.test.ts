/** maximum, minimum and where: ties, NaN, and gradients that stay where they belong. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ones, tensor, zeros } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { NestedNumbers } from "../../src/nested.ts";
import { add, log, maximum, minimum, neg, relu, sub, sum, where } from "../../src/ops/index.ts";
import type { Tensor } from "../../src/tensor.ts";
import { broadcastPair, in64, operand } from "../support/arbitraries.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const runs = { seed: 1, numRuns: 60 };
const parameter = (values: NestedNumbers): Tensor => tensor(values, { kernels: float64, requiresGrad: true });
const gradient = (x: Tensor): number[] => [...(x.grad?.data ?? [])];
const bits = (x: Tensor): string[] => [...x.data].map((value) => (Object.is(value, -0) ? "-0" : `${value}`));

describe.each([
  ["maximum", maximum],
  ["minimum", minimum],
] as const)("%s", (_, op) => {
  it("gives the whole gradient of a tie to the first operand", () => {
    const [a, b] = [parameter([1, -2, 0]), parameter([1, -2, -0])];
    const y = op(a, b);
    expect([...y.data.slice(0, 2)]).toEqual([1, -2]);
    y.backward(tensor([3, 5, 7], { kernels: float64 }));
    expect(gradient(a)).toEqual([3, 5, 7]);
    expect(gradient(b)).toEqual([0, 0, 0]);
  });

  it("gives it once where both operands are the same tensor", () => {
    const x = parameter([1, -2]);
    sum(op(x, x)).backward();
    expect(gradient(x)).toEqual([1, 1]);
  });

  it("lets a NaN win, in either operand, and sends the gradient where it stands", () => {
    const [a, b] = [parameter([none, 1, none, infinity]), parameter([1, none, none, none])];
    const y = op(a, b);
    expect(y.toArray()).toEqual([none, none, none, none]);
    y.backward(ones([4], { kernels: float64 }));
    expect(gradient(a)).toEqual([1, 0, 1, 0]);
    expect(gradient(b)).toEqual([0, 1, 0, 1]);
  });

  it("splits every gradient between its operands without a rest", () => {
    fc.assert(
      fc.property(
        broadcastPair.chain(([a, b]) => fc.tuple(operand(a), operand(b))),
        ([a, b]) => {
          const [p, q] = [in64(a), in64(b)];
          for (const leaf of [p, q]) leaf.requiresGrad = true;
          const y = op(p, q);
          y.backward(ones(y.shape, { kernels: float64 }));
          const total = [...gradient(p), ...gradient(q)].reduce((x, g) => x + g, 0);
          expect(total).toBe(y.size);
        },
      ),
      runs,
    );
  });
});

describe("maximum and minimum", () => {
  const pair = broadcastPair.chain(([a, b]) => fc.tuple(operand(a), operand(b)));

  it("are each other's mirror image", () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const [p, q] = [in64(a), in64(b)];
        expect(bits(neg(maximum(neg(p), neg(q))))).toEqual(bits(minimum(p, q)));
      }),
      runs,
    );
  });

  it("put −0 below 0, in either order", () => {
    const [zero, negative] = [parameter([0]), parameter([-0])];
    for (const [a, b] of [
      [zero, negative],
      [negative, zero],
    ]) {
      expect(bits(maximum(a, b))).toEqual(["0"]);
      expect(bits(minimum(a, b))).toEqual(["-0"]);
    }
  });

  it("give back both operands", () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const [p, q] = [in64(a), in64(b)];
        expect(add(maximum(p, q), minimum(p, q)).toArray()).toEqual(add(p, q).toArray());
      }),
      runs,
    );
  });

  it("are relu where 0 is the first operand, at the kink, too", () => {
    const [x, y] = [parameter([-1, 0, 2, none]), parameter([-1, 0, 2, none])];
    const [ours, theirs] = [maximum(zeros([1], { kernels: float64 }), x), relu(y)];
    expect(ours.toArray()).toEqual(theirs.toArray());
    sum(ours).backward();
    sum(theirs).backward();
    expect(gradient(x)).toEqual(gradient(y));
    expect(gradient(x)).toEqual([0, 0, 1, 1]);
  });
});

describe("where", () => {
  const unequal = (): [Tensor, Tensor] => [parameter([1, 2, 3]), parameter([10, 20, 30])];
  const condition = (values: NestedNumbers): Tensor => tensor(values, { kernels: float64 });

  it("counts every number but zero as a yes, and −0 as zero", () => {
    const [a, b] = [parameter([1, 1, 1, 1, 1]), parameter([2, 2, 2, 2, 2])];
    expect(where(condition([0, -0, 1e-300, -1, infinity]), a, b).toArray()).toEqual([2, 2, 1, 1, 1]);
  });

  it("refuses NaN, which is neither", () => {
    const [a, b] = unequal();
    expect(() => where(condition([[1], [none]]), a, b)).toThrow(
      expect.objectContaining({
        code: "value",
        message: "where: condition picks by zero or not zero, got NaN at entry 1, which is neither",
      }),
    );
  });

  it("keeps its own copy of the condition", () => {
    const [a, b] = unequal();
    const picks = condition([1, 0, 1]);
    const y = where(picks, a, b);
    picks.update((data) => data.fill(0));
    picks.data.fill(0);
    sum(y).backward();
    expect(gradient(a)).toEqual([1, 0, 1]);
    expect(gradient(b)).toEqual([0, 1, 0]);
  });

  it("gives no gradient to a condition that could have one", () => {
    const [a, b] = unequal();
    const picks = parameter([1, 0, 1]);
    sum(where(picks, a, b)).backward();
    expect(picks.grad).toBeNull();
    expect(where(picks, a.detach(), b.detach()).requiresGrad).toBe(false);
  });

  it("may have one tensor in all three places", () => {
    const x = parameter([0, 2, -3]);
    const y = where(x, x, x);
    expect(y.toArray()).toEqual([0, 2, -3]);
    sum(y).backward();
    expect(gradient(x)).toEqual([1, 1, 1]);
  });

  it.each([none, infinity, -infinity])("does not see %d on the side that is not picked", (wild) => {
    const [a, b] = [parameter([wild, 2]), parameter([10, wild])];
    const y = where(condition([0, 1]), a, b);
    expect(y.toArray()).toEqual([10, 2]);
    y.backward(tensor([3, 5], { kernels: float64 }));
    expect(gradient(a)).toEqual([0, 5]);
    expect(gradient(b)).toEqual([3, 0]);
  });

  it("shows NaN on the side that is", () => {
    const [a, b] = [parameter([none, 2]), parameter([10, none])];
    expect(where(condition([1, 0]), a, b).toArray()).toEqual([none, none]);
  });

  it("sends no NaN of the cotangent to the side that is not picked", () => {
    const [a, b] = unequal();
    where(condition([0, 1, 1]), a, b).backward(tensor([none, 1, none], { kernels: float64 }));
    expect(gradient(a)).toEqual([0, 1, none]);
    expect(gradient(b)).toEqual([none, 0, 0]);
  });

  it("keeps a logarithm finite where its operand was made safe first, as the mathematics of ops says", () => {
    const x = parameter([0, 2]);
    const positive = condition([0, 1]);
    const [one, zero] = [ones([2], { kernels: float64 }), zeros([2], { kernels: float64 })];
    sum(where(positive, log(where(positive, x, one)), zero)).backward();
    expect(gradient(x)).toEqual([0, 0.5]);
    const naive = parameter([0, 2]);
    sum(where(positive, log(sub(naive, zero)), zero)).backward();
    // Nothing arrives at the logarithm's pole, so nothing is divided by 0 there.
    expect(gradient(naive)).toEqual([0, 0.5]);
  });
});
