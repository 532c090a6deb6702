import { DistilgradError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * The product of two matrices.
 *
 *     Y  = A · B
 *     dA = dY · Bᵀ        dB = Aᵀ · dY
 *
 * @param a `[m, k]`
 * @param b `[k, n]`
 * @returns `[m, n]`
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const kernels = kernelsOf("matmul", a, b);
  if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[1] !== b.shape[0]) {
    throw new DistilgradError(
      "shape",
      `matmul: expected a [m, k] and b [k, n], got a ${formatShape(a.shape)} and b ${formatShape(b.shape)}`,
    );
  }
  const [m, k] = a.shape;
  const n = b.shape[1];
  const y = kernels.alloc(m * n);
  kernels.matmul(y, a.data, b.data, m, k, n);
  return record(
    "matmul",
    y,
    [m, n],
    [
      wrt(a, (da, dy) => kernels.matmulTransposedB(da, dy, b.data, m, n, k)),
      wrt(b, (db, dy) => kernels.matmulTransposedA(db, a.data, dy, k, m, n)),
    ],
  );
}
