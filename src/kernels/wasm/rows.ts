/** Floor 0, annex: the kernels along rows as programs, class c. */
import type { Code, Local } from "./assembler/code.ts";
import { advance, set, when, whenElse, whileTrue } from "./assembler/control.ts";
import * as f32 from "./assembler/f32.ts";
import * as f32x4 from "./assembler/f32x4.ts";
import * as f64 from "./assembler/f64.ts";
import { add, div, mul, splat, sub } from "./assembler/f64x2.ts";
import * as i32 from "./assembler/i32.ts";
import { constant as int, lessThan } from "./assembler/i32.ts";
import type { Declare, ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { exponential } from "./exponential.ts";
import { lanes, times } from "./packing.ts";
import { clear, defineSums } from "./sums.ts";
import { beyond, defineVectors, rounded, wide } from "./vectors.ts";

const one = /* @__PURE__ */ f64.constant(1);

/**
 * Defines the sums; `softmax(y, x, rows, cols, scratch)`, `logSoftmax` alike, and `distribution(p, logP, x, rows, cols,
 * scratch, temperature)`, whose scratch memory has room for a row in float64 and eight values more;
 * `softmaxBackward(dx, y, dy, rows, cols)`, and `logSoftmaxBackward` alike.
 *
 * @param log1p of `math.ts`: needed once a row, it is not worth a program
 */
export function defineRows(builder: ModuleBuilder, log1p: (x: Code<"f64">) => Code<"f64">): void {
  const { each } = defineVectors(builder);
  const { sum, dot, joined } = defineSums(builder);

  /** The largest value of a row, NaN apart. */
  const maximum = builder.define(
    null,
    ["i32", "i32"],
    (declare, x, n) => {
      const max = declare("v128");
      const other = declare("v128");
      return [
        set(max, f32x4.splat(f32.constant(-Infinity))),
        set(other, max),
        whileTrue(
          lessThan(int(7), n),
          set(max, f32x4.greater(max, v128.load(x, 0))),
          set(other, f32x4.greater(other, v128.load(x, 16))),
          advance(x, 32),
          advance(n, -8),
        ),
        whileTrue(n, set(max, f32x4.greater(max, v128.load32Splat(x, 0))), advance(x, 4), advance(n, -1)),
        ...[other, lanes(max, max, [2, 3, 0, 1]), lanes(max, max, [1, 0, 3, 2])].map((x) =>
          set(max, f32x4.greater(max, x)),
        ),
        f64.promote(f32x4.lane0(max)),
      ];
    },
    "f64",
  );

  /**
   * to = exp((x − max)/T); returns the sum but for the first that is max, or NaN where max is infinite or a value is
   * NaN. Of `to`, eight places beyond the row are overwritten.
   */
  const powers = builder.define(
    null,
    ["i32", "i32", "i32", "f64", "f64"],
    (declare, to, x, n, max, temperature) => {
      const exp = exponential(declare);
      const at = declare("i32");
      const from = declare("i32");
      const end = declare("i32");
      const four = times(4, () => declare("v128"));
      const [a, b, c, d] = four;
      return [
        set(at, to),
        set(from, x),
        set(end, beyond(to, n, 3)),
        // Eight values a turn, as V8 makes all constants anew in each.
        whileTrue(
          lessThan(at, end),
          ...four.map((y, i) => set(y, sub(wide(from, 8 * i), splat(max)))),
          when(f64.notEqual(temperature, one), ...four.map((y) => set(y, div(y, splat(temperature))))),
          ...four.map((y, i) => v128.store(at, 16 * i, exp(y))),
          advance(at, 64),
          advance(from, 32),
        ),
        ...clear(end),
        // Where max stands: among four, then which of them.
        set(at, to),
        ...[
          [v128.anyTrue(f32x4.equal(v128.load(x, 0), f32x4.splat(f64.demote(max)))), 4] as const,
          [f64.equal(f64.promote(f32.load(x, 0)), max), 1] as const,
        ].map(([found, step]) =>
          whileTrue(
            i32.and(lessThan(at, end), i32.equalsZero(found)),
            advance(at, 8 * step),
            advance(x, 4 * step),
          ),
        ),
        f64.store(at, 0, f64.constant(0)),
        ...four.map((sum) => set(sum, v128.zero)),
        whileTrue(
          lessThan(to, end),
          ...four.map((sum, i) => set(sum, add(sum, v128.load(to, 16 * i)))),
          advance(to, 64),
        ),
        f64.store(at, 0, one),
        f64.add(joined(a, b, c, d), f64.sub(max, max)),
      ];
    },
    "f64",
  );

  const defineForward = (
    name: string,
    share: (rest: Code<"f64">) => Code<"f64">,
    value: (power: Code<"v128">, x: Code<"v128">, share: Code<"v128">) => Code<"v128">,
  ) =>
    builder.define(name, ["i32", "i32", "i32", "i32", "i32"], (declare, y, x, rows, cols, scratch) => {
      const n = declare("i32");
      const at = declare("i32");
      const max = declare("f64");
      const own = declare("f64");
      return [
        whileTrue(
          rows,
          set(n, cols),
          set(at, scratch),
          set(max, maximum(x, n)),
          set(own, share(powers(at, x, n, max, one))),
          ...each(
            n,
            [y, x],
            (byte, store) => [
              store(
                y,
                rounded((half) =>
                  value(v128.load(at, 2 * (byte + half)), sub(wide(x, byte + half), splat(max)), splat(own)),
                ),
              ),
            ],
            [at],
          ),
          advance(rows, -1),
        ),
      ];
    });
  /** What a power is to be multiplied by. */
  const shareOf = (rest: Code<"f64">): Code<"f64"> => f64.div(one, f64.add(one, rest));
  defineForward("softmax", shareOf, (power, _, share) => mul(power, share));
  defineForward("logSoftmax", log1p, (_, x, above) => sub(x, above));

  builder.define(
    "distribution",
    ["i32", "i32", "i32", "i32", "i32", "i32", "f64"],
    (declare, p, logP, x, rows, cols, scratch, temperature) => {
      const n = declare("i32");
      const at = declare("i32");
      const max = declare("f64");
      const share = declare("f64");
      const above = declare("f64");
      const probs = declare("v128");
      const logProbs = declare("v128");
      return [
        whileTrue(
          rows,
          set(n, cols),
          set(at, scratch),
          set(max, maximum(x, n)),
          set(above, powers(at, x, n, max, temperature)),
          set(share, shareOf(above)),
          set(above, log1p(above)),
          whileTrue(
            lessThan(int(0), n),
            set(probs, mul(v128.load(at, 0), splat(share))),
            set(logProbs, sub(div(sub(wide(x, 0), splat(max)), splat(temperature)), splat(above))),
            whenElse(
              lessThan(int(1), n),
              [v128.store(p, 0, probs), v128.store(logP, 0, logProbs)],
              [v128.store64Low(p, 0, probs), v128.store64Low(logP, 0, logProbs)],
            ),
            ...[at, p, logP].map((array) => advance(array, 16)),
            advance(x, 8),
            advance(n, -2),
          ),
          ...[p, logP].map((array) => set(array, beyond(array, n, 3))),
          set(x, beyond(x, n)),
          advance(rows, -1),
        ),
      ];
    },
  );

  const defineBackward = (
    name: string,
    total: (y: Local<"i32">, dy: Local<"i32">, n: Local<"i32">) => Code<"f64">,
    slope: (declare: Declare) => (y: Code<"v128">, dy: Code<"v128">, total: Code<"v128">) => Code<"v128">,
  ) =>
    builder.define(name, ["i32", "i32", "i32", "i32", "i32"], (declare, dx, y, dy, rows, cols) => {
      const n = declare("i32");
      const own = declare("f64");
      const value = slope(declare);
      return [
        whileTrue(
          rows,
          set(n, cols),
          set(own, total(y, dy, n)),
          ...each(n, [dx, y, dy], (byte, store) => [
            store(
              dx,
              rounded((half) =>
                add(wide(dx, byte + half), value(wide(y, byte + half), wide(dy, byte + half), splat(own))),
              ),
            ),
          ]),
          advance(rows, -1),
        ),
      ];
    });
  defineBackward(
    "softmaxBackward",
    (y, dy, n) => dot(dy, y, n),
    () => (y, dy, total) => mul(y, sub(dy, total)),
  );
  defineBackward(
    "logSoftmaxBackward",
    (_, dy, n) => sum(dy, n),
    (declare) => {
      const exp = exponential(declare);
      return (y, dy, total) => sub(dy, mul(exp(y), total));
    },
  );
}
