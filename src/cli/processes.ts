/** Floor 6: the seeds of a job, in worker processes or in this one; the results are the same. */
import { type ChildProcess, fork } from "node:child_process";
import { drive } from "./drive.ts";
import type { Job } from "./recipe.ts";
import type { SeedProgress, SeedResult } from "./run-seed.ts";

export type ToWorker =
  | { readonly kind: "job"; readonly job: Job }
  | { readonly kind: "seed"; readonly seed: number };

export type FromWorker =
  | { readonly kind: "progress"; readonly progress: SeedProgress }
  | { readonly kind: "result"; readonly result: SeedResult }
  | { readonly kind: "failure"; readonly message: string };

export interface RunOptions {
  /** Seeds 0 … seeds − 1 are run. */
  readonly seeds: number;
  /** Worker processes; with 1 there are none, and this process does the work. */
  readonly processes: number;
  readonly onProgress: (progress: SeedProgress) => void;
  /** The program of a worker. */
  readonly worker?: URL;
}

/**
 * Runs all seeds and returns their results in the order of the seeds.
 *
 * @throws when a seed fails, or the worker that runs it dies, naming the seed; the other workers are ended first
 */
export async function runSeeds(job: Job, options: RunOptions): Promise<SeedResult[]> {
  const { seeds, processes, onProgress } = options;
  if (processes > 1) return await inWorkers(job, options);
  const results: SeedResult[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    try {
      const result = await drive(job, seed, onProgress);
      if (result !== null) results.push(result);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
  return results;
}

async function inWorkers(
  job: Job,
  { seeds, processes, onProgress, worker = new URL("./worker.js", import.meta.url) }: RunOptions,
): Promise<SeedResult[]> {
  const results: SeedResult[] = [];
  const children: ChildProcess[] = [];
  const endAll = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", endAll);
  let next = 0;
  /** One worker takes seeds until there are none. */
  const lane = async (): Promise<void> => {
    const child = fork(worker, [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
    });
    children.push(child);
    // Whoever waits for a seed listens too; without anyone an error would end the program.
    child.on("error", () => {});
    child.send({ kind: "job", job } satisfies ToWorker, () => {});
    while (next < seeds) {
      const seed = next++;
      results[seed] = await runIn(child, seed, onProgress);
    }
    child.disconnect();
  };
  try {
    await Promise.all(Array.from({ length: Math.min(processes, seeds) }, lane));
    return results;
  } finally {
    endAll();
    process.off("exit", endAll);
  }
}

function runIn(
  child: ChildProcess,
  seed: number,
  onProgress: (progress: SeedProgress) => void,
): Promise<SeedResult> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      finish();
    };
    const onMessage = (message: FromWorker): void => {
      if (message.kind === "progress") onProgress(message.progress);
      else if (message.kind === "result") settle(() => resolve(message.result));
      else settle(() => reject(new Error(`seed ${seed}: ${message.message}`)));
    };
    const onExit = (code: number | null, signal: string | null): void => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      settle(() => reject(new Error(`seed ${seed}: its worker process ended with ${how}`)));
    };
    const onError = (error: Error): void => {
      settle(() => reject(new Error(`seed ${seed}: its worker process failed: ${error.message}`)));
    };
    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    child.send({ kind: "seed", seed } satisfies ToWorker, () => {});
  });
}
