/** Floor 0, annex: the sums over channels as a program, class c. */
import type { Code, Statement } from "./assembler/code.ts";
import { advance, choose, set, when, whileTrue } from "./assembler/control.ts";
import * as f32 from "./assembler/f32.ts";
import * as f64 from "./assembler/f64.ts";
import * as f64x2 from "./assembler/f64x2.ts";
import * as i32 from "./assembler/i32.ts";
import { add, constant as int, lessThan, mul } from "./assembler/i32.ts";
import type { ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { lanes, times } from "./packing.ts";

/** As many at a time that the additions of one channel, each of which waits for the one before, do not hold up the others. */
const CHANNELS = 8;

/**
 * Defines `sumChannels(db, dy, samples, channels, bytes)`, `bytes` those of a channel in a sample. Eight channels are summed side
 * by side, each in its own order; beyond the last one it stands in itself.
 */
export function defineChannels(builder: ModuleBuilder): void {
  builder.define(
    "sumChannels",
    ["i32", "i32", "i32", "i32", "i32"],
    (declare, db, dy, samples, channels, bytes) => {
      const at = times(CHANNELS, () => declare("i32"));
      const sums = times(CHANNELS / 2, () => declare("v128"));
      const pair = declare("v128");
      const [stride, left, sample, first] = times(4, () => declare("i32"));
      /** Adds position p of four that two neighbours have, after those before it. */
      const addPosition = (s: number, p: number): Statement[] => {
        const [x, y] = [v128.load(at[2 * s], 0), v128.load(at[2 * s + 1], 0)];
        return [
          set(pair, lanes(x, y, [p, 4 + p, p, 4 + p])),
          set(sums[s], f64x2.add(sums[s], f64x2.promoteLow(pair))),
        ];
      };
      const each = (of: (s: number) => readonly Statement[]): Statement[] => sums.flatMap((_, s) => of(s));
      const store = (c: number, sum: Code<"f64">): Statement =>
        when(
          lessThan(int(c), channels),
          f32.store(db, 4 * c, f64.demote(f64.add(f64.promote(f32.load(db, 4 * c)), sum))),
        );
      return [
        set(stride, mul(channels, bytes)),
        whileTrue(
          lessThan(int(0), channels),
          set(first, dy),
          set(sample, samples),
          ...sums.map((sum) => set(sum, v128.zero)),
          whileTrue(
            sample,
            ...at.map((address, c) =>
              set(
                address,
                c === 0 ? first : add(at[c - 1], choose(lessThan(int(c), channels), bytes, int(0))),
              ),
            ),
            set(left, bytes),
            whileTrue(
              i32.atLeast(left, int(16)),
              ...times(4, (p) => each((s) => addPosition(s, p))).flat(),
              ...at.map((address) => advance(address, 16)),
              advance(left, -16),
            ),
            whileTrue(
              left,
              ...each((s) => addPosition(s, 0)),
              ...at.map((address) => advance(address, 4)),
              advance(left, -4),
            ),
            advance(first, stride),
            advance(sample, -1),
          ),
          ...sums.flatMap((sum, s) => [store(2 * s, f64x2.lane0(sum)), store(2 * s + 1, f64x2.lane1(sum))]),
          advance(db, 4 * CHANNELS),
          advance(dy, mul(bytes, int(CHANNELS))),
          advance(channels, -CHANNELS),
        ),
      ];
    },
  );
}
