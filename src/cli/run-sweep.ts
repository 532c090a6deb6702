/** Floor 6: a sweep from its first teacher to its report: train what is missing, choose, test what was chosen. */
import type { Shard } from "../distill/soft-targets/shard-rows.ts";
import { checkSweep, sweepRows } from "./check-sweep.ts";
import { grouped } from "./model-names.ts";
import { colours, isRich, plain } from "./paint.ts";
import { printSweep } from "./print-sweep.ts";
import { printable } from "./printable.ts";
import { layerWidths } from "./recipe.ts";
import { processesFor, type RunSettings, type Surroundings, secondsNow } from "./run-job.ts";
import { type ShownWork, shownWork } from "./shown-work.ts";
import { SweepFolder } from "./sweep-folder.ts";
import { type Alone, type Grid, pupilName, pupilsOf, type Setting, type SweepRun } from "./sweep-grid.ts";
import {
  aloneReports,
  defaultSetting,
  ranking,
  type SweepReport,
  settingReports,
  sweepReport,
  testReport,
} from "./sweep-report.ts";
import type { Sweep } from "./sweep-run.ts";
import { readTeacher } from "./sweep-teacher.ts";
import type { Kind, TaskOf } from "./work.ts";

export interface SweepSettings extends RunSettings {
  /** The folder that keeps results; empty: none does. */
  readonly out: string;
  /** Every `count`-th run from the `index`-th on. */
  readonly shard: Shard;
}

/** A sweep with all that its parts need. */
interface Running {
  readonly sweep: Sweep;
  readonly grid: Grid;
  /** 0, 1, … */
  readonly seeds: readonly number[];
  readonly folder: SweepFolder;
  readonly share: <K extends Kind>(kind: K, task: TaskOf<K>, work: ShownWork<K>) => Promise<void>;
}

/**
 * Trains what is missing of this shard's runs. When all runs are there, tests the chosen setting and writes the report to
 * standard output, else how many are missing.
 *
 * @param attribution what the data's licence asks to be said
 * @throws UsageError before any training, when the sweep cannot be done
 */
export async function runSweep(
  sweep: Sweep,
  grid: Grid,
  settings: SweepSettings,
  surroundings: Surroundings,
  attribution?: string,
): Promise<void> {
  const { out, shard, processes, json, quiet } = settings;
  const { stdout, stderr, environment } = surroundings;
  const say = (sentence: string): void => {
    if (!quiet) stderr.write(`${sentence}\n`);
  };
  const notes = checkSweep(sweep, grid, settings.seeds);
  const started = secondsNow();
  const running: Running = {
    sweep,
    grid,
    seeds: Array.from({ length: settings.seeds }, (_, seed) => seed),
    folder: new SweepFolder(out, sweep, say),
    share: (kind, task, work) => shownWork(kind, task, work, settings, surroundings),
  };
  const { runs, found, missing } = await trainMissing(running, shard, say);
  if (missing > 0) {
    const sentence = `${grouped(missing)} of ${grouped(runs)} runs are missing in ${printable(out)}; the call that finds none missing prints the result`;
    stdout.write(json ? `${JSON.stringify({ runs, missing })}\n` : `${sentence}\n`);
    return;
  }
  const report = await chooseAndTest(running, notes);
  if (!json) {
    stdout.write(printSweep(report, isRich(stdout, environment) ? colours : plain, attribution));
    return;
  }
  const times = {
    processes: processesFor(Number.POSITIVE_INFINITY, processes),
    seconds: Math.round((secondsNow() - started) * 10) / 10,
    found,
  };
  stdout.write(`${JSON.stringify({ ...report, ...(attribution && { attribution }), times }, null, 2)}\n`);
}

/** How many runs there are, were there before, and are not there now. */
interface Counts {
  readonly runs: number;
  readonly found: number;
  readonly missing: number;
}

async function trainMissing(
  running: Running,
  shard: Shard,
  say: (sentence: string) => void,
): Promise<Counts> {
  const { sweep, grid, seeds, folder, share } = running;
  const pupils = pupilsOf(grid);
  // Seeds run fastest, so that parts whose number divides that of the seeds share no teacher.
  const runs = pupils.flatMap((pupil) => seeds.map((seed): SweepRun => ({ seed, pupil })));
  const missing = new Set(runs.filter((run) => folder.score(run) === null));
  const found = runs.length - missing.size;
  for (const seed of seeds) folder.teacher(seed);
  if (folder.foreign > 0) {
    say(
      `${grouped(folder.foreign)} files in ${printable(folder.path!)} are of other settings, seeds or data, and are left alone`,
    );
  }
  // By seed, so that what a seed needs is made ready once.
  const items = runs
    .filter((run, place) => place % shard.count === shard.index && missing.has(run))
    .sort((a, b) => a.seed - b.seed);
  const teachers = await teachersOf(running, [...new Set(items.map(({ seed }) => seed))]);
  await share(
    "sweepStudent",
    { sweep, teachers, judges: "validation" },
    {
      heading: `training ${items.length === 1 ? "a student" : `${grouped(items.length)} students`}${found === 0 ? "" : `; ${grouped(found)} of ${grouped(runs.length)} runs are there`}`,
      items,
      nameOf: runName,
      onResult: (score, run) => folder.keep(run, pupils.indexOf(run.pupil), score),
    },
  );
  folder.look();
  return { runs: runs.length, found, missing: runs.filter((run) => folder.score(run) === null).length };
}

/** The teachers of these seeds, from the folder or trained. */
async function teachersOf(
  { sweep, folder, share }: Running,
  seeds: readonly number[],
): Promise<Map<number, Uint8Array>> {
  const items = seeds.filter((seed) => folder.teacher(seed) === null);
  await share("sweepTeacher", sweep, {
    heading: `${sweep.name}, ${grouped(sweep.table.rows)} rows: training ${items.length === 1 ? "a teacher" : `${items.length} teachers`}`,
    items,
    nameOf: (seed) => `seed ${seed}: teacher`,
    onResult: (bytes, seed) => folder.keepTeacher(seed, bytes),
  });
  return new Map(seeds.map((seed) => [seed, folder.teacher(seed)!]));
}

async function chooseAndTest(running: Running, notes: readonly string[]): Promise<SweepReport> {
  const { sweep, grid, seeds, folder } = running;
  const scoreOf = (run: SweepRun) => folder.score(run)!;
  const alone = aloneReports(sweep, grid, seeds.length, scoreOf);
  const results = settingReports(sweep, grid, alone, seeds.length, scoreOf);
  const [chosen] = ranking(results, sweepRows(sweep).validation);
  const teachers = await teachersOf(running, seeds);
  const tested = await testedOf(running, teachers, results[chosen].setting);
  const layers = layerWidths(sweep.table, sweep.recipe.teacher.hidden);
  return sweepReport(sweep, grid, {
    seeds: seeds.length,
    teachers: [...teachers.values()].map((bytes) => readTeacher(bytes, layers).accuracy),
    alone,
    results,
    chosen,
    tested,
    notes,
  });
}

/** Trains the chosen setting, its twin and the default once more, which comes to the same, and asks about the test rows. */
async function testedOf(
  { sweep, grid, seeds, share }: Running,
  teachers: ReadonlyMap<number, Uint8Array>,
  setting: Setting,
): Promise<SweepReport["tested"]> {
  const alone: Alone = { student: setting.student, loss: null };
  const unchanged = defaultSetting(grid, setting.student);
  const pupils = new Map([setting, alone, unchanged ?? setting].map((pupil) => [pupilName(pupil), pupil]));
  const items = seeds.flatMap((seed) => [...pupils.values()].map((pupil): SweepRun => ({ seed, pupil })));
  const accuracies = new Map([...pupils.keys()].map((name) => [name, new Array<number>(seeds.length)]));
  await share(
    "sweepStudent",
    { sweep, teachers, judges: "test" },
    {
      heading: `testing the chosen setting: ${pupilName(setting)}`,
      items,
      nameOf: (run) => `test, ${runName(run)}`,
      onResult({ accuracy }, { seed, pupil }) {
        accuracies.get(pupilName(pupil))![seed] = accuracy;
      },
    },
  );
  const accuraciesOf = (pupil: Setting | Alone): number[] => accuracies.get(pupilName(pupil))!;
  const report = (taught: Setting) => testReport(taught, accuraciesOf(taught), accuraciesOf(alone));
  return { chosen: report(setting), default: unchanged && report(unchanged) };
}

const runName = ({ seed, pupil }: SweepRun): string => `seed ${seed}: ${pupilName(pupil)}`;
