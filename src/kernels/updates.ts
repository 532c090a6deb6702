/** Floor 0: float32 optimizer updates, class d: one rounding per operation, in the order of the formula. */
import type { Kernels } from "./kernels.ts";

const round = Math.fround;

export const updates = {
  sgdStep(w, g, v, settings) {
    const rate = round(settings.rate);
    const momentum = round(settings.momentum);
    const decay = round(settings.decay);
    for (let i = 0; i < w.length; i++) {
      let step = round(g[i] + round(decay * w[i])); // g'
      if (v !== null) {
        const velocity = round(round(momentum * v[i]) + step);
        v[i] = velocity;
        step = settings.nesterov ? round(step + round(momentum * velocity)) : velocity;
      }
      w[i] -= round(rate * step);
    }
  },

  adamStep(w, g, m, v, settings) {
    const rate = round(settings.rate);
    const beta1 = round(settings.beta1);
    const beta2 = round(settings.beta2);
    // 1 − β is rounded from the exact difference: 1 − 0.999 is off by 1.3e-5 if β is rounded first.
    const gamma1 = round(1 - settings.beta1);
    const gamma2 = round(1 - settings.beta2);
    const epsilon = round(settings.epsilon);
    const decay = round(settings.decay);
    const root = round(settings.root);
    for (let i = 0; i < w.length; i++) {
      const slope = round(g[i] + round(decay * w[i])); // g'
      const mean = round(round(beta1 * m[i]) + round(gamma1 * slope));
      const square = round(round(beta2 * v[i]) + round(round(gamma2 * slope) * slope));
      m[i] = mean;
      v[i] = square;
      w[i] -= round(rate * round(mean / round(round(round(Math.sqrt(square)) / root) + epsilon)));
    }
  },
} satisfies Partial<Kernels>;
