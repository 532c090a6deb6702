import { requireFlag, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { Floats } from "../kernels/kernels.ts";
import { accelerateOnce } from "../kernels/wasm/accelerate-once.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { forEachRun } from "./broadcasting.ts";

export interface MatmulOptions {
  /** Whether b holds its matrices transposed, `[…, n, k]`: Y = A · Bᵀ, without a copy of b. Default false. */
  readonly transposeB?: boolean | undefined;
}

/**
 * The product of two matrices, or of many: axes before the last two are batches, and broadcast.
 *
 *     Y  = A · B
 *     dA = dY · Bᵀ        dB = Aᵀ · dY        each summed over the batches that share it
 *
 * Sums run over k, then over batches, in ascending order. So a matrix in a batch has the bits that it has alone.
 *
 * @param a `[…, m, k]`
 * @param b `[…, k, n]`, or `[…, n, k]` with `transposeB`
 * @returns `[…, m, n]`
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  accelerateOnce();
  const kernels = kernelsOf("matmul", a, b);
  requireOptions("matmul", options, ["transposeB"]);
  const { transposeB = false } = options;
  requireFlag("matmul", "transposeB", transposeB);
  const [m, k] = a.shape.slice(-2);
  const [inner, n] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2);
  if (a.shape.length < 2 || b.shape.length < 2 || k !== inner) {
    throw new DistilgradError(
      "shape",
      `matmul: expected a […, m, k] and b ${transposeB ? "[…, n, k]" : "[…, k, n]"}, got a ${formatShape(a.shape)} and b ${formatShape(b.shape)}`,
    );
  }
  const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcastShapes("matmul", aBatch, bBatch, "batch axes");

  // Where one matrix b serves all, the rows of every batch are rows of one product.
  const single = sizeOf(bBatch) === 1;
  const rows = single ? sizeOf(batch) * m : m;
  const aOf = single ? Int32Array.of(0) : matricesOf(aBatch, batch);
  const bOf = single ? Int32Array.of(0) : matricesOf(bBatch, batch);
  /** Calls `product` with the matrices that belong together, batch after batch. */
  const forEachProduct = (
    y: Floats,
    a: Floats,
    b: Floats,
    product: (y: Floats, a: Floats, b: Floats) => void,
  ): void => {
    for (let i = 0; i < aOf.length; i++) {
      product(matrix(y, i, rows * n), matrix(a, aOf[i], rows * k), matrix(b, bOf[i], k * n));
    }
  };

  const values = kernels.alloc(sizeOf(batch) * m * n);
  forEachProduct(values, a.data, b.data, (y, a, b) => {
    if (transposeB) kernels.matmulTransposedB(y, a, b, rows, k, n);
    else kernels.matmul(y, a, b, rows, k, n);
  });
  return record(
    "matmul",
    values,
    [...batch, m, n],
    [
      wrt(a, (gradient, cotangent) =>
        forEachProduct(cotangent, gradient, b.data, (dy, da, b) => {
          if (transposeB) kernels.matmul(da, dy, b, rows, n, k);
          else kernels.matmulTransposedB(da, dy, b, rows, n, k);
        }),
      ),
      wrt(b, (gradient, cotangent) =>
        forEachProduct(cotangent, a.data, gradient, (dy, a, db) => {
          if (transposeB) kernels.matmulTransposedA(db, dy, a, n, rows, k);
          else kernels.matmulTransposedA(db, a, dy, k, rows, n);
        }),
      ),
    ],
  );
}

/** For every batch of `large`, the number of the matrix of `small` that takes part in it. */
function matricesOf(small: Shape, large: Shape): Int32Array {
  const matrices = new Int32Array(sizeOf(large));
  forEachRun(small, large, (start, at, length, step) => {
    for (let i = 0; i < length; i++) matrices[start + i] = at + i * step;
  });
  return matrices;
}

/** Matrix i of a buffer whose matrices have `size` values, as a view. */
const matrix = (buffer: Floats, i: number, size: number): Floats => buffer.subarray(i * size, (i + 1) * size);
