/**
 * Floor 0, annex: convolutions as programs, class a: a batch is one call. Knows how planes are unrolled; refuses to know
 * strides and paddings beyond that.
 */
import type { Code, Local, Statement } from "./assembler/code.ts";
import { advance, set, when, whenElse, whileTrue } from "./assembler/control.ts";
import * as f32 from "./assembler/f32.ts";
import * as f32x4 from "./assembler/f32x4.ts";
import * as i32 from "./assembler/i32.ts";
import { add, constant as int, lessThan, mul, sub } from "./assembler/i32.ts";
import type { ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { times } from "./packing.ts";
import type { Product } from "./products.ts";

const fourTimes = (x: Code<"i32">): Code<"i32"> => i32.shiftLeft(x, int(2));

/** The whole numbers that describe a convolution, in their order in memory; the taps follow, four numbers each. */
export const DESCRIPTION = [
  "samples",
  "groups",
  "outputs",
  "depth",
  "windows",
  "inputs",
  "plane",
  "taps",
  "stride",
  "line",
  "width",
  "size",
] as const;

/** Reads one of them. */
const read = (description: Code<"i32">, name: (typeof DESCRIPTION)[number]): Code<"i32"> =>
  i32.load(description, 4 * DESCRIPTION.indexOf(name));

/**
 * Defines `addMap`, `addImage` and `addWeight`, each `(map, weight, image, columns, description)`; without columns, 0,
 * an image is its own.
 */
export function defineConvolutions(builder: ModuleBuilder, product: Product): void {
  /**
   * A function of `(columns, image, description)` that visits all values of the columns and where in the image they come
   * from: by vectors where windows are a position apart, by `rest` what these leave of a row, then by single values.
   */
  const defineUnrolled = (
    vector: (column: Local<"i32">, position: Local<"i32">) => Statement,
    single: (column: Local<"i32">, position: Local<"i32">) => Statement,
    rest: (
      column: Local<"i32">,
      position: Local<"i32">,
      first: Local<"i32">,
      end: Local<"i32">,
    ) => Statement[],
  ) =>
    builder.define(null, ["i32", "i32", "i32"], (declare, columns, image, g) => {
      const [planes, tap, last, first, from, rows, column, position, end, stride, line, width] = times(
        12,
        () => declare("i32"),
      );
      return [
        set(stride, fourTimes(read(g, "stride"))),
        set(line, fourTimes(read(g, "line"))),
        set(width, fourTimes(read(g, "width"))),
        set(planes, read(g, "inputs")),
        whileTrue(
          planes,
          set(tap, add(g, int(4 * DESCRIPTION.length))),
          set(last, add(tap, fourTimes(read(g, "size")))),
          whileTrue(
            lessThan(tap, last),
            set(first, add(columns, fourTimes(i32.load(tap, 0)))),
            set(from, add(image, fourTimes(i32.load(tap, 4)))),
            set(rows, i32.load(tap, 8)),
            whileTrue(
              rows,
              set(column, first),
              set(position, from),
              set(end, add(first, fourTimes(i32.load(tap, 12)))),
              when(
                i32.equal(stride, int(4)),
                whileTrue(
                  i32.atLeast(sub(end, column), int(16)),
                  vector(column, position),
                  advance(column, 16),
                  advance(position, 16),
                ),
                ...rest(column, position, first, end),
              ),
              whileTrue(
                lessThan(column, end),
                single(column, position),
                advance(column, 4),
                advance(position, stride),
              ),
              advance(first, width),
              advance(from, line),
              advance(rows, -1),
            ),
            advance(tap, 16),
          ),
          advance(columns, fourTimes(mul(read(g, "taps"), read(g, "windows")))),
          advance(image, fourTimes(read(g, "plane"))),
          advance(planes, -1),
        ),
      ];
    });

  const toColumns = defineUnrolled(
    (column, position) => v128.store(column, 0, v128.load(position, 0)),
    (column, position) => f32.store(column, 0, f32.load(position, 0)),
    // One more vector, which overlaps the one before.
    (column, position, first, end) => [
      when(
        i32.and(lessThan(column, end), lessThan(first, column)),
        v128.store(sub(end, int(16)), 0, v128.load(sub(add(position, sub(end, column)), int(16)), 0)),
        set(column, end),
      ),
    ],
  );

  const addColumns = defineUnrolled(
    (column, position) => v128.store(position, 0, f32x4.add(v128.load(position, 0), v128.load(column, 0))),
    (column, position) => f32.store(position, 0, f32.add(f32.load(position, 0), f32.load(column, 0))),
    () => [],
  );

  /** A program that visits each group of each sample. */
  const define = (
    name: string,
    visit: (
      operands: {
        map: Local<"i32">;
        weight: Local<"i32">;
        image: Local<"i32">;
        columns: Local<"i32">;
        g: Local<"i32">;
      },
      sizes: { m: Local<"i32">; k: Local<"i32">; n: Local<"i32">; own: Code<"i32"> },
    ) => readonly Statement[],
  ) =>
    builder.define(name, ["i32", "i32", "i32", "i32", "i32"], (declare, map, weight, image, columns, g) => {
      const [samples, groups, w, m, k, n, own] = times(7, () => declare("i32"));
      return [
        set(m, read(g, "outputs")),
        set(k, read(g, "depth")),
        set(n, read(g, "windows")),
        set(samples, read(g, "samples")),
        whileTrue(
          samples,
          set(w, weight),
          set(groups, read(g, "groups")),
          whileTrue(
            groups,
            whenElse(columns, [set(own, columns)], [set(own, image)]),
            ...visit({ map, weight: w, image, columns, g }, { m, k, n, own }),
            advance(map, fourTimes(mul(m, n))),
            advance(w, fourTimes(mul(m, k))),
            advance(image, fourTimes(mul(read(g, "inputs"), read(g, "plane")))),
            advance(groups, -1),
          ),
          advance(samples, -1),
        ),
      ];
    });

  define("addMap", ({ map, weight, image, columns, g }, { m, k, n, own }) => [
    when(columns, toColumns(columns, image, g)),
    product(map, fourTimes(n), weight, fourTimes(k), int(4), own, fourTimes(n), int(4), m, k, n),
  ]);
  define("addImage", ({ map, weight, image, columns, g }, { m, k, n, own }) => [
    when(columns, v128.fill(columns, int(0), fourTimes(mul(k, n)))),
    product(own, fourTimes(n), weight, int(4), fourTimes(k), map, fourTimes(n), int(4), k, m, n),
    when(columns, addColumns(columns, image, g)),
  ]);
  define("addWeight", ({ map, weight, image, columns, g }, { m, k, n, own }) => [
    when(columns, toColumns(columns, image, g)),
    product(weight, fourTimes(k), map, fourTimes(n), int(4), own, int(4), fourTimes(n), m, n, k),
  ]);
}
