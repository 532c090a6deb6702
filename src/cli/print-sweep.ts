/** Floor 6: the report of a sweep as text of at most 100 columns. */

import type { TwinComparison } from "../distill/report/compare-with-twin.ts";
import { closingLines } from "./closing-lines.ts";
import { counted, grouped } from "./model-names.ts";
import { type Paint, plain } from "./paint.ts";
import { gainCell } from "./print-report.ts";
import { shortened } from "./printable.ts";
import { pupilName, type Setting } from "./sweep-grid.ts";
import {
  type Accuracy,
  ranking,
  type SettingReport,
  type SweepReport,
  type TestReport,
} from "./sweep-report.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import { wrap } from "./wrap.ts";

const WIDTH = 100;
/** How many settings are listed. */
const ROWS = 30;

interface Axis {
  readonly title: string;
  readonly of: (setting: Setting) => string;
}

const axes: readonly Axis[] = [
  { title: "student", of: ({ student }) => student.join("-") },
  { title: "loss", of: ({ loss }) => loss },
  { title: "beta", of: ({ beta }) => String(beta) },
  { title: "alpha", of: ({ alpha }) => String(alpha) },
  { title: "T", of: ({ temperature }) => (temperature === null ? "–" : String(temperature)) },
];

const measured: readonly Column[] = [
  { title: ["validation", "accuracy %"], align: "right" },
  { title: ["gain over its twin,", "points [95 %]"], align: "right" },
  { title: ["validation", "loss"], align: "right" },
  { title: ["divergence from", "its teacher"], align: "right" },
];

const tested: readonly Column[] = [
  { title: ["", "on test rows"], align: "left" },
  { title: ["test", "accuracy %"], align: "right" },
  { title: ["gain over its twin,", "points [95 %]"], align: "right" },
];

/** @param attribution what the data's licence asks to be said */
export function printSweep(report: SweepReport, paint: Paint, attribution?: string): string {
  const { data, settings, results, alone, chosen, verdict, notes } = report;
  const { seeds, labels } = settings;
  const isVaried = ({ of }: Axis): boolean => new Set(results.map(({ setting }) => of(setting))).size > 1;
  const varied = axes.filter(isVaried);
  const fixed = axes.filter((axis) => !isVaried(axis));
  const ranked = ranking(results, data.validationRows).map((place) => results[place]);
  const shown = ranked.slice(0, ROWS);
  const rest = ranked.length - shown.length;
  const best = results[chosen].setting;
  const lines = [
    ...wrap(
      `${shortened(data.name)}: ${grouped(data.rows)} rows, ${counted(data.features, "feature")}, ${data.classes} classes`,
      WIDTH,
    ),
    ...wrap(
      `${seeds === 1 ? "1 seed" : `${seeds} seeds, each with a split of its own`}: ${grouped(data.trainingRows)} rows to train on, ${grouped(data.validationRows)} to choose by, ${grouped(data.testRows)} to test on`,
      WIDTH,
    ),
    ...wrap(
      `teacher ${settings.teacher.hidden.join("-")}: ${share(report.teacher)} % on validation rows${labels === null ? "" : `; students see ${counted(labels, "label")}`}; kernels ${settings.kernels}`,
      WIDTH,
    ),
    ...(fixed.length > 0
      ? wrap(`every setting: ${fixed.map(({ title, of }) => `${title} ${of(best)}`).join(", ")}`, WIDTH)
      : []),
    "",
    ...settingLines(varied, shown, paint),
    ...(rest > 0 ? [`and ${grouped(rest)} more; --json has all`] : []),
    ...alone.flatMap(({ student, validation }) =>
      wrap(
        `student ${student.join("-")}, alone: ${share(validation)} % on validation rows, loss ${validation.loss.toFixed(3)}`,
        WIDTH,
      ),
    ),
    ...wrap(
      "alpha weighs the hard loss, 1 − alpha the soft one, beta the one between the last hidden layers; accuracy: mean ± sd over seeds; loss: cross-entropy in nats; divergence: KL(teacher ‖ student) at T 1 in nats",
      WIDTH,
    ),
    "",
    ...wrap(`Chosen: ${pupilName(best)}`, WIDTH).map((line) => paint("bold", line)),
    ...tableLines(tested, testedRows(report), WIDTH, paint),
    "",
    ...closingLines({ verdict, notes, attribution }, WIDTH, paint),
  ];
  return `${lines.join("\n")}\n`;
}

/** Settings with what was measured of them: of that, as many columns as there is room for, and at least two. */
function settingLines(varied: readonly Axis[], shown: readonly SettingReport[], paint: Paint): string[] {
  const linesWith = (count: number, painted: Paint): string[] =>
    tableLines(
      [
        ...varied.map(({ title }): Column => ({ title: ["", title], align: "right" })),
        ...measured.slice(0, count),
      ],
      shown.map((each) => [...varied.map(({ of }) => of(each.setting)), ...cellsOf(each).slice(0, count)]),
      WIDTH,
      painted,
    );
  let count = measured.length;
  while (count > 2 && linesWith(count, plain).some((line) => line.length > WIDTH)) count--;
  return linesWith(count, paint);
}

const cellsOf = ({ validation }: SettingReport): Cell[] => [
  share(validation),
  gainCell(validation.gain),
  validation.loss.toFixed(3),
  validation.divergence.toFixed(3),
];

function testedRows({ tested: { chosen, default: unchanged } }: SweepReport): Cell[][] {
  const rowOf = (name: string, accuracy: Accuracy, gain: TwinComparison | null): Cell[] => [
    name,
    share(accuracy),
    gain === null ? "" : gainCell(gain),
  ];
  const taught = (name: string, { taught: accuracy, gain }: TestReport): Cell[] =>
    rowOf(name, accuracy, gain);
  return [
    taught("chosen", chosen),
    rowOf("its twin, alone", chosen.alone, null),
    ...(unchanged === null ? [] : [taught("default, T 4, alpha 0.7", unchanged)]),
  ];
}

const percent = (value: number): string => (value * 100).toFixed(1);

const share = ({ mean, deviation }: Accuracy): string =>
  `${percent(mean)}${deviation === null ? "" : ` ± ${percent(deviation)}`}`;
