/** Floor 6: runs steps to their end without holding up the process: between them, now and then, others get their turn. */
import { setImmediate as turn } from "node:timers/promises";

/** Milliseconds of training between two turns of the event loop. */
const BREATH = 40;

/** What is known between two steps. */
export interface StepProgress {
  /** The share of the work that is done, in [0, 1]. */
  readonly done: number;
  /** Set once a model is trained. */
  readonly accuracy?: number;
}

/**
 * Reports progress at every breath and whenever a model is finished.
 *
 * @param stopped asked after every breath; once it says true, the rest is left undone and the result is null
 */
export async function drive<Progress extends StepProgress, Result>(
  steps: Generator<Progress, Result, void>,
  onProgress: (progress: Progress) => void,
  stopped: () => boolean = () => false,
): Promise<Result | null> {
  let last = performance.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    const now = performance.now();
    const breath = now - last >= BREATH;
    if (breath || value.accuracy !== undefined) onProgress(value);
    if (!breath) continue;
    await turn();
    if (stopped()) return null;
    last = performance.now();
  }
}
