/** Set-up of the tests: the float32 set has its SIMD kernels from the start, as in a program that has made a layer. */
import { float32 } from "../../src/kernels/float32.ts";
import { accelerateOnce } from "../../src/kernels/wasm/accelerate-once.ts";

accelerateOnce();
if (float32.name !== "float32 SIMD") throw new Error(`the SIMD kernels do not serve here: ${float32.name}`);
