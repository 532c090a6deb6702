/** Floor 0, annex: instructions on four whole numbers. */
import { type Binary, type Code, code, vector } from "./code.ts";

export const splat: (x: Code<"i32">) => Code<"v128"> = /* @__PURE__ */ vector(0x11);
export const lane0: (x: Code<"v128">) => Code<"i32"> = /* @__PURE__ */ vector(0x1b, 0);
export const add: Binary<"v128"> = /* @__PURE__ */ vector(0xae);
/** x with one lane replaced. */
export const withLane = (lane: number, x: Code<"v128">, value: Code<"i32">): Code<"v128"> =>
  code(x, value, 0xfd, 0x1c, lane);
