/** Floor 6: work among processes with its progress on standard error. */
import { isRich } from "./paint.ts";
import { shareWork } from "./processes.ts";
import { progressDisplay } from "./progress.ts";
import { processesFor, type RunSettings, type Surroundings, secondsNow } from "./run-job.ts";
import type { ItemOf, Kind, ResultOf, TaskOf } from "./work.ts";

export interface ShownWork<K extends Kind> {
  /** Said first, where there is no bar. */
  readonly heading: string;
  /** Each is another object or number. */
  readonly items: readonly ItemOf<K>[];
  /** What progress and failures call an item, such as `seed 1: teacher`. */
  readonly nameOf: (item: ItemOf<K>) => string;
  /** Called once for each item, as soon as it is done. */
  readonly onResult: (result: ResultOf<K>, item: ItemOf<K>) => void;
}

/** Does all items, and shows how far they are. @throws as `shareWork` */
export async function shownWork<K extends Kind>(
  kind: K,
  task: TaskOf<K>,
  { heading, items, nameOf, onResult }: ShownWork<K>,
  { processes: asked, quiet }: Pick<RunSettings, "processes" | "quiet">,
  { stderr, environment }: Pick<Surroundings, "stderr" | "environment">,
): Promise<void> {
  if (items.length === 0) return;
  const processes = processesFor(items.length, asked);
  const places = new Map(items.map((item, place) => [item, place]));
  const progress = progressDisplay({
    output: stderr,
    form: quiet ? "none" : isRich(stderr, environment) ? "bar" : "lines",
    heading: `${heading}${processes === 1 ? "" : `, in ${processes} processes`}`,
    items: items.length,
    processes,
    now: secondsNow,
  });
  try {
    await shareWork(kind, task, {
      items,
      processes,
      nameOf,
      onProgress: (step, item) => progress.update({ item: places.get(item)!, name: nameOf(item), ...step }),
      onResult,
    });
  } finally {
    progress.end();
  }
}
