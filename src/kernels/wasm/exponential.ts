/** Floor 0, annex: `exp` of two numbers at a time: the same operations in the same order, so the same bits. */
import { EXP_1, EXP_2, EXP_3, EXP_4, EXP_5, INVERSE_LN2, LN2_HIGH, LN2_LOW } from "../../exponential.ts";
import { type Code, code } from "./assembler/code.ts";
import { set } from "./assembler/control.ts";
import * as f64 from "./assembler/f64.ts";
import * as f64x2 from "./assembler/f64x2.ts";
import { add, div, mul, sub } from "./assembler/f64x2.ts";
import * as i32 from "./assembler/i32.ts";
import type { Declare } from "./assembler/module.ts";
import * as v128 from "./assembler/v128.ts";
import { times } from "./packing.ts";

const number = (x: number): Code<"v128"> => f64x2.splat(f64.constant(x));

/** 2^k for whole numbers k: the sum has k + 1023 in its lowest bits, which are where the exponent of a float64 stands. */
const powerOfTwo = (k: Code<"v128">): Code<"v128"> =>
  v128.shiftLeft64(add(k, number(1.5 * 0x10000000000000 + 1023)), i32.constant(52));

/** The expression e^x; it uses variables, which are declared once. */
export function exponential(declare: Declare): (x: Code<"v128">) => Code<"v128"> {
  const [x, k, high, low, r, p, main] = times(7, () => declare("v128"));
  return (value) =>
    code(
      // Beyond these limits the result is 0 and ∞, as it is at them; NaN passes.
      set(x, f64x2.lesser(f64x2.greater(value, number(-747)), number(711))),
      set(k, f64x2.floor(add(mul(x, number(INVERSE_LN2)), number(0.5)))),
      set(high, sub(x, mul(k, number(LN2_HIGH)))),
      set(low, mul(k, number(LN2_LOW))),
      set(r, sub(high, low)),
      set(x, mul(r, r)),
      set(
        p,
        [EXP_4, EXP_3, EXP_2, EXP_1].reduce((sum, c) => add(mul(sum, x), number(c)), number(EXP_5)),
      ),
      set(p, sub(r, mul(x, p))),
      set(main, add(number(1), high)),
      set(r, sub(div(mul(r, p), sub(number(2), p)), low)),
      set(r, add(main, add(sub(high, sub(main, number(1))), r))),
      set(p, f64x2.floor(mul(k, number(0.5)))),
      mul(mul(r, powerOfTwo(p)), powerOfTwo(sub(k, p))),
    );
}
