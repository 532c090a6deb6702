/**
 * Floor 0, annex: programs that only some kernels need. They stand in a module of their own, in the memory of the others;
 * so who never calls these kernels neither loads nor compiles them.
 */
import type { ModuleBuilder } from "./assembler/module.ts";
import type { Product } from "./products.ts";
import type { Program } from "./webassembly.ts";

export type Programs = Readonly<Record<string, Program>>;

export interface Extension {
  /** One of its programs, by which a module that already has them is known. */
  readonly name: string;
  readonly define: (builder: ModuleBuilder, product: Product) => void;
}

type Numbers = Float32Array | Float64Array | Int32Array;

export interface Simd {
  /**
   * Calls programs of an extension, which is compiled when it is first asked for, with the addresses of arrays. Those
   * that lie outside the memory are copied in, and back if they are among the written ones. A number asks for so many
   * zeros.
   *
   * @returns false, with nothing done, where the engine refuses the module or there is no room
   */
  run(
    extension: Extension,
    written: readonly Numbers[],
    arrays: readonly (Numbers | number)[],
    call: (programs: Programs, ...addresses: number[]) => void,
  ): boolean;
}
