/** Floor 6: runs a seed to its end without holding up the process: between steps, now and then, others get their turn. */
import { setImmediate as turn } from "node:timers/promises";
import type { Job } from "./recipe.ts";
import { runSeed, type SeedProgress, type SeedResult } from "./run-seed.ts";

/** Milliseconds of training between two turns of the event loop. */
const BREATH = 40;

/**
 * Reports progress at every breath and whenever a model is finished.
 *
 * @param stopped asked after every breath; once it says true, the rest is left undone and the result is null
 */
export async function drive(
  job: Job,
  seed: number,
  onProgress: (progress: SeedProgress) => void,
  stopped: () => boolean = () => false,
): Promise<SeedResult | null> {
  const steps = runSeed(job, seed);
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
