/** Floor 0, annex: instructions on double floats. */
import {
  access,
  type Binary,
  type Code,
  type Comparison,
  code,
  instruction,
  type Load,
  type Store,
  type Unary,
} from "./code.ts";

export const constant = (value: number): Code<"f64"> =>
  code(0x44, [...new Uint8Array(new Float64Array([value]).buffer)]);
export const load: Load<"f64"> = /* @__PURE__ */ access(0x2b);
export const store: Store<"f64"> = /* @__PURE__ */ access(0x39);
export const equal: Comparison<"f64"> = /* @__PURE__ */ instruction(0x61);
export const notEqual: Comparison<"f64"> = /* @__PURE__ */ instruction(0x62);
export const greaterThan: Comparison<"f64"> = /* @__PURE__ */ instruction(0x64);
export const sqrt: Unary<"f64"> = /* @__PURE__ */ instruction(0x9f);
export const add: Binary<"f64"> = /* @__PURE__ */ instruction(0xa0);
export const sub: Binary<"f64"> = /* @__PURE__ */ instruction(0xa1);
export const mul: Binary<"f64"> = /* @__PURE__ */ instruction(0xa2);
export const div: Binary<"f64"> = /* @__PURE__ */ instruction(0xa3);
/** Rounds to the nearest float32. */
export const demote: (x: Code<"f64">) => Code<"f32"> = /* @__PURE__ */ instruction(0xb6);
export const promote: (x: Code<"f32">) => Code<"f64"> = /* @__PURE__ */ instruction(0xbb);
