import { DistilgradError } from "../errors.ts";
import { accelerateOnce } from "../kernels/wasm/accelerate-once.ts";
import { formatShape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";

/**
 * An affine map of every row.
 *
 *     Y  = X · Wᵀ + b
 *     dX = dY · W        dW = dYᵀ · X        db = Σ dY over rows
 *
 * The product accumulates, so the bias is simply what Y starts from.
 *
 * @param x `[…, in]`
 * @param weight `[out, in]`
 * @param bias `[out]`, may be left out, or null
 * @returns `[…, out]`
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  accelerateOnce();
  const k = bias ? kernelsOf("linear", x, weight, bias) : kernelsOf("linear", x, weight);
  const [outputs, inputs] = weight.shape;
  if (x.shape.length < 1 || weight.shape.length !== 2 || x.shape.at(-1) !== inputs) {
    const hint = sizeOf(x.shape.slice(1)) === inputs ? "; make rows of x with Flatten" : "";
    throw new DistilgradError(
      "shape",
      `linear: expected x [rows, in] and weight [out, in], got x ${formatShape(x.shape)} and weight ${formatShape(weight.shape)}${hint}`,
    );
  }
  if (bias && (bias.shape.length !== 1 || bias.size !== outputs)) {
    throw new DistilgradError(
      "shape",
      `linear: expected bias [out] for weight ${formatShape(weight.shape)}, got ${formatShape(bias.shape)}`,
    );
  }
  const lead = x.shape.slice(0, -1);
  const rows = lead.reduce((n, length) => n * length, 1);
  const y = bias ? k.room(rows * outputs) : k.alloc(rows * outputs);
  if (bias) k.fillRows(y, bias.data, rows);
  k.matmulTransposedB(y, x.data, weight.data, rows, inputs, outputs);

  const partials = [
    wrt(x, (dx, dy) => k.matmul(dx, dy, weight.data, rows, outputs, inputs)),
    wrt(weight, (dw, dy) => k.matmulTransposedA(dw, dy, x.data, outputs, rows, inputs)),
  ];
  if (bias) partials.push(wrt(bias, (db, dy) => k.sumRows(db, dy, rows)));
  return record("linear", y, [...lead, outputs], partials);
}
