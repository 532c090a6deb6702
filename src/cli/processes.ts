/** Floor 6: the items of some work, in worker processes or in this one; the results are the same. */
import { type ChildProcess, fork } from "node:child_process";
import { drive } from "./drive.ts";
import type { Job } from "./recipe.ts";
import type { SeedProgress, SeedResult } from "./run-seed.ts";
import { begin, type ItemOf, type Kind, type ProgressOf, type ResultOf, type TaskOf } from "./work.ts";

export type ToWorker<K extends Kind> =
  | { readonly kind: "task"; readonly work: K; readonly task: TaskOf<K> }
  | { readonly kind: "item"; readonly item: ItemOf<K> };

export type FromWorker<K extends Kind> =
  | { readonly kind: "progress"; readonly progress: ProgressOf<K> }
  | { readonly kind: "result"; readonly result: ResultOf<K> }
  | { readonly kind: "failure"; readonly message: string };

export interface ShareOptions<K extends Kind> {
  readonly items: readonly ItemOf<K>[];
  /** Worker processes; with 1 there are none, and this process does the work. */
  readonly processes: number;
  /** What failures call an item, such as `seed 1`. */
  readonly nameOf: (item: ItemOf<K>) => string;
  readonly onProgress: (progress: ProgressOf<K>, item: ItemOf<K>) => void;
  /** Called once for each item, as soon as it is done. */
  readonly onResult?: (result: ResultOf<K>, item: ItemOf<K>) => void;
  /** The program of a worker. */
  readonly worker?: URL;
}

export interface RunOptions extends Pick<ShareOptions<"seed">, "processes" | "worker"> {
  /** Seeds 0 … seeds − 1 are run. */
  readonly seeds: number;
  readonly onProgress: (progress: SeedProgress) => void;
}

/** Runs all seeds of a job, and returns their results in the order of the seeds. @throws as `shareWork` */
export function runSeeds(job: Job, { seeds, ...options }: RunOptions): Promise<SeedResult[]> {
  const items = Array.from({ length: seeds }, (_, seed) => seed);
  return shareWork("seed", job, { ...options, items, nameOf: (seed) => `seed ${seed}` });
}

/**
 * Does all items, and returns their results in the order of the items.
 *
 * @throws when an item fails, or the worker that does it dies, naming the item; the other workers are ended first
 */
export async function shareWork<K extends Kind>(
  kind: K,
  task: TaskOf<K>,
  options: ShareOptions<K>,
): Promise<ResultOf<K>[]> {
  const { items, processes, nameOf, onProgress, onResult } = options;
  if (processes > 1) return await inWorkers(kind, task, options);
  const doItem = begin(kind, task);
  const results: ResultOf<K>[] = [];
  for (const item of items) {
    try {
      // Nobody stops it, so it comes to its end.
      results.push((await drive(doItem(item), (progress) => onProgress(progress, item)))!);
    } catch (error) {
      throw new Error(`${nameOf(item)}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    onResult?.(results[results.length - 1], item);
  }
  return results;
}

async function inWorkers<K extends Kind>(
  kind: K,
  task: TaskOf<K>,
  options: ShareOptions<K>,
): Promise<ResultOf<K>[]> {
  const { items, processes, onResult, worker = new URL("./worker.js", import.meta.url) } = options;
  const results: ResultOf<K>[] = [];
  const children: ChildProcess[] = [];
  const endAll = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", endAll);
  let next = 0;
  /** One worker takes items until there are none. */
  const lane = async (): Promise<void> => {
    const child = fork(worker, [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
    });
    children.push(child);
    // Whoever waits for an item listens too; without anyone an error would end the program.
    child.on("error", () => {});
    child.send({ kind: "task", work: kind, task } satisfies ToWorker<K>, () => {});
    while (next < items.length) {
      const place = next++;
      results[place] = await doIn(child, items[place], options);
      onResult?.(results[place], items[place]);
    }
    child.disconnect();
  };
  try {
    await Promise.all(Array.from({ length: Math.min(processes, items.length) }, lane));
    return results;
  } finally {
    endAll();
    process.off("exit", endAll);
  }
}

function doIn<K extends Kind>(
  child: ChildProcess,
  item: ItemOf<K>,
  { nameOf, onProgress }: ShareOptions<K>,
): Promise<ResultOf<K>> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      finish();
    };
    const fail = (what: string): void => settle(() => reject(new Error(`${nameOf(item)}: ${what}`)));
    const onMessage = (message: FromWorker<K>): void => {
      if (message.kind === "progress") onProgress(message.progress, item);
      else if (message.kind === "result") settle(() => resolve(message.result));
      else fail(message.message);
    };
    const onExit = (code: number | null, signal: string | null): void =>
      fail(`its worker process ended with ${signal === null ? `exit code ${code}` : `signal ${signal}`}`);
    const onError = (error: Error): void => fail(`its worker process failed: ${error.message}`);
    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    child.send({ kind: "item", item } satisfies ToWorker<K>, () => {});
  });
}
