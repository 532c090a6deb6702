/**
 * Floor 0: the float64 set, for checks. Classes b and c share their loops with float32; products and updates have plain
 * loops of their own, the textbook ones, so that a slip in the tiled ones cannot hide.
 */
import { elementwise } from "./elementwise.ts";
import type { Kernels } from "./kernels.ts";
import { rows } from "./rows.ts";

export const float64: Kernels = {
  name: "float64",
  bytesPerElement: 8,
  alloc: (size) => new Float64Array(size),
  room: (size) => new Float64Array(size),
  wideRoom: (size) => new Float64Array(size),
  lasting: (size) => new Float64Array(size),
  step: (compute) => compute(),
  ...elementwise,
  ...rows,

  matmul(c, a, b, m, k, n) {
    for (let i = 0; i < m; i++) {
      for (let p = 0; p < k; p++) {
        for (let j = 0; j < n; j++) c[i * n + j] += a[i * k + p] * b[p * n + j];
      }
    }
  },
  matmulTransposedB(c, a, b, m, k, n) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let p = 0; p < k; p++) c[i * n + j] += a[i * k + p] * b[j * k + p];
      }
    }
  },
  matmulTransposedA(c, a, b, m, k, n) {
    for (let p = 0; p < k; p++) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) c[i * n + j] += a[p * m + i] * b[p * n + j];
      }
    }
  },

  sgdStep(w, g, v, { rate, momentum, nesterov, decay }) {
    for (let i = 0; i < w.length; i++) {
      let step = g[i] + decay * w[i]; // g'
      if (v !== null) {
        v[i] = momentum * v[i] + step;
        step = nesterov ? step + momentum * v[i] : v[i];
      }
      w[i] -= rate * step;
    }
  },

  adamStep(w, g, m, v, { rate, beta1, beta2, epsilon, decay, root }) {
    for (let i = 0; i < w.length; i++) {
      const slope = g[i] + decay * w[i]; // g'
      m[i] = beta1 * m[i] + (1 - beta1) * slope;
      v[i] = beta2 * v[i] + (1 - beta2) * slope * slope;
      w[i] -= rate * (m[i] / (Math.sqrt(v[i]) / root + epsilon));
    }
  },
};
