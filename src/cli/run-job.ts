/** Floor 6: what every command that trains does: check, train, report. */
import { availableParallelism } from "node:os";
import { checkJob, planOfJob } from "./check-job.ts";
import { grouped, namedModels } from "./model-names.ts";
import { colours, isRich, type Output, plain } from "./paint.ts";
import { printReport } from "./print-report.ts";
import { runSeeds } from "./processes.ts";
import { progressDisplay } from "./progress.ts";
import type { Job } from "./recipe.ts";
import { reportOn } from "./report.ts";

/** Where a command reads from and writes to. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Everything on standard input. */
  readonly readInput: () => Promise<Uint8Array>;
}

export interface RunSettings {
  readonly seeds: number;
  /** Null: as many as there are cores, at most two. */
  readonly processes: number | null;
  readonly json: boolean;
  readonly quiet: boolean;
}

/**
 * Trains all models of all seeds and writes the report to standard output.
 *
 * @param attribution what the data's licence asks to be said
 * @throws UsageError before any training, when the job cannot be done
 */
export async function runJob(
  job: Job,
  settings: RunSettings,
  { stdout, stderr, environment }: Surroundings,
  attribution?: string,
): Promise<void> {
  const { seeds, json, quiet } = settings;
  const notes = checkJob(job, seeds);
  const plan = planOfJob(job);
  const processes = Math.min(settings.processes ?? Math.min(2, availableParallelism()), seeds);
  const models = namedModels(job);
  const now = (): number => performance.now() / 1000;
  const started = now();
  const progress = progressDisplay({
    output: stderr,
    form: quiet ? "none" : isRich(stderr, environment) ? "bar" : "lines",
    heading: heading(job, models.length - 1, seeds, processes),
    names: new Map(models.map(({ id, name }) => [id, name])),
    seeds,
    processes,
    now,
  });
  if (plan !== null && !quiet) stderr.write(`taught students learn from\n${plan}\n`);
  try {
    const results = await runSeeds(job, { seeds, processes, onProgress: progress.update });
    progress.end();
    const seconds = Math.round((now() - started) * 10) / 10;
    const report = reportOn(job, results, { processes, seconds, notes });
    if (json) {
      const { times, ...same } = report;
      stdout.write(`${JSON.stringify({ ...same, ...(attribution && { attribution }), times }, null, 2)}\n`);
      return;
    }
    stdout.write(printReport(report, isRich(stdout, environment) ? colours : plain, attribution));
  } catch (error) {
    progress.end();
    throw error;
  }
}

function heading({ name, table }: Job, students: number, seeds: number, processes: number): string {
  const each = seeds === 1 ? "" : `, for each of ${seeds} seeds`;
  const where = processes === 1 ? "" : `, in ${processes} processes`;
  return `${name}, ${grouped(table.rows)} rows: training a teacher and ${students} students${each}${where}`;
}
