/** Floor 0, annex: instructions on two double floats. A comparison gives lanes of ones where it holds, else of zeros. */
import { type Binary, type Code, type Unary, vector } from "./code.ts";

export const splat: (x: Code<"f64">) => Code<"v128"> = /* @__PURE__ */ vector(0x14);
export const lane0: (x: Code<"v128">) => Code<"f64"> = /* @__PURE__ */ vector(0x21, 0);
export const lane1: (x: Code<"v128">) => Code<"f64"> = /* @__PURE__ */ vector(0x21, 1);
export const equal: Binary<"v128"> = /* @__PURE__ */ vector(0x47);
export const lessThan: Binary<"v128"> = /* @__PURE__ */ vector(0x49);
export const greaterThan: Binary<"v128"> = /* @__PURE__ */ vector(0x4a);
export const floor: Unary<"v128"> = /* @__PURE__ */ vector(0x75);
export const sqrt: Unary<"v128"> = /* @__PURE__ */ vector(0xef);
export const add: Binary<"v128"> = /* @__PURE__ */ vector(0xf0);
export const sub: Binary<"v128"> = /* @__PURE__ */ vector(0xf1);
export const mul: Binary<"v128"> = /* @__PURE__ */ vector(0xf2);
export const div: Binary<"v128"> = /* @__PURE__ */ vector(0xf3);
/** y < x ? y : x, so x where one is NaN. */
export const lesser: Binary<"v128"> = /* @__PURE__ */ vector(0xf6);
/** x < y ? y : x, so x where one is NaN. */
export const greater: Binary<"v128"> = /* @__PURE__ */ vector(0xf7);
/** The two low single floats. */
export const promoteLow: Unary<"v128"> = /* @__PURE__ */ vector(0x5f);
