/** Floor 0, annex: sums along a row as programs, class c: eight lanes in four vectors of float64. */
import type { Code, Local, Statement } from "./assembler/code.ts";
import { advance, set, whileTrue } from "./assembler/control.ts";
import * as f64 from "./assembler/f64.ts";
import { add, lane0, lane1, mul } from "./assembler/f64x2.ts";
import { constant as int, lessThan } from "./assembler/i32.ts";
import type { Declare, ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { times } from "./packing.ts";
import { beyond, wide } from "./vectors.ts";

/** Where the last terms of a sum wait, with as much room again: below what others use. */
const TERMS = /* @__PURE__ */ int(0);

/** 0 in eight places. */
export const clear = (at: Code<"i32">): Statement[] => times(4, (i) => v128.store(at, 16 * i, v128.zero));

export interface Sums {
  sum(x: Code<"i32">, n: Code<"i32">): Code<"f64">;
  dot(x: Code<"i32">, y: Code<"i32">, n: Code<"i32">): Code<"f64">;
  /** The sum of eight lanes: the upper half is added to the lower one, until one is left. */
  joined(a: Code<"v128">, b: Code<"v128">, c: Code<"v128">, d: Code<"v128">): Code<"f64">;
}

/** Defines `sum(x, n)` and `dot(x, y, n)`, which return what they are named for. */
export function defineSums(builder: ModuleBuilder): Sums {
  const joined = builder.define(
    null,
    ["v128", "v128", "v128", "v128"],
    (_, a, b, c, d) => [set(a, add(add(a, c), add(b, d))), f64.add(lane0(a), lane1(a))],
    "f64",
  );
  const summed = (
    declare: Declare,
    n: Local<"i32">,
    arrays: readonly Local<"i32">[],
    term: (byte: number) => Code<"v128">,
  ): readonly [...Statement[], Code<"f64">] => {
    const sums = times(4, () => declare("v128"));
    const [a, b, c, d] = sums;
    return [
      whileTrue(
        lessThan(int(7), n),
        ...sums.map((sum, i) => set(sum, add(sum, term(8 * i)))),
        ...arrays.map((array) => advance(array, 32)),
        advance(n, -8),
      ),
      // Of the last eight, some are beyond the end.
      ...sums.map((_, i) => v128.store(TERMS, 16 * i, term(8 * i))),
      ...clear(beyond(TERMS, n, 3)),
      ...sums.map((sum, i) => set(sum, add(sum, v128.load(TERMS, 16 * i)))),
      joined(a, b, c, d),
    ];
  };
  return {
    joined,
    sum: builder.define(
      "sum",
      ["i32", "i32"],
      (declare, x, n) => summed(declare, n, [x], (byte) => wide(x, byte)),
      "f64",
    ),
    dot: builder.define(
      "dot",
      ["i32", "i32", "i32"],
      (declare, x, y, n) => summed(declare, n, [x, y], (byte) => mul(wide(x, byte), wide(y, byte))),
      "f64",
    ),
  };
}
