/** binaryCrossEntropy where logits are sure, infinite or none, and what it has in common with other losses. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { binaryCrossEntropy, crossEntropy, sigmoid } from "../../src/ops/index.ts";
import type { Tensor } from "../../src/tensor.ts";
import { in64, operand, shape } from "../support/arbitraries.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const runs = { seed: 1, numRuns: 60 };
const parameter = (values: number[], kernels: Kernels): Tensor =>
  tensor(values, { kernels, requiresGrad: true });
const gradient = (x: Tensor): number[] => [...(x.grad?.data ?? [])];

const pair = shape({ minSize: 1 }).chain((drawn) => fc.tuple(operand(drawn), operand(drawn)));

describe("binaryCrossEntropy", () => {
  const single = (
    z: number,
    t: number,
    kernels: Kernels = float64,
  ): { loss: number; dz: number; dt: number } => {
    const [logits, targets] = [parameter([z], kernels), parameter([t], kernels)];
    const loss = binaryCrossEntropy(logits, targets);
    loss.backward();
    return { loss: loss.item(), dz: gradient(logits)[0], dt: gradient(targets)[0] };
  };

  it.each([float32, float64])("is exact for logits of ±1e4 in $name", (kernels) => {
    expect(single(1e4, 1, kernels)).toEqual({ loss: 0, dz: 0, dt: -1e4 });
    expect(single(-1e4, 0, kernels)).toEqual({ loss: 0, dz: 0, dt: 1e4 });
    expect(single(1e4, 0, kernels)).toEqual({ loss: 1e4, dz: 1, dt: -1e4 });
    expect(single(-1e4, 1, kernels)).toEqual({ loss: 1e4, dz: -1, dt: 1e4 });
    expect(single(1e4, 0.5, kernels)).toEqual({ loss: 5e3, dz: 0.5, dt: -1e4 });
  });

  it("keeps the digits of a logit that is sure and right", () => {
    // log(1 + e^−40) and σ(−40) differ from e^−40 by e^−80 only.
    const small = Math.exp(-40);
    const { loss, dz } = single(40, 1);
    expect(Math.abs(loss - small)).toBeLessThanOrEqual(4 * 2 ** -53 * small);
    expect(Math.abs(dz + small)).toBeLessThanOrEqual(4 * 2 ** -53 * small);
    const mirrored = single(-40, 0);
    expect(mirrored.loss).toBe(loss);
    expect(mirrored.dz).toBe(-dz);
  });

  it("takes an infinite logit that is right for certain, with no gradient at all", () => {
    expect(single(-infinity, 0)).toEqual({ loss: 0, dz: 0, dt: 0 });
    expect(single(infinity, 1)).toEqual({ loss: 0, dz: 0, dt: 0 });
  });

  it("is infinite for one that is wrong, with a finite gradient", () => {
    expect(single(-infinity, 1)).toEqual({ loss: infinity, dz: -1, dt: infinity });
    expect(single(infinity, 0)).toEqual({ loss: infinity, dz: 1, dt: -infinity });
    expect(single(infinity, 0.25)).toEqual({ loss: infinity, dz: 0.75, dt: -infinity });
  });

  it("takes targets of 0 and 1, whose derivative −z / n goes on", () => {
    expect(single(2, 0).dt).toBe(-2);
    expect(single(2, 1).dt).toBe(-2);
    expect(single(-3, 0).dt).toBe(3);
  });

  it.each([
    [none, 0],
    [none, 1],
    [none, 0.5],
    [1, none],
    [-1, none],
    [infinity, none],
  ])("shows NaN: logit %d, target %d", (z, t) => {
    const { loss, dz } = single(z, t);
    expect(loss).toBeNaN();
    expect(dz).toBeNaN();
  });

  it("is never negative", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (z, t) => {
        expect(single(z, t).loss).toBeGreaterThanOrEqual(0);
      }),
      runs,
    );
  });

  it("is the cross-entropy of two classes with the logits z and 0", () => {
    fc.assert(
      fc.property(pair, ([z, v]) => {
        const probs = v.values.map((x) => 1 / (1 + Math.exp(-x)));
        const own = binaryCrossEntropy(in64(z), in64({ shape: v.shape, values: probs })).item();
        const rows = [z.values.length, 2];
        const two = crossEntropy(
          in64({ shape: rows, values: z.values.flatMap((x) => [x, 0]) }),
          in64({ shape: rows, values: probs.flatMap((p) => [p, 1 - p]) }),
        ).item();
        // Losses of at most 5, from exponentials, logarithms and sums in float64: some ten roundings of 2⁻⁵³ each.
        expect(Math.abs(own - two)).toBeLessThanOrEqual(50 * 2 ** -53);
      }),
      runs,
    );
  });

  it("has its least loss where the logits agree with the targets: no gradient there", () => {
    fc.assert(
      fc.property(operand([5]), (z) => {
        const logits = in64(z);
        const targets = sigmoid(logits.detach());
        logits.requiresGrad = true;
        binaryCrossEntropy(logits, targets).backward();
        for (const g of gradient(logits)) expect(Math.abs(g)).toBeLessThanOrEqual(2 ** -52);
      }),
      runs,
    );
  });

  it("is symmetric in the two answers", () => {
    fc.assert(
      fc.property(pair, ([z, v]) => {
        // Eighths, so that 1 − t is exact.
        const t = v.values.map((x) => (Math.round(x) + 4) / 8);
        const straight = binaryCrossEntropy(in64(z), in64({ shape: v.shape, values: t }));
        const turned = binaryCrossEntropy(
          in64({ shape: z.shape, values: z.values.map((x) => -x) }),
          in64({ shape: v.shape, values: t.map((x) => 1 - x) }),
        );
        expect(turned.item()).toBe(straight.item());
      }),
      runs,
    );
  });

  it("asks that its second argument is not logits, and takes the ends of the interval", () => {
    expect(binaryCrossEntropy(tensor([0, 0]), tensor([0, 1])).item()).toBe(Math.fround(Math.LN2));
    expect(() => binaryCrossEntropy(tensor([0, 0]), tensor([0, 1 + 2 ** -23]))).toThrow("at entry 1");
    expect(() => binaryCrossEntropy(tensor([0, 0]), tensor([-(2 ** -149), 1]))).toThrow("at entry 0");
  });
});
