/** Floor 0, annex: instructions on four single floats. A comparison gives lanes of ones where it holds, else of zeros. */
import { type Binary, type Code, type Unary, vector } from "./code.ts";

export const splat: (x: Code<"f32">) => Code<"v128"> = /* @__PURE__ */ vector(0x13);
export const lane0: (x: Code<"v128">) => Code<"f32"> = /* @__PURE__ */ vector(0x1f, 0);
export const equal: Binary<"v128"> = /* @__PURE__ */ vector(0x41);
export const lessOrEqual: Binary<"v128"> = /* @__PURE__ */ vector(0x45);
export const sqrt: Unary<"v128"> = /* @__PURE__ */ vector(0xe3);
export const add: Binary<"v128"> = /* @__PURE__ */ vector(0xe4);
export const sub: Binary<"v128"> = /* @__PURE__ */ vector(0xe5);
export const mul: Binary<"v128"> = /* @__PURE__ */ vector(0xe6);
export const div: Binary<"v128"> = /* @__PURE__ */ vector(0xe7);
/** x < y ? y : x, so x where one is NaN. */
export const greater: Binary<"v128"> = /* @__PURE__ */ vector(0xeb);
/** Two double floats, rounded, in the low lanes; 0 in the others. */
export const demoteLow: Unary<"v128"> = /* @__PURE__ */ vector(0x5e);

/** sum + x · y */
export type MultiplyAdd = (sum: Code<"v128">, x: Code<"v128">, y: Code<"v128">) => Code<"v128">;

/** Rounded twice. */
export const multiplyAdd: MultiplyAdd = (sum, x, y) => add(sum, mul(x, y));

const relaxedMultiplyAdd = /* @__PURE__ */ vector(0x105);
/** Rounded once, or twice: the engine's choice (WebAssembly Core Specification 3.0, relaxed SIMD). */
export const fusedMultiplyAdd: MultiplyAdd = (sum, x, y) => relaxedMultiplyAdd(x, y, sum);
