/** Floor 0, annex: instructions on whole numbers and addresses. */
import {
  access,
  type Binary,
  type Code,
  type Comparison,
  code,
  instruction,
  type Load,
  type Store,
  signed,
} from "./code.ts";

export const constant = (value: number): Code<"i32"> => code(0x41, signed(value));
export const load: Load<"i32"> = /* @__PURE__ */ access(0x28);
export const store: Store<"i32"> = /* @__PURE__ */ access(0x36);
export const equalsZero: (x: Code<"i32">) => Code<"i32"> = /* @__PURE__ */ instruction(0x45);
export const equal: Comparison<"i32"> = /* @__PURE__ */ instruction(0x46);
export const lessThan: Comparison<"i32"> = /* @__PURE__ */ instruction(0x48);
export const atLeast: Comparison<"i32"> = /* @__PURE__ */ instruction(0x4e);
export const add: Binary<"i32"> = /* @__PURE__ */ instruction(0x6a);
export const sub: Binary<"i32"> = /* @__PURE__ */ instruction(0x6b);
export const mul: Binary<"i32"> = /* @__PURE__ */ instruction(0x6c);
export const and: Binary<"i32"> = /* @__PURE__ */ instruction(0x71);
export const shiftLeft: Binary<"i32"> = /* @__PURE__ */ instruction(0x74);
export const shiftRight: Binary<"i32"> = /* @__PURE__ */ instruction(0x75);
