/**
 * Floor 0: elementwise kernels of classes b and c. The arithmetic is float64 and the store rounds; for one operation
 * on float32 operands that is the correctly rounded float32 result (Figueroa 1995: 53 ≥ 2·24 + 2), so one loop serves
 * both precisions.
 */
import type { Kernels } from "./kernels.ts";

export const elementwise = {
  fillRows(y, b, rows) {
    for (let r = 0; r < rows; r++) y.set(b, r * b.length);
  },
  add(y, a, b) {
    for (let i = 0; i < y.length; i++) y[i] = a[i] + b[i];
  },
  sub(y, a, b) {
    for (let i = 0; i < y.length; i++) y[i] = a[i] - b[i];
  },
  mul(y, a, b) {
    for (let i = 0; i < y.length; i++) y[i] = a[i] * b[i];
  },
  div(y, a, b) {
    for (let i = 0; i < y.length; i++) y[i] = a[i] / b[i];
  },
  scale(y, s, x) {
    for (let i = 0; i < y.length; i++) y[i] = s * x[i];
  },
  addScaled(dx, s, dy) {
    for (let i = 0; i < dx.length; i++) dx[i] += s * dy[i];
  },
  addProduct(dx, a, dy) {
    for (let i = 0; i < dx.length; i++) dx[i] += a[i] * dy[i];
  },
  relu(y, x) {
    // Written so that a NaN, which no comparison holds for, passes through.
    for (let i = 0; i < y.length; i++) y[i] = x[i] <= 0 ? 0 : x[i];
  },
  reluBackward(dx, x, dy) {
    for (let i = 0; i < dx.length; i++) if (!(x[i] <= 0)) dx[i] += dy[i];
  },
} satisfies Partial<Kernels>;
