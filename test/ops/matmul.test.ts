/** Batches of products: each matrix as if it were alone, and gradients of those that several batches share. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ones, tensor, zeros } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { matmul, transpose } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";

const runs = { seed: 1, numRuns: 40 };
const random = new RandomStream(5, "matmul");

/** Float32 values with all their bits, so that every product and every sum rounds. */
function drawn(shape: Shape): Tensor {
  const values = Float32Array.from({ length: sizeOf(shape) }, () => 2 * random.uniform() - 1);
  return new Tensor(values, shape, float32);
}

function leaf(x: Tensor): Tensor {
  const copy = x.detach();
  copy.requiresGrad = true;
  return copy;
}

/** Matrix i of a batch. */
function matrix(x: Tensor, i: number): Tensor {
  const shape = x.shape.slice(-2);
  return new Tensor(x.data.slice(i * sizeOf(shape), (i + 1) * sizeOf(shape)), shape, float32);
}

const size = fc.integer({ min: 0, max: 9 });

/** Two batches, and which of their matrices belong together, in the order of the result. */
const pairings: readonly (readonly [
  what: string,
  aBatch: Shape,
  bBatch: Shape,
  pairs: readonly number[][],
])[] = [
  [
    "two batches",
    [3],
    [3],
    [
      [0, 0],
      [1, 1],
      [2, 2],
    ],
  ],
  [
    "a batch and one matrix",
    [3],
    [],
    [
      [0, 0],
      [1, 0],
      [2, 0],
    ],
  ],
  [
    "a batch and one matrix with axes of its own",
    [3],
    [1, 1],
    [
      [0, 0],
      [1, 0],
      [2, 0],
    ],
  ],
  [
    "one matrix and a batch",
    [],
    [3],
    [
      [0, 0],
      [0, 1],
      [0, 2],
    ],
  ],
  [
    "every matrix of two batches",
    [2, 1],
    [3],
    [
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ],
  ],
  [
    "rows of batches and one matrix for each",
    [2, 2],
    [2, 1],
    [
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 1],
    ],
  ],
];

describe("matmul", () => {
  it.each(pairings)(
    "gives a matrix and its rows the bits that they have alone: %s",
    (_, aBatch, bBatch, pairs) => {
      fc.assert(
        fc.property(size, size, size, fc.boolean(), (m, k, n, transposeB) => {
          const a = drawn([...aBatch, m, k]);
          const b = drawn([...bBatch, ...(transposeB ? [n, k] : [k, n])]);
          const y = matmul(a, b, { transposeB });
          expect(y.size).toBe(pairs.length * m * n);
          for (const [i, [aAt, bAt]] of pairs.entries()) {
            const [left, right] = [matrix(a, aAt), matrix(b, bAt)];
            expect(matrix(y, i).data).toEqual(matmul(left, right, { transposeB }).data);
            if (m === 0) continue;
            const row = new Tensor(left.data.slice((m - 1) * k), [1, k], float32);
            expect(matmul(row, right, { transposeB }).data).toEqual(matrix(y, i).data.slice((m - 1) * n));
          }
        }),
        runs,
      );
    },
  );

  it.each(pairings)(
    "adds up gradients product after product, to the last bit: %s",
    (_, aBatch, bBatch, pairs) => {
      fc.assert(
        fc.property(size, size, size, fc.boolean(), (m, k, n, transposeB) => {
          const a = leaf(drawn([...aBatch, m, k]));
          const b = leaf(drawn([...bBatch, ...(transposeB ? [n, k] : [k, n])]));
          const y = matmul(a, b, { transposeB });
          const dy = drawn(y.shape);
          y.backward(dy);
          const lefts = Array.from({ length: sizeOf(aBatch) }, (_, i) => leaf(matrix(a, i)));
          const rights = Array.from({ length: sizeOf(bBatch) }, (_, i) => leaf(matrix(b, i)));
          for (const [i, [aAt, bAt]] of pairs.entries()) {
            matmul(lefts[aAt], rights[bAt], { transposeB }).backward(matrix(dy, i));
          }
          for (const [i, left] of lefts.entries()) expect(matrix(a.grad!, i).data).toEqual(left.grad!.data);
          for (const [i, right] of rights.entries())
            expect(matrix(b.grad!, i).data).toEqual(right.grad!.data);
        }),
        runs,
      );
    },
  );

  it("multiplies by a transposed matrix as if it had been transposed first, to the last bit and backward too", () => {
    fc.assert(
      fc.property(size, size, size, fc.constantFrom([], [2]), (m, k, n, batch) => {
        const [a, b, dy] = [drawn([2, m, k]), drawn([...batch, n, k]), drawn([2, m, n])];
        const [a1, b1, a2, b2] = [leaf(a), leaf(b), leaf(a), leaf(b)];
        const [y1, y2] = [matmul(a1, b1, { transposeB: true }), matmul(a2, transpose(b2))];
        y1.backward(dy);
        y2.backward(dy);
        expect(y1.data).toEqual(y2.data);
        expect(a1.grad!.data).toEqual(a2.grad!.data);
        expect(b1.grad!.data).toEqual(b2.grad!.data);
      }),
      runs,
    );
  });

  it("is one product where one matrix serves all batches", () => {
    let calls = 0;
    const counting = {
      ...float32,
      matmul(...parts: Parameters<typeof float32.matmul>) {
        calls++;
        float32.matmul(...parts);
      },
    };
    const batches = ones([2, 3, 4, 5], { kernels: counting });
    matmul(batches, ones([5, 6], { kernels: counting }));
    expect(calls).toBe(1);
    matmul(batches, ones([2, 3, 5, 6], { kernels: counting }));
    expect(calls).toBe(1 + 6);
  });

  it("has no products without a batch, and zeros without an inner dimension", () => {
    expect(matmul(zeros([0, 2, 3]), ones([3, 4])).shape).toEqual([0, 2, 4]);
    expect(matmul(zeros([0, 2, 3]), ones([1, 3, 4])).shape).toEqual([0, 2, 4]);
    expect(matmul(ones([2, 0]), ones([5, 0, 2])).data).toEqual(new Float32Array(20));
    const b = ones([3, 4], { requiresGrad: true });
    matmul(zeros([0, 2, 3]), b).backward(zeros([0, 2, 4]));
    expect(b.grad!.data).toEqual(new Float32Array(12));
    const a = ones([2, 3], { requiresGrad: true });
    matmul(a, zeros([0, 3, 4])).backward(zeros([0, 2, 4]));
    expect(a.grad!.data).toEqual(new Float32Array(6));
  });

  it("hides no NaN, and leaves the other matrices of its batch alone", () => {
    const a = tensor([[[Number.NaN]], [[2]]]);
    expect(matmul(a, tensor([[3]])).toArray()).toEqual([[[Number.NaN]], [[6]]]);
    expect(matmul(a, tensor([[[0]], [[3]]])).toArray()).toEqual([[[Number.NaN]], [[6]]]);
  });
});
