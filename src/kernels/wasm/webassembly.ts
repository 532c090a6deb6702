/** Floor 0, annex: what is used of the engine's WebAssembly. Declared here, as the core compiles without DOM and Node. */

/** A compiled module: `WebAssembly.Module`. */
export type CompiledModule = object;

export interface Engine {
  readonly Module: {
    new (bytes: Uint8Array): CompiledModule;
    customSections(module: CompiledModule, name: string): ArrayBuffer[];
  };
  readonly Instance: new (
    module: CompiledModule,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, Program>> };
  readonly Memory: new (pages: { initial: number; maximum: number; shared?: boolean }) => Memory;
}

export type Program = (...values: number[]) => number;

export interface Memory {
  readonly buffer: ArrayBufferLike;
}

/** Undefined where the engine has none. */
export const engine = (): Engine | undefined => (globalThis as { WebAssembly?: Engine }).WebAssembly;
