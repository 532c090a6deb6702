/** Floor 0, annex: loops over arrays, four floats at a time. Knows where arrays end; refuses to know what is computed. */
import type { Code, Local, Statement } from "./assembler/code.ts";
import { advance, set, when, whenElse, whileTrue } from "./assembler/control.ts";
import * as f32 from "./assembler/f32.ts";
import * as f32x4 from "./assembler/f32x4.ts";
import * as f64x2 from "./assembler/f64x2.ts";
import * as i32 from "./assembler/i32.ts";
import { constant as int, shiftLeft } from "./assembler/i32.ts";
import type { ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { lanes, times } from "./packing.ts";

/** Vectors a turn: with one, the loop's own work shows; with four, no more is gained. */
const UNROLLED = 2;

/** Two floats, in float64. */
export const wide = (array: Code<"i32">, byte: number): Code<"v128"> =>
  f64x2.promoteLow(v128.load64Zero(array, byte));

/** Four floats, rounded from two pairs: those from byte 0 and from byte 8 on. */
export const rounded = (pair: (half: number) => Code<"v128">): Code<"v128"> =>
  lanes(f32x4.demoteLow(pair(0)), f32x4.demoteLow(pair(8)), [0, 1, 4, 5]);

/** Where `count` values further on are, of 2^`shift` bytes each. */
export const beyond = (array: Code<"i32">, count: Code<"i32">, shift = 2): Code<"i32"> =>
  i32.add(array, shiftLeft(count, int(shift)));

/** Stores in an array what belongs where a turn has come to. */
type Store = (array: Local<"i32">, x: Code<"v128">) => Statement;

export interface Vectors {
  /**
   * Turns over `count` floats of all arrays, each for the four that are `byte` bytes on; arrays of float64 go on by as
   * many values. In the end, all stand behind their last value, and `count` is 0 or less. The last vector may be read
   * beyond the end; nothing is stored there.
   */
  each(
    count: Local<"i32">,
    arrays: readonly Local<"i32">[],
    turn: (byte: number, store: Store) => readonly Statement[],
    wideArrays?: readonly Local<"i32">[],
  ): readonly Statement[];
  /** Stores the first `count` of four lanes; all of them where it is more, none where it is less than one. */
  storePart(to: Code<"i32">, x: Code<"v128">, count: Code<"i32">): Statement;
}

export function defineVectors(builder: ModuleBuilder): Vectors {
  const storePart = builder.define(null, ["i32", "v128", "i32"], (_, to, x, count) => [
    whenElse(
      i32.atLeast(count, int(4)),
      [v128.store(to, 0, x)],
      [
        when(
          i32.lessThan(int(0), count),
          when(
            i32.and(count, int(2)),
            v128.store64Low(to, 0, x),
            set(x, lanes(x, x, [2, 3, 0, 1])),
            advance(to, 8),
          ),
          when(i32.and(count, int(1)), f32.store(to, 0, f32x4.lane0(x))),
        ),
      ],
    ),
  ]);
  return {
    storePart,
    each(count, arrays, turn, wideArrays = []) {
      const turns = (vectors: number, more: number, storeAt: (byte: number) => Store): Statement =>
        whileTrue(
          i32.lessThan(int(more), count),
          ...times(vectors, (v) => turn(16 * v, storeAt(16 * v))).flat(),
          ...arrays.map((array) => advance(array, 16 * vectors)),
          ...wideArrays.map((array) => advance(array, 32 * vectors)),
          advance(count, -4 * vectors),
        );
      return [
        turns(UNROLLED, 4 * UNROLLED - 1, (byte) => (array, x) => v128.store(array, byte, x)),
        turns(1, 0, () => (array, x) => storePart(array, x, count)),
        ...arrays.map((array) => set(array, beyond(array, count))),
      ];
    },
  };
}
