/** Floor 5: the program of a thread that helps with products, for as long as the process lives. */
import { workerData } from "node:worker_threads";
import { serveProducts } from "../kernels/wasm/split-product.ts";
import { engine } from "../kernels/wasm/webassembly.ts";
import type { Help } from "./threads.ts";

const { module, memory, handover, thread }: Help = workerData;
const { exports } = new (engine()!.Instance)(module, { m: { m: memory } });
serveProducts(exports.product, handover, thread - 1);
