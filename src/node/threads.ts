/** Floor 5: threads for large products. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { requireOptions, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { float32 } from "../kernels/float32.ts";
import { accelerateOnce } from "../kernels/wasm/accelerate-once.ts";
import { assembleKernels, assembleProducts, install } from "../kernels/wasm/install.ts";
import { handoverFor, splitProduct } from "../kernels/wasm/split-product.ts";
import { engine, type Memory } from "../kernels/wasm/webassembly.ts";

export interface ThreadOptions {
  /** How many threads multiply, this one included. Default: one for each core, but at most 8. */
  readonly count?: number;
}

export interface Threads {
  /** How many multiply, this one included. */
  readonly count: number;
  /** Ends the other threads; this one does all of the work from then on. */
  stop(): Promise<void>;
}

/** What a helper is given. */
export interface Help {
  readonly module: object;
  readonly memory: Memory;
  readonly handover: Int32Array;
  readonly thread: number;
}

let serving = false;

/**
 * Lets several threads share in the large products of the `float32` set; each computes some rows or columns of the
 * result. The bits are those of one thread, for any number of threads. To be called before models are made, as the
 * threads find only those weights without a copy that are made after it.
 *
 * Products of fewer than half a million multiply-adds are left to one thread, which is quicker. The threads don't keep
 * the process alive.
 *
 * @throws DistilgradError "kernels" where the engine refuses SIMD kernels or shared memory, and where threads serve already
 */
export function useThreads(options: ThreadOptions = {}): Threads {
  requireOptions("useThreads", options, ["count"]);
  const { count = Math.min(availableParallelism(), 8) } = options;
  requireWhole("useThreads", "count", count, 1);
  if (serving) {
    throw new DistilgradError("kernels", "useThreads: threads serve already; stop them first");
  }
  accelerateOnce();
  const wasm = engine();
  if (wasm === undefined || float32.simd === undefined) {
    throw new DistilgradError("kernels", "useThreads: this engine has no SIMD kernels for threads to run");
  }
  const handover = handoverFor(count - 1);
  const workers: Worker[] = [];
  install(
    new wasm.Module(assembleKernels({ shared: true })),
    { shared: true },
    {
      count: count - 1,
      share(memory, product) {
        for (let thread = 1; thread < count; thread++) {
          const module = new wasm.Module(assembleProducts(thread));
          const workerData: Help = { module, memory, handover, thread };
          const worker = new Worker(new URL("./product-worker.js", import.meta.url), { workerData });
          worker.on("error", (error) => {
            process.emitWarning(`useThreads: a thread has ended: ${error.message}; the others do its work`);
          });
          worker.unref();
          workers.push(worker);
        }
        return splitProduct(product, handover);
      },
    },
  );
  serving = true;

  return {
    count,
    async stop() {
      await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
      if (count > 1) Object.assign(float32, { name: "float32 SIMD" });
      serving = false;
    },
  };
}
