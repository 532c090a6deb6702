import { record, type Tensor, wrt } from "../tensor.ts";
import { broadcastOperands } from "./operands.ts";

/**
 * The smaller of two values, element by element, broadcast to a common shape.
 *
 *     y  = min(a, b)
 *     da = dy where a ≤ b, else 0        db = dy where a > b, else 0
 *
 * At a tie the whole gradient goes to a, the first operand. A NaN wins, in either operand: a fault upstream is not
 * hidden.
 */
export function minimum(a: Tensor, b: Tensor): Tensor {
  [a, b] = broadcastOperands("minimum", a, b);
  const [p, q] = [a.data, b.data];
  const y = a.kernels.alloc(a.size);
  for (let i = 0; i < y.length; i++) y[i] = Math.min(p[i], q[i]);
  return record("minimum", y, a.shape, [
    wrt(a, (da, dy) => {
      for (let i = 0; i < da.length; i++) if (firstWins(p[i], q[i])) da[i] += dy[i];
    }),
    wrt(b, (db, dy) => {
      for (let i = 0; i < db.length; i++) if (!firstWins(p[i], q[i])) db[i] += dy[i];
    }),
  ]);
}

function firstWins(a: number, b: number): boolean {
  return a <= b || Number.isNaN(a);
}
