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

/** Bytes behind how many they are. */
const sized = (bytes: readonly number[]): number[] => flattened([unsigned(bytes.length)]).concat(bytes);

/** Parts behind how many they are. */
const list = (parts: readonly (number | readonly number[])[]): number[] =>
  flattened([unsigned(parts.length)]).concat(...parts);

const text = (characters: string): number[] => list([...characters].map((c) => c.charCodeAt(0)));

/** A module that grows function by function. */
export class ModuleBuilder {
  readonly #imports: number[][] = [];
  readonly #signatures: number[][] = [];
  readonly #bodies: number[][] = [];
  readonly #exports: number[][] = [];

  /**
   * The instruction that calls a function which is imported as `m.name`. To be asked for before functions are defined.
   */
  importFunction<const P extends Types, R extends ValueType>(
    name: string,
    parameters: P,
    result: R,
  ): (...values: ValuesOf<P>) => Code<R> {
    this.#imports.push(flattened([text("m"), text(name), 0, unsigned(this.#imports.length)]));
    return this.#call(parameters, result);
  }

  /** The instruction that calls the next function. */
  #call<P extends Types, R extends ValueType | "nothing">(
    parameters: P,
    result: R | undefined,
  ): (...values: ValuesOf<P>) => Code<R> {
    const index = this.#signatures.length;
    const results = result === undefined || result === "nothing" ? [] : [valueTypes[result as ValueType]];
    this.#signatures.push([0x60, ...list(parameters.map((type) => valueTypes[type])), ...list(results)]);
    return (...values) => code(values as readonly Bytes[], 0x10, unsigned(index));
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
    const locals: number[][] = [];
    const declare = (type: ValueType): Local<never> => {
      locals.push([1, valueTypes[type]]);
      return variable(parameters.length + locals.length - 1);
    };
    const own = parameters.map((_, i) => variable(i)) as readonly unknown[] as LocalsOf<P>;
    const statements = body(declare, ...own);
    this.#bodies.push(sized(flattened([list(locals), statements, 0x0b])));
    if (name !== null) this.#exports.push(flattened([text(name), 0, unsigned(this.#signatures.length)]));
    return this.#call(parameters, result);
  }

  /**
   * The bytes of the module.
   *
   * @param pages of 64 KiB: what the imported memory, `m.m`, has at least
   * @param shared whether several threads use it; it then has 65,536 at the most
   */
  assemble(pages: number, shared = false): Uint8Array {
    const limits = shared ? [3, unsigned(pages), unsigned(65_536)] : [0, unsigned(pages)];
    const memory = flattened([text("m"), text("m"), 2, limits]);
    const functions = this.#bodies.map((_, i) => flattened([unsigned(this.#imports.length + i)]));
    const sections: [number, number[][]][] = [
      [1, this.#signatures],
      [2, [...this.#imports, memory]],
      [3, functions],
      [7, this.#exports],
      [10, this.#bodies],
    ];
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    return new Uint8Array(header.concat(...sections.map(([id, parts]) => [id].concat(sized(list(parts))))));
  }
}

/** A module with its checksum, which tells it from every other one: the last four bytes, a section named `checksum`. */
export function withChecksum(module: Uint8Array): Uint8Array {
  let sum = 0;
  for (const byte of module) sum = Math.imul(sum ^ byte, 0x01000193);
  const checksum = text("checksum").concat(sum >>> 24, (sum >> 16) & 255, (sum >> 8) & 255, sum & 255);
  return Uint8Array.of(...module, 0, ...sized(checksum));
}
