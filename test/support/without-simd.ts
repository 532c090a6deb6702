/** Set-up of the tests: an engine that refuses WebAssembly. */
import { float32 } from "../../src/kernels/float32.ts";
import { accelerateOnce } from "../../src/kernels/wasm/accelerate-once.ts";

Reflect.deleteProperty(globalThis, "WebAssembly");
accelerateOnce();
if (float32.name !== "float32") throw new Error(`plain kernels should serve here, got ${float32.name}`);
