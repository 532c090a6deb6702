/** Floor 6: what every command that trains does: check, train, report. */
import { availableParallelism } from "node:os";
import type { DistillationPlan } from "../distill/plan.ts";
import { checkJob, planOfJob } from "./check-job.ts";
import { grouped, namedModels } from "./model-names.ts";
import { colours, isRich, type Output, plain } from "./paint.ts";
import { printReport } from "./print-report.ts";
import { printable } from "./printable.ts";
import { runSeeds } from "./processes.ts";
import { progressDisplay } from "./progress.ts";
import type { Job } from "./recipe.ts";
import { reportOn } from "./report.ts";
import type { SeedProgress } from "./run-seed.ts";
import { prepareFolder, trainedModels } from "./save-trained.ts";

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
  if (job.save) prepareFolder(job, job.save, seeds);
  const processes = processesFor(seeds, settings.processes);
  const models = namedModels(job);
  const names = new Map(models.map(({ id, name }) => [id, name]));
  const started = secondsNow();
  const progress = progressDisplay({
    output: stderr,
    form: quiet ? "none" : isRich(stderr, environment) ? "bar" : "lines",
    heading: heading(job, models.length - 1, seeds, processes),
    items: seeds,
    processes,
    now: secondsNow,
  });
  if (plan !== null && !quiet) stderr.write(`taught students learn from\n${planLines(plan)}\n`);
  try {
    const onProgress = ({ seed, model, ...rest }: SeedProgress): void =>
      progress.update({ item: seed, name: `seed ${seed}: ${names.get(model)}`, ...rest });
    const results = await runSeeds(job, { seeds, processes, onProgress });
    progress.end();
    if (job.save && !quiet)
      stderr.write(`saved ${seeds * trainedModels(job).length} models in ${printable(job.save.folder)}\n`);
    const seconds = Math.round((secondsNow() - started) * 10) / 10;
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

/** How many processes do that many items. @param asked null: as many as there are cores, at most two */
export const processesFor = (items: number, asked: number | null): number =>
  Math.min(asked ?? Math.min(2, availableParallelism()), items);

/** Seconds, from any origin. */
export const secondsNow = (): number => performance.now() / 1000;

/** A plan with each comparison of layers on two lines, where one would be wider than 100 columns. */
const planLines = (plan: DistillationPlan): string =>
  String(plan).replace(/^(?=.{101})(.*?) against /gm, "$1\n    against ");

function heading({ name, table, answers }: Job, students: number, seeds: number, processes: number): string {
  const each = seeds === 1 ? "" : `, for each of ${seeds} seeds`;
  const where = processes === 1 ? "" : `, in ${processes} processes`;
  return `${name}, ${grouped(table.rows)} rows: training ${answers ? "" : "a teacher and "}${students} students${each}${where}`;
}
