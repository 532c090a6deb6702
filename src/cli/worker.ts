/**
 * Floor 6: the program of a worker process: is given a task, then one item after the other. It outlives neither its
 * parent nor its parent's interest: when the channel closes, it stops training and ends.
 */
import { drive } from "./drive.ts";
import type { FromWorker, ToWorker } from "./processes.ts";
import { begin, type DoItem, type Kind } from "./work.ts";

let doItem: DoItem<Kind> | null = null;
let orphaned = false;

const send = (message: FromWorker<Kind>): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
};

process.on("disconnect", () => {
  orphaned = true;
});
// Ctrl-C reaches every process of the terminal; the parent decides what it means.
process.on("SIGINT", () => {});

process.on("message", async (message: ToWorker<Kind>) => {
  if (message.kind === "task") {
    doItem = begin(message.work, message.task);
    return;
  }
  try {
    const result = await drive(
      doItem!(message.item),
      (progress) => send({ kind: "progress", progress }),
      () => orphaned,
    );
    if (result !== null) send({ kind: "result", result });
  } catch (error) {
    send({ kind: "failure", message: error instanceof Error ? error.message : String(error) });
  }
});
