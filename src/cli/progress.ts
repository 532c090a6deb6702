/** Floor 6: how far the training is: a bar on a terminal, a line for every finished model elsewhere. */
import type { Output } from "./paint.ts";
import { clock, secondsLeft } from "./time-left.ts";

export interface ProgressSettings {
  readonly output: Output;
  readonly form: "bar" | "lines" | "none";
  /** Said first, where there is no bar. */
  readonly heading: string;
  /** How many seeds, or other items, there are. */
  readonly items: number;
  readonly processes: number;
  /** Seconds, from any origin. */
  readonly now: () => number;
}

/** How far an item has come. */
export interface ItemProgress {
  /** Which one, from 0. */
  readonly item: number;
  /** What is being trained, such as `seed 0: teacher`. */
  readonly name: string;
  /** The share of the item's work that is done, in [0, 1]. */
  readonly done: number;
  /** Set once the model is trained. */
  readonly accuracy?: number;
}

export interface ProgressDisplay {
  update(progress: ItemProgress): void;
  /** Takes the bar away. */
  end(): void;
}

const CELLS = 24;
/** Seconds between two pictures of the bar. */
const REFRESH = 0.1;

export function progressDisplay(settings: ProgressSettings): ProgressDisplay {
  const { output, form, heading } = settings;
  if (form === "none") return { update: () => {}, end: () => {} };
  if (form === "bar") return bar(settings);
  output.write(`${heading}\n`);
  return {
    update({ name, accuracy }) {
      if (accuracy === undefined) return;
      output.write(`${name}: ${(accuracy * 100).toFixed(1)} %\n`);
    },
    end: () => {},
  };
}

function bar({ output, items, processes, now }: ProgressSettings): ProgressDisplay {
  const started = now();
  const latest = new Map<number, ItemProgress>();
  let drawn = Number.NEGATIVE_INFINITY;
  return {
    update(progress) {
      latest.set(progress.item, progress);
      if (now() - drawn < REFRESH) return;
      drawn = now();
      const all = [...latest.values()].sort((a, b) => a.item - b.item);
      const done = all.map((each) => each.done);
      const left = secondsLeft(done, items, processes, now() - started);
      const share = done.reduce((sum, each) => sum + each, 0) / items;
      const training = all
        .filter((each) => each.done < 1)
        .map(({ name }) => name)
        .join(" · ");
      const line = barLine(share, left, training);
      // One column is left free: a terminal whose last column is written to may go to the next line.
      output.write(`\r${line.slice(0, (output.columns ?? 80) - 1)}\u001b[K`);
    },
    end: () => output.write("\r\u001b[K"),
  };
}

/** @param share of all work, in [0, 1]; `left` in seconds, null when unknown */
export function barLine(share: number, left: number | null, training: string): string {
  const full = Math.floor(share * CELLS);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const time = left === null ? "" : `  ${clock(left)} left`;
  return `${"█".repeat(full)}${"░".repeat(CELLS - full)} ${percent}${time}  ${training}`;
}
