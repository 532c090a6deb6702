/** Floor 0, annex: the optimizer updates as programs, class d. */
import { set, whenElse } from "./assembler/control.ts";
import { add, div, mul, splat, sqrt, sub } from "./assembler/f32x4.ts";
import type { ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { defineVectors } from "./vectors.ts";

/**
 * Defines `sgdStep(w, g, v, n, rate, momentum, decay, nesterov)`, v being 0 where there is none, and
 * `adamStep(w, g, m, v, n, rate, beta1, gamma1, beta2, gamma2, epsilon, decay, root)`, with gamma = 1 − beta. Numbers
 * come rounded to float32.
 */
export function defineUpdates(builder: ModuleBuilder): void {
  const { each } = defineVectors(builder);

  builder.define(
    "sgdStep",
    ["i32", "i32", "i32", "i32", "f32", "f32", "f32", "i32"],
    (declare, w, g, v, n, rate, momentum, decay, nesterov) => {
      const slope = declare("v128"); // g'
      const velocity = declare("v128");
      const steps = (heavy: boolean, ahead: boolean) =>
        each(n, heavy ? [w, g, v] : [w, g], (byte, store) => [
          set(slope, add(v128.load(g, byte), mul(splat(decay), v128.load(w, byte)))),
          ...(heavy
            ? [
                set(velocity, add(mul(splat(momentum), v128.load(v, byte)), slope)),
                store(v, velocity),
                set(slope, ahead ? add(slope, mul(splat(momentum), velocity)) : velocity),
              ]
            : []),
          store(w, sub(v128.load(w, byte), mul(splat(rate), slope))),
        ]);
      return [whenElse(v, [whenElse(nesterov, steps(true, true), steps(true, false))], steps(false, false))];
    },
  );

  builder.define(
    "adamStep",
    ["i32", "i32", "i32", "i32", "i32", "f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32"],
    (declare, w, g, m, v, n, rate, beta1, gamma1, beta2, gamma2, epsilon, decay, root) => {
      const slope = declare("v128"); // g'
      const mean = declare("v128");
      const square = declare("v128");
      return [
        ...each(n, [w, g, m, v], (byte, store) => [
          set(slope, add(v128.load(g, byte), mul(splat(decay), v128.load(w, byte)))),
          set(mean, add(mul(splat(beta1), v128.load(m, byte)), mul(splat(gamma1), slope))),
          set(square, add(mul(splat(beta2), v128.load(v, byte)), mul(mul(splat(gamma2), slope), slope))),
          store(m, mean),
          store(v, square),
          store(
            w,
            sub(
              v128.load(w, byte),
              mul(splat(rate), div(mean, add(div(sqrt(square), splat(root)), splat(epsilon)))),
            ),
          ),
        ]),
      ];
    },
  );
}
