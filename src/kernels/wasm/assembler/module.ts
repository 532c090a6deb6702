/** Floor 0, annex: functions, and the module that exports them. Its memory is imported. */
import {
  type Bytes,
  type Code,
  code,
  flattened,
  type Local,
  type Statement,
  unsigned,
  type ValueType,
} from "./code.ts";
import { variable } from "./control.ts";

const valueTypes: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

type Types = readonly ValueType[];
type LocalsOf<T extends Types> = { readonly [I in keyof T]: Local<T[I]> };
type ValuesOf<T extends Types> = { readonly [I in keyof T]: Code<T[I]> };

/** Declares another variable of the function that is being written; it starts at 0. */
export type Declare = <T extends ValueType>(type: T) => Local<T>;

const list = (items: readonly Bytes[]): Bytes => [unsigned(items.length), items];

/** Bytes behind how many they are. */
function sized(...bytes: readonly Bytes[]): Bytes {
  const flat = flattened(bytes);
  return [unsigned(flat.length), flat];
}

const text = (characters: string): Bytes => sized([...characters].map((c) => c.charCodeAt(0)));

/** A module that grows function by function. */
export class ModuleBuilder {
  readonly #imports: Bytes[] = [];
  readonly #signatures: Bytes[] = [];
  readonly #bodies: Bytes[] = [];
  readonly #exports: Bytes[] = [];

  /**
   * The instruction that calls a function which is imported as `m.name`. To be asked for before functions are defined.
   */
  importFunction<const P extends Types, R extends ValueType>(
    name: string,
    parameters: P,
    result: R,
  ): (...values: ValuesOf<P>) => Code<R> {
    this.#imports.push([text("m"), text(name), 0, unsigned(this.#imports.length)]);
    return this.#call(parameters, result);
  }

  /** The instruction that calls the next function. */
  #call<P extends Types, R extends ValueType | "nothing">(
    parameters: P,
    result: R | undefined,
  ): (...values: ValuesOf<P>) => Code<R> {
    const index = this.#signatures.length;
    const results = result === undefined || result === "nothing" ? [] : [valueTypes[result as ValueType]];
    this.#signatures.push([0x60, list(parameters.map((type) => valueTypes[type])), list(results)]);
    return (...values) => code(...(values as readonly Bytes[]), 0x10, unsigned(index));
  }

  /**
   * Defines a function, and returns the instruction that calls it.
   *
   * @param name under which it is exported; null for one that only this module calls
   * @param body from a function that declares variables and the parameters, in their order: statements, and at the end
   *   the result, if there is one
   */
  define<const P extends Types, R extends ValueType | "nothing" = "nothing">(
    name: string | null,
    parameters: P,
    body: (
      declare: Declare,
      ...parameters: LocalsOf<P>
    ) => readonly Statement[] | readonly [...Statement[], Code<R>],
    result?: R,
  ): (...values: ValuesOf<P>) => Code<R> {
    const locals: Bytes[] = [];
    const declare = (type: ValueType): Local<never> => {
      locals.push([1, valueTypes[type]]);
      return variable(parameters.length + locals.length - 1);
    };
    const own = parameters.map((_, i) => variable(i)) as readonly unknown[] as LocalsOf<P>;
    const statements = body(declare, ...own);
    this.#bodies.push(sized(list(locals), statements, 0x0b));
    if (name !== null) this.#exports.push([text(name), 0, unsigned(this.#signatures.length)]);
    return this.#call(parameters, result);
  }

  /**
   * The bytes of the module. The last four, alone in a section named `checksum`, tell it from every other one.
   *
   * @param pages of 64 KiB: what the imported memory, `m.m`, has at least
   * @param shared whether several threads use it; it then has 65,536 at the most
   */
  assemble(pages: number, shared = false): Uint8Array {
    const limits = shared ? [3, unsigned(pages), unsigned(65_536)] : [0, unsigned(pages)];
    const memory = [text("m"), text("m"), 2, limits];
    const sections: [number, Bytes][] = [
      [1, list(this.#signatures)],
      [2, list([...this.#imports, memory])],
      [3, list(this.#bodies.map((_, i) => unsigned(this.#imports.length + i)))],
      [7, list(this.#exports)],
      [10, list(this.#bodies)],
    ];
    const bytes = flattened([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    for (const [id, content] of sections) flattened([id, sized(content)], bytes);
    let sum = 0;
    for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
    flattened(
      [0, sized(text("checksum"), sum >>> 24, (sum >> 16) & 255, (sum >> 8) & 255, sum & 255)],
      bytes,
    );
    return new Uint8Array(bytes);
  }
}
