/** Floor 0, annex: the module with the SIMD kernels, and how the `float32` set comes by it. */
import { log1p } from "../../math.ts";
import { float32 } from "../float32.ts";
import * as f32x4 from "./assembler/f32x4.ts";
import { ModuleBuilder } from "./assembler/module.ts";
import { defineElementwise } from "./elementwise.ts";
import type { Extension, Programs } from "./extension.ts";
import { ModuleMemory } from "./memory.ts";
import { defineProducts, type Product, SCRATCH } from "./products.ts";
import { defineRows } from "./rows.ts";
import { simdKernels } from "./simd.ts";
import { defineUpdates } from "./updates.ts";
import { type CompiledModule, engine, type Memory, type Program } from "./webassembly.ts";

/** What the memory may be, in pages of 64 KiB: the first that the engine grants. It is reserved; what is not used costs nothing. */
const SIZES = [4096, 1024, 256];
const SMALLEST = SIZES[SIZES.length - 1];

/** Products pack in a place that is their thread's own. What lies below is for what other programs keep for a moment. */
const scratchOf = (thread: number): number => 1024 + thread * SCRATCH;

export interface Kind {
  /** Whether products round once, by relaxed SIMD. Default false. */
  readonly fused?: boolean;
  /** Whether other threads use the same memory. Default false. */
  readonly shared?: boolean;
}

const defineOwnProducts = (builder: ModuleBuilder, fused: boolean, thread = 0): Product =>
  defineProducts(builder, scratchOf(thread), fused ? f32x4.fusedMultiplyAdd : f32x4.multiplyAdd);

/**
 * The bytes of the module.
 *
 * @param extension whose programs it has in addition
 */
export function assembleKernels(
  { fused = false, shared = false }: Kind = {},
  extension?: Extension,
): Uint8Array {
  const builder = new ModuleBuilder();
  const ownLog1p = builder.importFunction("log1p", ["f64"], "f64");
  const product = defineOwnProducts(builder, fused);
  defineElementwise(builder);
  defineRows(builder, ownLog1p);
  defineUpdates(builder);
  extension?.define(builder, product);
  return builder.assemble(SMALLEST, shared);
}

/** The bytes of a module for an extension alone, with products of its own. */
function assembleExtension({ fused = false, shared = false }: Kind, extension: Extension): Uint8Array {
  const builder = new ModuleBuilder();
  extension.define(builder, defineOwnProducts(builder, fused));
  return builder.assemble(SMALLEST, shared);
}

/** The bytes of a module with the products alone, for a thread that helps: 1, 2, … */
export function assembleProducts(thread: number): Uint8Array {
  const builder = new ModuleBuilder();
  defineOwnProducts(builder, false, thread);
  return builder.assemble(SMALLEST, true);
}

/** Threads that help with products. */
export interface Helpers {
  readonly count: number;
  /** Hands them the memory, and returns the product that they take part in. */
  readonly share: (memory: Memory, product: Program) => Program;
}

/** Puts the kernels of a compiled module into the `float32` set. */
export function install(module: CompiledModule, kind: Kind = {}, helpers?: Helpers): void {
  const { Instance, Memory, Module } = engine()!;
  const { fused = false, shared = false } = kind;
  const memoryOf = (pages: number): Memory => {
    try {
      return new Memory({ initial: pages, maximum: pages, shared });
    } catch (error) {
      if (pages === SMALLEST) throw error;
      return memoryOf(SIZES[SIZES.indexOf(pages) + 1]);
    }
  };
  const memory = memoryOf(SIZES[0]);
  const programsOf = (module: CompiledModule): Programs =>
    new Instance(module, { m: { m: memory, log1p } }).exports as Programs;
  const own = programsOf(module);
  const { count, share } = helpers ?? { count: 0, share: (_, product) => product };
  Object.assign(
    float32,
    simdKernels(
      `float32 SIMD${fused ? ", fused" : ""}${count > 0 ? `, ${count + 1} threads` : ""}`,
      new ModuleMemory(memory.buffer, scratchOf(count + 1)),
      { ...own, product: share(memory, own.product) },
      (extension) => programsOf(new Module(assembleExtension(kind, extension))),
    ),
  );
}
