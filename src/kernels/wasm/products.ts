/**
 * Floor 0, annex: the float32 products as one program, class a. Knows strides and blocks; refuses to know which of the
 * three products it computes.
 *
 *     C[i,j] += Σₚ A[i·ai + p·ap] · B[p·bp + j·bj]        p ascending, one rounding per · and one per +
 *
 * Vectors run over columns, never over p, and a result starts from what is in C. So tiles only change which results are
 * computed together, and after a block of p a result waits in C for the next one.
 */
import { type Code, code, type Local, type Statement } from "./assembler/code.ts";
import { advance, choose, set, when, whenElse, whileTrue } from "./assembler/control.ts";
import * as f32 from "./assembler/f32.ts";
import * as f32x4 from "./assembler/f32x4.ts";
import * as i32 from "./assembler/i32.ts";
import { add, and, equal, constant as int, lessThan, mul, sub } from "./assembler/i32.ts";
import type { ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { definePacking, lanes, times, turning } from "./packing.ts";

/** Of a tile: ten sums, two vectors of B, a value of A and a product fit the fifteen registers that V8 gives out. */
export const ROWS = 5;
export const COLUMNS = 8;
/** Of a block: what is packed of B stays in the first cache, what is packed of A in the second. */
const DEPTH = 256;
const HEIGHT = 256;
/** Below so many rows, packing B costs more than it saves where B's rows can be read as they are. */
const WORTH_PACKING = 20;

/** The room in which operands are packed and a tile waits, each with some for what is written beyond its end. */
const A_ROOM = 4 * (HEIGHT + COLUMNS) * DEPTH;
const B_ROOM = 4 * COLUMNS * (DEPTH + COLUMNS);
export const SCRATCH = A_ROOM + B_ROOM + 1024;

const fourTimes = (x: Code<"i32">): Code<"i32"> => i32.shiftLeft(x, int(2));

const swap = (x: Local<"i32">, y: Local<"i32">): Statement => set(y, code(x, set(x, y)));

/** How many of `count` to take next: `most`, or half of it before a small rest would be left. */
const share = (count: Code<"i32">, most: number): Code<"i32"> =>
  choose(
    lessThan(count, int(2 * most)),
    choose(lessThan(int(most), count), i32.shiftRight(add(count, int(1)), int(1)), count),
    int(most),
  );

export type Product = (...values: readonly [C, C, C, C, C, C, C, C, C, C, C]) => Statement;
type C = Code<"i32">;

/**
 * Defines `product(c, ci, a, ai, ap, b, bp, bj, m, k, n)`, with addresses and strides in bytes; of each operand's two
 * strides, one is 4. It reads up to 64 bytes beyond an array, and writes only C.
 *
 * @param scratch where `SCRATCH` bytes are its own
 */
export function defineProducts(
  builder: ModuleBuilder,
  scratch: number,
  multiplyAdd = f32x4.multiplyAdd,
): Product {
  const packedA = int(scratch);
  const packedB = int(scratch + A_ROOM);
  const tileRoom = int(scratch + A_ROOM + B_ROOM);
  const pack = definePacking(builder);

  /**
   * The sums stay in registers while p runs. A's rows are interleaved, B's lie `bp` apart. V8 computes the sums in the
   * order in which they are stored at the end; row by row, a value of A is loaded, used up and forgotten. So nothing
   * but storing them in that order is done with them here.
   */
  const tiles = times(2, (v) =>
    times(ROWS, (r) =>
      builder.define(
        null,
        ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
        (declare, c, cn, a, b, bp, end, to, tn) => {
          const value = declare("v128");
          const line = times(v + 1, () => declare("v128"));
          const sums = times(r + 1, () => line.map(() => declare("v128")));
          return [
            ...sums.flatMap((row) => [
              ...row.map((sum, j) => set(sum, v128.load(c, 16 * j))),
              advance(c, cn),
            ]),
            whileTrue(
              lessThan(b, end),
              ...line.map((x, j) => set(x, v128.load(b, 16 * j))),
              ...sums.flatMap((row, i) => [
                set(value, v128.load32Splat(a, 4 * i)),
                ...row.map((sum, j) => set(sum, multiplyAdd(sum, value, line[j]))),
              ]),
              advance(a, 4 * r + 4),
              advance(b, bp),
            ),
            ...sums.flatMap((row) => [...row.map((sum, j) => v128.store(to, 16 * j, sum)), advance(to, tn)]),
          ];
        },
      ),
    ),
  );

  /** Copies one to seven columns from the tile's place to C. */
  const unload = builder.define(null, ["i32", "i32", "i32", "i32"], (declare, c, cn, rows, columns) => {
    const from = declare("i32");
    const to = declare("i32");
    const x = declare("v128");
    return [
      set(from, tileRoom),
      whileTrue(
        rows,
        set(to, c),
        set(x, v128.load(from, 0)),
        when(and(columns, int(4)), v128.store(to, 0, x), set(x, v128.load(from, 16)), advance(to, 16)),
        when(
          and(columns, int(2)),
          v128.store64Low(to, 0, x),
          set(x, lanes(x, x, [2, 3, 0, 1])),
          advance(to, 8),
        ),
        when(and(columns, int(1)), f32.store(to, 0, f32x4.lane0(x))),
        advance(c, cn),
        advance(from, 4 * COLUMNS),
        advance(rows, -1),
      ),
    ];
  });

  /** One row by columns that lie along p: packing them would take longer than what they are packed for. */
  const row = builder.define(
    null,
    ["i32", "i32", "i32", "i32", "i32", "i32"],
    (declare, c, a, b, bj, k, n) => {
      const at = declare("i32");
      const left = declare("i32");
      const sums = times(2, () => declare("v128"));
      const store = (to: Code<"i32">): Statement[] => sums.map((sum, j) => v128.store(to, 16 * j, sum));
      return [
        whileTrue(
          lessThan(int(0), n),
          ...sums.map((sum, j) => set(sum, v128.load(c, 16 * j))),
          set(at, a),
          set(left, k),
          ...turning(
            declare,
            b,
            bj,
            n,
            left,
            (x, first) =>
              x.map((line, p) =>
                when(
                  lessThan(int(p), left),
                  set(sums[first / 4], multiplyAdd(sums[first / 4], v128.load32Splat(at, 4 * p), line)),
                ),
              ),
            advance(at, 16),
          ),
          whenElse(lessThan(n, int(COLUMNS)), [...store(tileRoom), unload(c, n, int(1), n)], store(c)),
          advance(c, 4 * COLUMNS),
          advance(b, mul(bj, int(COLUMNS))),
          advance(n, -COLUMNS),
        ),
      ];
    },
  );

  return builder.define(
    "product",
    ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    (declare, c, ci, a, ai, ap, b, bp, bj, m, k, n) => {
      const [depth, top, bottom, i, j, rows, columns, packed, line, step, to] = times(11, () =>
        declare("i32"),
      );
      const part = lessThan(columns, int(COLUMNS));
      const tile = (v: number): Statement[] =>
        tiles[v].map((call, r) =>
          when(
            equal(rows, int(r + 1)),
            call(
              to,
              ci,
              packed,
              line,
              step,
              add(line, mul(depth, step)),
              choose(part, tileRoom, to),
              choose(part, int(4 * COLUMNS), ci),
            ),
          ),
        );
      return [
        // One column is one row, with the operands exchanged.
        when(and(equal(n, int(1)), equal(ci, int(4))), swap(a, b), swap(ai, bj), swap(ap, bp), swap(m, n)),
        when(
          and(equal(mul(ap, bp), int(16)), lessThan(m, int(3))),
          whileTrue(m, row(c, a, b, bj, k, n), advance(a, ai), advance(c, ci), advance(m, -1)),
        ),
        whileTrue(
          k,
          set(depth, share(k, DEPTH)),
          set(bottom, int(0)),
          whileTrue(
            lessThan(bottom, m),
            set(top, bottom),
            advance(bottom, share(sub(m, top), HEIGHT)),
            set(j, int(0)),
            whileTrue(
              lessThan(j, n),
              set(columns, sub(n, j)),
              set(line, add(b, mul(j, bj))),
              set(step, bp),
              when(
                i32.equalsZero(and(equal(bj, int(4)), lessThan(m, int(WORTH_PACKING)))),
                pack(packedB, int(4 * COLUMNS), line, bp, bj, columns, depth),
                set(line, packedB),
                set(step, int(4 * COLUMNS)),
              ),
              set(packed, packedA),
              set(i, top),
              whileTrue(
                lessThan(i, bottom),
                set(rows, share(sub(bottom, i), ROWS)),
                when(
                  i32.equalsZero(j),
                  pack(packed, fourTimes(rows), add(a, mul(i, ai)), ap, ai, rows, depth),
                ),
                set(to, add(add(c, mul(i, ci)), fourTimes(j))),
                whenElse(lessThan(int(4), columns), tile(1), tile(0)),
                when(part, unload(to, ci, rows, columns)),
                advance(packed, mul(fourTimes(rows), depth)),
                advance(i, rows),
              ),
              advance(j, COLUMNS),
            ),
          ),
          advance(a, mul(depth, ap)),
          advance(b, mul(depth, bp)),
          advance(k, sub(int(0), depth)),
        ),
      ];
    },
  );
}
