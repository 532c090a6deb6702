/** Floor 0, annex: instructions on single floats, each rounded once to 24 bits. */
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

export const load: Load<"f32"> = /* @__PURE__ */ access(0x2a);
export const store: Store<"f32"> = /* @__PURE__ */ access(0x38);
export const constant = (value: number): Code<"f32"> =>
  code(0x43, [...new Uint8Array(new Float32Array([value]).buffer)]);
export const notEqual: Comparison<"f32"> = /* @__PURE__ */ instruction(0x5c);
export const lessOrEqual: Comparison<"f32"> = /* @__PURE__ */ instruction(0x5f);
export const sqrt: Unary<"f32"> = /* @__PURE__ */ instruction(0x91);
export const add: Binary<"f32"> = /* @__PURE__ */ instruction(0x92);
export const sub: Binary<"f32"> = /* @__PURE__ */ instruction(0x93);
export const mul: Binary<"f32"> = /* @__PURE__ */ instruction(0x94);
export const div: Binary<"f32"> = /* @__PURE__ */ instruction(0x95);
