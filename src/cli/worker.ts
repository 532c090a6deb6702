/**
 * Floor 6: the program of a worker process: is given a job, then one seed after the other. It outlives neither its
 * parent nor its parent's interest: when the channel closes, it stops training and ends.
 */
import { drive } from "./drive.ts";
import type { FromWorker, ToWorker } from "./processes.ts";
import type { Job } from "./recipe.ts";

let job: Job | null = null;
let orphaned = false;

const send = (message: FromWorker): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
};

process.on("disconnect", () => {
  orphaned = true;
});
// Ctrl-C reaches every process of the terminal; the parent decides what it means.
process.on("SIGINT", () => {});

process.on("message", async (message: ToWorker) => {
  if (message.kind === "job") {
    job = message.job;
    return;
  }
  try {
    const result = await drive(
      job!,
      message.seed,
      (progress) => send({ kind: "progress", progress }),
      () => orphaned,
    );
    if (result !== null) send({ kind: "result", result });
  } catch (error) {
    send({ kind: "failure", message: error instanceof Error ? error.message : String(error) });
  }
});
