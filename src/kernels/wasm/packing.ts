/**
 * Floor 0, annex: a product's operands, put in the order in which its tiles read them. Knows lines and strides; refuses
 * to know what is multiplied.
 */
import type { Code, Local, Statement } from "./assembler/code.ts";
import { advance, choose, set, when, whenElse, whileTrue } from "./assembler/control.ts";
import * as i32 from "./assembler/i32.ts";
import { add, constant as int, lessThan } from "./assembler/i32.ts";
import type { Declare, ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";

/** What `each` makes of 0 … count − 1. */
export const times = <T>(count: number, each: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => each(i));

/** The four values of x and y, 0–3 and 4–7, that `of` names. */
export const lanes = (x: Code<"v128">, y: Code<"v128">, of: readonly number[]): Code<"v128"> =>
  v128.shuffle(
    x,
    y,
    of.flatMap((lane) => times(4, (byte) => 4 * lane + byte)),
  );

/** The values of rows r/2 and r/2 + 2 by turns: their first halves where r is even, else their second. Twice is the transpose. */
const interleave = (to: readonly Local<"v128">[], x: readonly Local<"v128">[]): Statement[] =>
  to.map((row, r) => set(row, lanes(x[r >> 1], x[(r >> 1) + 2], r % 2 === 0 ? [0, 4, 1, 5] : [2, 6, 3, 7])));

/**
 * Walks along up to eight lines, `step` apart, and turns what they hold, four by four: x[p] is a vector across the
 * lines from `first` on, which is 4 or 0. From `count` on the last line stands in, so that nothing beyond it is read.
 */
export function turning(
  declare: Declare,
  from: Code<"i32">,
  step: Code<"i32">,
  count: Code<"i32">,
  left: Local<"i32">,
  use: (x: readonly Code<"v128">[], first: number) => readonly Statement[],
  ...after: readonly Statement[]
): Statement[] {
  const lines = times(8, () => declare("i32"));
  const x = times(4, () => declare("v128"));
  const y = times(4, () => declare("v128"));
  return [
    ...lines.map((line, r) =>
      set(line, r === 0 ? from : add(lines[r - 1], choose(lessThan(int(r), count), step, int(0)))),
    ),
    whileTrue(
      lessThan(int(0), left),
      ...[4, 0].map((first) =>
        when(
          lessThan(int(first), count),
          ...x.map((row, r) => set(row, v128.load(lines[first + r], 0))),
          ...interleave(y, x),
          ...interleave(x, y),
          ...use(x, first),
        ),
      ),
      ...lines.map((line) => advance(line, 16)),
      ...after,
      advance(left, -4),
    ),
  ];
}

/**
 * Defines `pack(to, step, from, along, across, lines, k)`: of up to eight lines, `across` apart and with values `along`
 * apart, one of which is 4, one row for each p, `step` apart. It may write 128 bytes beyond the last.
 */
export const definePacking = (builder: ModuleBuilder) =>
  builder.define(
    null,
    ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    (declare, to, step, from, along, across, lines, k) => {
      const row = declare("i32");
      return [
        whenElse(
          i32.equal(across, int(4)),
          [
            // A row may be longer than its step: what follows overwrites the rest.
            whileTrue(
              k,
              ...[0, 16].map((offset) => v128.store(to, offset, v128.load(from, offset))),
              advance(from, along),
              advance(to, step),
              advance(k, -1),
            ),
          ],
          // This is why the last four lines come first.
          turning(
            declare,
            from,
            across,
            lines,
            k,
            (x, first) => [
              set(row, to),
              ...x.flatMap((values) => [v128.store(row, 4 * first, values), advance(row, step)]),
            ],
            set(to, row),
          ),
        ),
      ];
    },
  );
