/** Floor 0, annex: pooling as programs, class b. Knows windows on planes; refuses to know which layer has them. */
import type { Code } from "./assembler/code.ts";
import { advance, choose, set, when, whenElse, whileTrue } from "./assembler/control.ts";
import * as f32 from "./assembler/f32.ts";
import * as f32x4 from "./assembler/f32x4.ts";
import * as i32 from "./assembler/i32.ts";
import { add, constant as int, lessThan, mul, sub } from "./assembler/i32.ts";
import * as i32x4 from "./assembler/i32x4.ts";
import type { ModuleBuilder } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { lanes, times } from "./packing.ts";

const larger = (x: Code<"i32">, y: Code<"i32">): Code<"i32"> => choose(lessThan(x, y), y, x);
const smaller = (x: Code<"i32">, y: Code<"i32">): Code<"i32"> => choose(lessThan(x, y), x, y);
const fourTimes = (x: Code<"i32">): Code<"i32"> => i32.shiftLeft(x, int(2));

/** Defines `maxPool(y, taken, x, planes, …)`, then both axes' `length, count, taps, stride, padding`, and `addTaken(dx, taken, dy, n)`. */
export function definePooling(builder: ModuleBuilder): void {
  builder.define(
    "maxPool",
    times(14, () => "i32" as const),
    (declare, ...parameters) => {
      const [
        y,
        taken,
        x,
        planes,
        height,
        rows,
        down,
        downStep,
        above,
        width,
        cols,
        across,
        acrossStep,
        before,
      ] = parameters;
      const [u, v, top, bottom, left, right, end, step, place, line, at] = times(11, () => declare("i32"));
      const [max, best, value, position, wins, apart] = times(6, () => declare("v128"));
      /** One value of each of four windows, or four times that of one. Every other value is what most poolings take. */
      const gather = whenElse(
        i32.equal(step, int(2)),
        [set(value, lanes(v128.load(at, 0), v128.load(at, 16), [0, 2, 4, 6]))],
        [
          set(value, v128.load32Zero(at, 0)),
          ...[1, 2, 3].map((lane) =>
            set(value, v128.load32Lane(add(at, mul(step, int(4 * lane))), 0, value, lane)),
          ),
        ],
      );
      const start = add(mul(top, width), left);
      return [
        ...[1, 2, 3].map((lane) => set(apart, i32x4.withLane(lane, apart, mul(acrossStep, int(lane))))),
        whileTrue(
          planes,
          set(u, int(0)),
          whileTrue(
            lessThan(u, rows),
            set(top, sub(mul(u, downStep), above)),
            set(bottom, smaller(add(top, down), height)),
            set(top, larger(top, int(0))),
            set(v, int(0)),
            whileTrue(
              lessThan(v, cols),
              // The last four overlap those before them, where there are as many and no padding tells them apart.
              when(
                i32.and(i32.equalsZero(before), i32.atLeast(cols, int(4))),
                set(v, smaller(v, sub(cols, int(4)))),
              ),
              set(left, sub(mul(v, acrossStep), before)),
              set(right, add(left, across)),
              // Four windows at a time where all lie within the axis, else one, of which four lanes hold the same.
              set(
                step,
                choose(
                  i32.and(
                    i32.atLeast(left, int(0)),
                    i32.and(
                      i32.atLeast(sub(cols, v), int(4)),
                      i32.atLeast(width, add(right, mul(int(3), acrossStep))),
                    ),
                  ),
                  acrossStep,
                  int(0),
                ),
              ),
              set(right, smaller(right, width)),
              set(left, larger(left, int(0))),
              // Even where it stays, its place is the first value's.
              set(max, f32x4.splat(f32.constant(Number.NEGATIVE_INFINITY))),
              set(best, i32x4.splat(add(place, start))),
              set(line, top),
              whileTrue(
                lessThan(line, bottom),
                set(position, i32x4.splat(add(place, add(mul(line, width), left)))),
                set(at, add(x, fourTimes(add(mul(line, width), left)))),
                set(end, add(at, fourTimes(sub(right, left)))),
                whileTrue(
                  lessThan(at, end),
                  gather,
                  // Greater or NaN, and nothing after a NaN.
                  set(wins, v128.andNot(f32x4.equal(max, max), f32x4.lessOrEqual(value, max))),
                  set(max, v128.select(value, max, wins)),
                  set(best, v128.select(position, best, wins)),
                  set(position, i32x4.add(position, i32x4.splat(int(1)))),
                  advance(at, 4),
                ),
                advance(line, 1),
              ),
              set(at, fourTimes(v)),
              // Of windows side by side, each is a step further than the one before.
              whenElse(
                step,
                [
                  v128.store(add(y, at), 0, max),
                  v128.store(add(taken, at), 0, i32x4.add(best, apart)),
                  advance(v, 4),
                ],
                [
                  f32.store(add(y, at), 0, f32x4.lane0(max)),
                  i32.store(add(taken, at), 0, i32x4.lane0(best)),
                  advance(v, 1),
                ],
              ),
            ),
            advance(y, fourTimes(cols)),
            advance(taken, fourTimes(cols)),
            advance(u, 1),
          ),
          advance(x, fourTimes(mul(height, width))),
          advance(place, mul(height, width)),
          advance(planes, -1),
        ),
      ];
    },
  );

  builder.define("addTaken", ["i32", "i32", "i32", "i32"], (declare, dx, taken, dy, n) => {
    const at = declare("i32");
    return [
      whileTrue(
        n,
        set(at, add(dx, fourTimes(i32.load(taken, 0)))),
        f32.store(at, 0, f32.add(f32.load(at, 0), f32.load(dy, 0))),
        advance(taken, 4),
        advance(dy, 4),
        advance(n, -1),
      ),
    ];
  });
}
