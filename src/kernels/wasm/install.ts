/** Floor 0, annex: the module with the SIMD kernels, and how the `float32` set comes by it. */
import { log1p } from "../../math.ts";
import { float32 } from "../float32.ts";
import * as f32x4 from "./assembler/f32x4.ts";
import { ModuleBuilder } from "./assembler/module.ts";
import { defineElementwise } from "./elementwise.ts";
import type { Extension, Programs } from "./extension.ts";
import { ModuleMemory } from "./memory.ts";
import { defineProducts, type Product, SCRATCH_END } from "./products.ts";
import { defineRows } from "./rows.ts";
import { simdKernels } from "./simd.ts";
import { defineUpdates } from "./updates.ts";
import { type CompiledModule, engine } from "./webassembly.ts";

/** What the memory may be, in pages of 64 KiB: the first that the engine grants. It is reserved; what is not used costs nothing. */
const SIZES = [4096, 1024, 256];
const SMALLEST = SIZES[SIZES.length - 1];

const defineOwnProducts = (builder: ModuleBuilder, fused: boolean): Product =>
  defineProducts(builder, fused ? f32x4.fusedMultiplyAdd : f32x4.multiplyAdd);

/**
 * The bytes of the module.
 *
 * @param fused whether products round once, by relaxed SIMD
 * @param extension whose programs it has in addition
 */
export function assembleKernels(fused = false, extension?: Extension): Uint8Array {
  const builder = new ModuleBuilder();
  const ownLog1p = builder.importFunction("log1p", ["f64"], "f64");
  const product = defineOwnProducts(builder, fused);
  defineElementwise(builder);
  defineRows(builder, ownLog1p);
  defineUpdates(builder);
  extension?.define(builder, product);
  return builder.assemble(SMALLEST);
}

/** The bytes of a module for an extension alone, with products of its own. */
function assembleExtension(fused: boolean, extension: Extension): Uint8Array {
  const builder = new ModuleBuilder();
  extension.define(builder, defineOwnProducts(builder, fused));
  return builder.assemble(SMALLEST);
}

/** Puts the kernels of a compiled module into the `float32` set. */
export function install(fused: boolean, module: CompiledModule): void {
  const { Instance, Memory, Module } = engine()!;
  const memoryOf = (pages: number): { readonly buffer: ArrayBuffer } => {
    try {
      return new Memory({ initial: pages, maximum: pages });
    } catch (error) {
      if (pages === SMALLEST) throw error;
      return memoryOf(SIZES[SIZES.indexOf(pages) + 1]);
    }
  };
  const memory = memoryOf(SIZES[0]);
  const programsOf = (module: CompiledModule): Programs =>
    new Instance(module, { m: { m: memory, log1p } }).exports as Programs;
  Object.assign(
    float32,
    simdKernels(
      fused ? "float32 SIMD, fused" : "float32 SIMD",
      new ModuleMemory(memory.buffer, SCRATCH_END),
      programsOf(module),
      (extension) => programsOf(new Module(assembleExtension(fused, extension))),
    ),
  );
}
