/** Reading by index, and its adjoint, adding by index. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arange, oneHot, ones, tensor, zeros } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { concat, embedding, gather, matmul, reshape, slice, sum } from "../../src/ops/index.ts";
import { sizeOf } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import { shape } from "../support/arbitraries.ts";
import { axisWithin } from "./multi-index.ts";

const runs = { seed: 1, numRuns: 60 };

/** Whole numbers, whose sums float32 has exactly. */
const counted = (of: readonly number[]): Tensor => {
  const x = reshape(arange(sizeOf(of)), of).detach();
  x.requiresGrad = true;
  return x;
};

describe("gather", () => {
  it("with a permutation is undone by the inverse", () => {
    fc.assert(
      fc.property(
        axisWithin().chain(([of, axis, given]) =>
          fc.tuple(
            fc.constant({ of, given }),
            fc.shuffledSubarray([...Array(of[axis]).keys()], { minLength: of[axis] }),
          ),
        ),
        ([{ of, given }, order]) => {
          const x = counted(of);
          const inverse = order.map((_, i) => order.indexOf(i));
          const there = gather(x, order, given);
          const back = gather(there, inverse, given);
          expect(back.data).toEqual(x.data);
          // The adjoint of a permutation is its inverse.
          back.backward(x.detach());
          expect(x.grad!.data).toEqual(x.data);
        },
      ),
      runs,
    );
  });

  it("is a concat of slices", () => {
    const x = counted([2, 3, 2]);
    const cut = (i: number): Tensor => slice(x, 1, i, i + 1);
    expect(gather(x, [2, 0, 2, 2], 1).data).toEqual(concat([cut(2), cut(0), cut(2), cut(2)], 1).data);
  });

  it("takes indices of any kind of array, and keeps a copy of its own", () => {
    for (const indices of [
      [2, 0, 2],
      Int32Array.of(2, 0, 2),
      Uint8Array.of(2, 0, 2),
      Float64Array.of(2, -0, 2),
    ]) {
      const x = counted([3]);
      const y = gather(x, indices);
      indices.fill(1);
      expect(y.toArray()).toEqual([2, 0, 2]);
      y.backward(tensor([1, 10, 100]));
      expect(x.grad!.toArray()).toEqual([10, 0, 101]);
    }
  });

  it("adds up the gradients of a repeated index in float64, and rounds once", () => {
    const x = tensor([0, 0], { requiresGrad: true });
    // One after the other in float32, each of the four would round back to 1.
    const tiny = 2 ** -25;
    gather(x, [1, 1, 1, 1, 1]).backward(tensor([1, tiny, tiny, tiny, tiny]));
    expect(x.grad!.toArray()).toEqual([0, 1 + 2 ** -23]);
  });

  it("adds in ascending order of position", () => {
    const x = tensor([0], { kernels: float64, requiresGrad: true });
    const terms = [1, 2 ** 53, 1, -(2 ** 53)];
    gather(x, [0, 0, 0, 0]).backward(tensor(terms, { kernels: float64 }));
    // 1 + 2⁵³ rounds to 2⁵³, and so does 2⁵³ + 1; backwards it would be 2.
    expect(x.grad!.item()).toBe(terms.reduce((total, term) => total + term, 0));
    expect(x.grad!.item()).not.toBe(terms.reduceRight((total, term) => total + term, 0));
  });

  it("takes nothing from anything, and anything of nothing's other axes", () => {
    expect(gather(ones([2, 3]), [], 1).shape).toEqual([2, 0]);
    expect(gather(zeros([0, 3]), [1, 1], 1).shape).toEqual([0, 2]);
    expect(() => gather(zeros([0, 3]), [0])).toThrow("gather: index 0 at position 0 is outside [0, 0)");
    const x = ones([2, 0], { requiresGrad: true });
    gather(x, [1, 1]).backward(zeros([2, 0]));
    expect(x.grad!.shape).toEqual([2, 0]);
  });

  it("shows NaN where it is taken, and gives no gradient to what is not", () => {
    const x = tensor([Number.NaN, 1, 2], { requiresGrad: true });
    const y = gather(x, [1, 0]);
    expect(y.toArray()).toEqual([1, Number.NaN]);
    y.backward(tensor([Number.NaN, 3]));
    expect(x.grad!.toArray()).toEqual([3, Number.NaN, 0]);
  });
});

describe("embedding", () => {
  const lookups = fc
    .tuple(shape({ maxRank: 2 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 4 }))
    .chain(([lead, rows, width]) =>
      fc.tuple(
        fc.constant({ lead, rows, width }),
        fc.array(fc.nat({ max: rows - 1 }), { minLength: sizeOf(lead), maxLength: sizeOf(lead) }),
      ),
    );

  it("is the product of one-hot rows with the weight, and so is its derivative", () => {
    fc.assert(
      fc.property(lookups, ([{ lead, rows, width }, indices]) => {
        const [weight, other] = [counted([rows, width]), counted([rows, width])];
        const y = embedding(tensor(Float32Array.from(indices), { shape: lead }), weight);
        const product = matmul(oneHot(indices, rows), other);
        expect(y.shape).toEqual([...lead, width]);
        expect(y.data).toEqual(product.data);
        const dy = counted([indices.length, width]).detach();
        y.backward(reshape(dy, y.shape));
        product.backward(dy);
        expect(weight.grad!.data).toEqual(other.grad!.data);
      }),
      runs,
    );
  });

  it("is gather along the first axis", () => {
    fc.assert(
      fc.property(lookups, ([{ lead, rows, width }, indices]) => {
        const weight = counted([rows, width]);
        const y = embedding(tensor(Float32Array.from(indices), { shape: lead }), weight);
        expect(y.data).toEqual(gather(weight, indices).data);
      }),
      runs,
    );
  });

  it("gives one row for a single index", () => {
    expect(
      embedding(
        tensor(1),
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ).toArray(),
    ).toEqual([3, 4]);
  });

  it("copies the indices, so that they may change before backward", () => {
    const indices = tensor([1, 1]);
    const weight = ones([2, 1], { requiresGrad: true });
    const y = embedding(indices, weight);
    indices.update((data) => data.fill(0));
    sum(y).backward();
    expect(weight.grad!.toArray()).toEqual([[0], [2]]);
  });

  it("lets no gradient flow into the indices", () => {
    const indices = tensor([0, 1], { requiresGrad: true });
    const weight = ones([2, 3], { requiresGrad: true });
    sum(embedding(indices, weight)).backward();
    expect(indices.grad).toBeNull();
    expect(embedding(indices, weight.detach()).requiresGrad).toBe(false);
  });

  it("refuses a table without rows as soon as there is an index", () => {
    expect(() => embedding(tensor([0]), zeros([0, 3]))).toThrow(
      "embedding: index 0 at position 0 is outside [0, 0)",
    );
    expect(embedding(zeros([0]), zeros([0, 3])).shape).toEqual([0, 3]);
  });
});
