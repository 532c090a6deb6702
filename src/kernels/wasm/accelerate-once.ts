/** Floor 0, annex: SIMD without being asked for. */
import { assembleKernels, install } from "./install.ts";
import { engine } from "./webassembly.ts";

let tried = false;

/** What serves is what was asked for, and stays. */
export function keepKernels(): void {
  tried = true;
}

/**
 * Puts SIMD kernels into the `float32` set, the first time that it is called: whatever multiplies calls it. Where the
 * engine refuses, as under a strict content security policy, the plain ones stay, which give the same bits.
 */
export function accelerateOnce(): void {
  if (tried) return;
  tried = true;
  try {
    install(new (engine()!.Module)(assembleKernels()));
  } catch {
    // `float32.name` says which kernels serve.
  }
}
