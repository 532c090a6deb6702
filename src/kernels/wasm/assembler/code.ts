/**
 * Floor 0, annex: WebAssembly code as typed expressions. An instruction is a function: its operands are its arguments,
 * its bytes are its result, and its type says what it leaves on the stack. So code that would not validate does not
 * compile. Knows bytes and types; refuses to know what is computed.
 *
 * @see WebAssembly Core Specification 2.0, §5 (binary format)
 */

/** What a value on the stack can be. */
export type ValueType = "i32" | "f32" | "f64" | "v128";

declare const leaves: unique symbol;

/** Bytes, and within them those of the code that they are made of: as a tree, so that nothing is copied on the way. */
export type Bytes = number | readonly Bytes[];

/** The bytes of code that leaves a `T` on the stack. */
export interface Code<out T extends ValueType | "nothing"> extends ReadonlyArray<Bytes> {
  readonly [leaves]: T;
}

/** Code that is run for its effect. */
export type Statement = Code<"nothing">;

declare const variable: unique symbol;

/** A variable or a parameter. By itself it is the code that reads it. */
export interface Local<out T extends ValueType> extends Code<T> {
  readonly [variable]: T;
}

/** Bytes, as code of whatever type its use asks for: where the type is said, it is said at an instruction's name. */
export const code = (...bytes: readonly Bytes[]): Code<never> => bytes as Code<never>;

/** All bytes in their order, behind those in `to`. */
export function flattened(bytes: readonly Bytes[], to: number[] = []): number[] {
  // By index: at a program's start nothing is compiled yet, and iterators are slow.
  for (let i = 0; i < bytes.length; i++) {
    const inner = bytes[i];
    if (typeof inner === "number") to.push(inner);
    else flattened(inner, to);
  }
  return to;
}

/** An instruction: the operands in their order, then the opcode. */
export const instruction =
  (...opcode: readonly Bytes[]) =>
  (...operands: readonly Bytes[]): Code<never> =>
    code(operands, opcode);

/** An instruction on vectors, whose opcodes follow a prefix. */
export const vector = (opcode: number, ...immediates: readonly number[]): ReturnType<typeof instruction> =>
  instruction(0xfd, unsigned(opcode), ...immediates);

/** An instruction that reads memory at an address, or writes it there, `offset` bytes further. */
export const access =
  (...opcode: readonly Bytes[]) =>
  (address: Code<"i32">, offset: number, ...value: readonly Bytes[]): Code<never> =>
    code(address, value, opcode, 0, unsigned(offset));

/** LEB128: seven bits a byte, the lowest first; the top bit says that more follow. */
export const unsigned = (value: number): Bytes =>
  value < 128 ? value : [(value & 127) | 128, unsigned(value >>> 7)];

/** The same in two's complement: the last byte's second highest bit is the sign. */
export const signed = (value: number): Bytes =>
  value >= -64 && value < 64 ? value & 127 : [(value & 127) | 128, signed(value >> 7)];

export type Unary<T extends ValueType> = (x: Code<T>) => Code<T>;
export type Binary<T extends ValueType> = (x: Code<T>, y: Code<T>) => Code<T>;
export type Comparison<T extends ValueType> = (x: Code<T>, y: Code<T>) => Code<"i32">;
export type Load<T extends ValueType> = (address: Code<"i32">, offset: number) => Code<T>;
export type Store<T extends ValueType> = (address: Code<"i32">, offset: number, value: Code<T>) => Statement;
