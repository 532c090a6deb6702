/** Floor 0, annex: instructions on vectors of 128 bits, whatever their lanes hold. */
import { access, type Binary, type Code, code, type Load, type Store, unsigned, vector } from "./code.ts";

const prefixed = (opcode: number): ReturnType<typeof access> => access(0xfd, unsigned(opcode));

export const load: Load<"v128"> = /* @__PURE__ */ prefixed(0x00);
/** One float of 32 bits in all four lanes. */
export const load32Splat: Load<"v128"> = /* @__PURE__ */ prefixed(0x09);
/** Two floats of 32 bits in the low lanes, 0 in the others. */
export const load64Zero: Load<"v128"> = /* @__PURE__ */ prefixed(0x5d);
/** One float of 32 bits in the lowest lane, 0 in the others. */
export const load32Zero: Load<"v128"> = /* @__PURE__ */ prefixed(0x5c);
/** x with one of its lanes of 32 bits loaded. */
export const load32Lane = (
  address: Code<"i32">,
  offset: number,
  x: Code<"v128">,
  lane: number,
): Code<"v128"> => code(address, x, 0xfd, 0x56, 0, unsigned(offset), lane);
export const store: Store<"v128"> = /* @__PURE__ */ prefixed(0x0b);
/** Stores the low half. */
export const store64Low = (address: Code<"i32">, offset: number, value: Code<"v128">): Code<"nothing"> =>
  code(address, value, 0xfd, 0x5b, 0, unsigned(offset), 0);

/** The bytes of `x` and `y`, 0–15 and 16–31, that `bytes` names. */
export const shuffle = (x: Code<"v128">, y: Code<"v128">, bytes: readonly number[]): Code<"v128"> =>
  code(x, y, 0xfd, 0x0d, bytes);

/** 0 in every lane. */
export const zero: Code<"v128"> = /* @__PURE__ */ code(
  0xfd,
  0x0c,
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
);

/** Shifts each half of 64 bits. */
export const shiftLeft64 = (x: Code<"v128">, bits: Code<"i32">): Code<"v128"> =>
  code(x, bits, 0xfd, unsigned(0xcb));

export const and: Binary<"v128"> = /* @__PURE__ */ vector(0x4e);
/** x and not y. */
export const andNot: Binary<"v128"> = /* @__PURE__ */ vector(0x4f);
export const or: Binary<"v128"> = /* @__PURE__ */ vector(0x50);
/** The bits of x where the mask's are 1, those of y elsewhere. */
export const select: (x: Code<"v128">, y: Code<"v128">, mask: Code<"v128">) => Code<"v128"> =
  /* @__PURE__ */ vector(0x52);
export const anyTrue: (x: Code<"v128">) => Code<"i32"> = /* @__PURE__ */ vector(0x53);
/** Writes a byte so many times. */
export const fill = (address: Code<"i32">, byte: Code<"i32">, count: Code<"i32">): Code<"nothing"> =>
  code(address, byte, count, 0xfc, 0x0b, 0);
