/** Floor 0, annex: the elementwise kernels as programs, classes b and c. */
import type { Code } from "./assembler/code.ts";
import { advance, set, whileTrue } from "./assembler/control.ts";
import * as f32x4 from "./assembler/f32x4.ts";
import * as f64x2 from "./assembler/f64x2.ts";
import * as i32 from "./assembler/i32.ts";
import type { ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { times } from "./packing.ts";
import { beyond, defineVectors, rounded, wide } from "./vectors.ts";

const int = i32.constant;

type Vector = Code<"v128">;
type Value = (y: Vector, a: Vector, b: Vector, s: Vector) => Vector;

/** Columns that are summed together: eight sums, since an addition takes several cycles and none waits for another. */
const STRIP = 16;

/** Ones where x ≤ 0, which does not hold for NaN. */
const off = (x: Vector): Vector => f32x4.lessOrEqual(x, v128.zero);

/** Class b: y from its operands, four floats at a time. */
const narrow: Readonly<Record<string, Value>> = {
  add: (_, a, b) => f32x4.add(a, b),
  sub: (_, a, b) => f32x4.sub(a, b),
  mul: (_, a, b) => f32x4.mul(a, b),
  div: (_, a, b) => f32x4.div(a, b),
  relu: (_, x) => v128.andNot(x, off(x)),
  reluBackward: (dx, x, dy) => v128.select(dx, f32x4.add(dx, dy), off(x)),
};

/** Class c: in float64, two at a time. */
const wider: Readonly<Record<string, Value>> = {
  scale: (_, x, __, s) => f64x2.mul(s, x),
  addScaled: (dx, dy, _, s) => f64x2.add(dx, f64x2.mul(s, dy)),
  addProduct: (dx, a, dy) => f64x2.add(dx, f64x2.mul(a, dy)),
};

/**
 * Defines `add(y, a, b, n, s)` and so on, each with all of these parameters, and `fillRows(y, b, rows, cols)`,
 * `sumRows(db, dy, rows, cols)`.
 */
export function defineElementwise(builder: ModuleBuilder): void {
  const { each, storePart } = defineVectors(builder);

  for (const name of [...Object.keys(narrow), ...Object.keys(wider)]) {
    builder.define(name, ["i32", "i32", "i32", "i32", "f64"], (_, y, a, b, n, s) => [
      ...each(n, [y, a, b], (byte, store) => [
        store(
          y,
          name in narrow
            ? narrow[name](v128.load(y, byte), v128.load(a, byte), v128.load(b, byte), v128.zero)
            : rounded((half) =>
                wider[name](wide(y, byte + half), wide(a, byte + half), wide(b, byte + half), f64x2.splat(s)),
              ),
        ),
      ]),
    ]);
  }

  builder.define("fillRows", ["i32", "i32", "i32", "i32"], (declare, y, b, rows, cols) => {
    const from = declare("i32");
    const n = declare("i32");
    return [
      whileTrue(
        rows,
        set(from, b),
        set(n, cols),
        ...each(n, [y, from], (byte, store) => [store(y, v128.load(from, byte))]),
        advance(rows, -1),
      ),
    ];
  });

  builder.define("sumRows", ["i32", "i32", "i32", "i32"], (declare, db, dy, rows, cols) => {
    const at = declare("i32");
    const left = declare("i32");
    const n = declare("i32");
    const sums = times(STRIP / 2, () => declare("v128"));
    return [
      set(n, cols),
      whileTrue(
        i32.lessThan(int(0), n),
        set(at, dy),
        set(left, rows),
        ...sums.map((sum) => set(sum, v128.zero)),
        whileTrue(
          left,
          ...sums.map((sum, pair) => set(sum, f64x2.add(sum, wide(at, 8 * pair)))),
          set(at, beyond(at, cols)),
          advance(left, -1),
        ),
        ...times(STRIP / 4, (four) => [
          storePart(
            db,
            rounded((half) => f64x2.add(wide(db, half), sums[2 * four + half / 8])),
            n,
          ),
          advance(db, 16),
          advance(n, -4),
        ]).flat(),
        advance(dy, 4 * STRIP),
      ),
    ];
  });
}
