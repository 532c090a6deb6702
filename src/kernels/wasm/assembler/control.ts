/** Floor 0, annex: variables, loops and choices. */
import { type Bytes, type Code, code, type Local, type Statement, type ValueType } from "./code.ts";
import * as i32 from "./i32.ts";

/** The variable that stands at `index` among a function's parameters and locals. */
export const variable = (index: number): Local<never> =>
  code(0x20, index) as readonly Bytes[] as Local<never>;

export const set = <T extends ValueType>(variable: Local<T>, value: Code<NoInfer<T>>): Statement =>
  code(value, 0x21, variable[1]);

/** Sets a variable, and leaves its value. */
export const tee = <T extends ValueType>(variable: Local<T>, value: Code<NoInfer<T>>): Code<T> =>
  code(value, 0x22, variable[1]);

/** Tested before each turn: with the test at the end, V8 keeps fewer values in registers. */
export const whileTrue = (condition: Code<"i32">, ...body: readonly Statement[]): Statement =>
  code(0x03, 0x40, condition, 0x04, 0x40, body, 0x0c, 1, 0x0b, 0x0b);

export const when = (condition: Code<"i32">, ...body: readonly Statement[]): Statement =>
  code(condition, 0x04, 0x40, body, 0x0b);

export const whenElse = (
  condition: Code<"i32">,
  body: readonly Statement[],
  otherwise: readonly Statement[],
): Statement => code(condition, 0x04, 0x40, body, 0x05, otherwise, 0x0b);

/** One of two values, both of which are computed. */
export const choose = <T extends "i32" | "f32" | "f64">(
  condition: Code<"i32">,
  value: Code<T>,
  otherwise: Code<T>,
): Code<T> => code(value, otherwise, condition, 0x1b);

/** variable += step */
export const advance = (variable: Local<"i32">, step: number | Code<"i32">): Statement =>
  set(variable, i32.add(variable, typeof step === "number" ? i32.constant(step) : step));

/** While variable ≤ end − step: body, then variable += step. */
export const stepping = (
  variable: Local<"i32">,
  end: Code<"i32">,
  step: number,
  ...body: readonly Statement[]
): Statement =>
  whileTrue(i32.atLeast(i32.sub(end, variable), i32.constant(step)), ...body, advance(variable, step));
