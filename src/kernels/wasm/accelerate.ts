/** Floor 0, annex: SIMD as asked for. */
import { kindOf, requireFlag, requireOptions } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { accelerateOnce, keepKernels } from "./accelerate-once.ts";
import { withChecksum } from "./assembler/module.ts";
import { convolutional } from "./convolutional.ts";
import { assembleKernels, install } from "./install.ts";
import { type CompiledModule, engine } from "./webassembly.ts";

export interface SimdOptions {
  /**
   * Whether products round once where others round twice, r(x·y + s) instead of r(r(x·y) + s), by an instruction that
   * not every engine has and not every processor does alike: the same seed then gives the same bits on one machine only.
   * Default false.
   */
  readonly fused?: boolean;
}

export interface AccelerateOptions extends SimdOptions {
  /** A `WebAssembly.Module` that was compiled from the bytes of `simdModule`. Default: compiled here and now. */
  readonly module?: CompiledModule;
}

/**
 * The bytes of the module with the SIMD kernels, for a bundler or an engine that runs only what was compiled before:
 * written to a file, imported as a module, and handed to `accelerate`.
 */
export function simdModule(options: SimdOptions = {}): Uint8Array {
  requireOptions("simdModule", options, ["fused"]);
  const { fused = false } = options;
  requireFlag("simdModule", "fused", fused);
  return withChecksum(assembleKernels({ fused }, convolutional));
}

/**
 * Puts SIMD kernels into the `float32` set, as happens by itself where the engine compiles WebAssembly at run time. For
 * where it does not, and for other kernels; to be called before models are made, as their weights lie where the kernels
 * are quick to find them. `float32.name` says which kernels serve.
 *
 * @throws where the engine has no such kernels, or the module is another one; those from before stay
 */
export function accelerate(options: AccelerateOptions = {}): void {
  requireOptions("accelerate", options, ["fused", "module"]);
  const { fused = false, module } = options;
  requireFlag("accelerate", "fused", fused);
  const bytes = simdModule({ fused });
  // A strict policy reports every attempt to compile: where a module is given, there is none.
  if (module === undefined) accelerateOnce();
  const wasm = engine();
  if (wasm === undefined) throw refusal("this engine has no WebAssembly");
  if (module !== undefined) requireOurs(module, bytes);
  try {
    install(module ?? new wasm.Module(bytes), { fused });
  } catch (error) {
    throw refusal(error instanceof Error ? error.message : kindOf(error));
  }
  keepKernels();
}

function requireOurs(module: CompiledModule, bytes: Uint8Array): void {
  const { Module } = engine()!;
  if (!(module instanceof Module)) {
    throw new DistilgradError(
      "kernels",
      `accelerate: module must be a WebAssembly.Module, got ${kindOf(module)}`,
    );
  }
  const [checksum = new ArrayBuffer(0)] = Module.customSections(module, "checksum");
  if (String(new Uint8Array(checksum)) !== String(bytes.slice(-4))) {
    throw new DistilgradError(
      "kernels",
      "accelerate: the module holds other kernels than these; compile the bytes that simdModule() gives with the same options in this version",
    );
  }
}

const refusal = (reason: string): DistilgradError =>
  new DistilgradError(
    "kernels",
    `accelerate: the kernels cannot be put to use here: ${reason}; without them the plain ones serve, which give the same bits`,
  );
