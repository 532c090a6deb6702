import { DistilgradError } from "../errors.ts";
import { broadcastShapes, sameShape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { broadcastTo } from "./broadcast-to.ts";
import { forEachRun } from "./broadcasting.ts";

/**
 * Picks from a or from b, element by element; all three are broadcast to a common shape.
 *
 *     y  = a where the condition is not 0, b where it is 0
 *     da = dy where a was picked, else 0        db = dy where b was picked, else 0
 *
 * What is not picked has no part in y and gets the gradient 0, even where it is NaN or infinite. The condition gets no
 * gradient and is copied: a change of it after the call does not matter.
 *
 * @param condition zeros and anything else, such as zeros and ones
 * @throws where the condition holds NaN, which would pick a by accident
 */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const k = kernelsOf("where", condition, a, b);
  const shape = broadcastShapes("where", broadcastShapes("where", a.shape, b.shape), condition.shape);
  const conditions = condition.data;
  for (let i = 0; i < conditions.length; i++) {
    if (Number.isNaN(conditions[i])) {
      throw new DistilgradError(
        "value",
        `where: condition picks by zero or not zero, got NaN at entry ${i}, which is neither`,
      );
    }
  }
  const picked = new Uint8Array(sizeOf(shape));
  forEachRun(condition.shape, shape, (start, at, length, step) => {
    for (let i = 0; i < length; i++) picked[start + i] = conditions[at + i * step] === 0 ? 0 : 1;
  });
  if (!sameShape(a.shape, shape)) a = broadcastTo(a, shape);
  if (!sameShape(b.shape, shape)) b = broadcastTo(b, shape);
  const [p, q] = [a.data, b.data];
  const y = k.alloc(picked.length);
  for (let i = 0; i < y.length; i++) y[i] = picked[i] === 1 ? p[i] : q[i];
  return record("where", y, shape, [
    wrt(a, (da, dy) => {
      for (let i = 0; i < da.length; i++) if (picked[i] === 1) da[i] += dy[i];
    }),
    wrt(b, (db, dy) => {
      for (let i = 0; i < db.length; i++) if (picked[i] === 0) db[i] += dy[i];
    }),
  ]);
}
