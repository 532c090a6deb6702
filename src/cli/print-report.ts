/** Floor 6: a report as text of at most 100 columns. */

import { signed, type Verdict } from "../distill/report/compare-with-twin.ts";
import { closingLines } from "./closing-lines.ts";
import { counted, grouped } from "./model-names.ts";
import type { Paint, Style } from "./paint.ts";
import { shortened } from "./printable.ts";
import type { ModelReport, Report } from "./report.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import type { Comparison } from "./verdict.ts";
import { wrap } from "./wrap.ts";

const WIDTH = 100;
/** How many classes are listed by name. */
const CLASSES = 12;

const columns: readonly Column[] = [
  { title: ["", "model"], align: "left" },
  { title: ["test", "accuracy %"], align: "right" },
  { title: ["gain over its twin,", "points [95 %]"], align: "right" },
  { title: ["agrees", "%"], align: "right" },
  { title: ["", "parameters"], align: "right" },
  { title: ["", "bytes"], align: "right" },
  { title: ["µs per", "row *"], align: "right" },
  { title: ["times", "smaller"], align: "right" },
];

/** Both weights, as other programs let alpha weigh the other loss. */
function learnedFrom({ temperature, alpha, weights, terms }: Report["settings"]): string {
  if (terms === null) {
    return `T ${temperature}, alpha ${alpha}: alpha weighs the hard loss (hard ${weights.hard}, soft ${weights.soft})`;
  }
  const each = Object.entries(terms).map(([name, { loss, weight = 1 }]) => {
    const factor = typeof weight === "number" ? weight : `${weight.base ?? 1} (${weight.schedule})`;
    return `${name} ${factor} × ${loss}`;
  });
  return `taught students learn from ${each.join(" + ")}`;
}

/** The teacher's shape, or where its answers are from. */
function taughtBy({ settings: { teacher, answers }, models }: Report): string {
  if (teacher !== null) {
    const layers = models[0].layers!.join("-");
    const count = teacher.count === 1 ? "teacher" : `teacher: the mean of ${teacher.count} networks`;
    return `${count} ${layers}, dropout ${teacher.dropout}`;
  }
  return `teacher: answers from ${shortened(answers!.source)}`;
}

const besideColumns: readonly Column[] = [
  { title: ["", "model"], align: "left" },
  { title: ["test", "loss"], align: "right" },
  { title: ["calibration", "error %"], align: "right" },
  { title: ["divergence from", "its teacher"], align: "right" },
  { title: ["accuracy", "retained %"], align: "right" },
];

/** @param attribution what the data's licence asks to be said */
export function printReport(report: Report, paint: Paint, attribution?: string): string {
  const { data, settings, models, verdict, notes, times } = report;
  const [, student] = models;
  const lines = [
    ...wrap(
      `${shortened(data.name)}: ${grouped(data.rows)} rows, ${counted(data.features, "feature")}, ${classesOf(data)}`,
      WIDTH,
    ),
    ...(data.unlabelledRows > 0
      ? wrap(
          `${grouped(data.unlabelledRows)} rows have no label: they are never tested, and only the student without labels learns from them`,
          WIDTH,
        )
      : []),
    `${seedsOf(settings.seeds)}: ${grouped(data.trainingRows)} labelled rows to train on, ${grouped(data.testRows)} to test on`,
    ...wrap(`${taughtBy(report)}; students ${student.layers!.join("-")}`, WIDTH),
    ...wrap(`${learnedFrom(settings)}; kernels ${settings.kernels}`, WIDTH),
    "",
    ...tableLines(
      columns,
      models.map((model) => row(model, times.microseconds[model.id])),
      WIDTH,
      paint,
    ),
    ...tableLines(besideColumns, models.map(besideRow), WIDTH, paint),
    `taught: by the teacher's answers; no labels, taught: by these alone, on all rows${settings.terms === null ? " (alpha 0)" : ""}`,
    `accuracy: mean${settings.seeds > 1 ? " ± sd" : ""} over seeds; agrees: with the teacher, on the test rows; bytes: float32`,
    ...wrap(
      "loss: cross-entropy in nats; calibration error: how far confidence is from accuracy; divergence: KL(teacher ‖ student) at T 1 in nats; all on the test rows, means over seeds",
      WIDTH,
    ),
    "* median; the only figures here that differ from run to run",
    "",
    ...closingLines({ verdict, notes, attribution }, WIDTH, paint),
  ];
  return `${lines.join("\n")}\n`;
}

function row(model: ModelReport, microseconds: number | undefined): Cell[] {
  return [
    model.name,
    `${percent(model.mean)}${model.deviation === null ? "" : ` ± ${percent(model.deviation)}`}`,
    model.gain === null ? "" : gainCell(model.gain),
    model.id === "teacher" ? "" : percent(model.agreement),
    model.parameters === null ? "" : grouped(model.parameters),
    model.bytes === null ? "" : grouped(model.bytes),
    microseconds === undefined ? "" : microseconds.toFixed(1),
    model.id === "teacher" || model.compression === null ? "" : `${model.compression.toFixed(1)}×`,
  ];
}

function besideRow({ name, loss, calibrationError, divergence, accuracyRetained }: ModelReport): Cell[] {
  return [
    name,
    loss.toFixed(3),
    percent(calibrationError),
    divergence === null ? "" : divergence.toFixed(3),
    accuracyRetained === null ? "" : percent(accuracyRetained),
  ];
}

const styles: Readonly<Record<Verdict, Style>> = {
  helped: "green",
  hurt: "red",
  "no difference": "dim",
  "one seed": "dim",
};

/** A gain in points with its interval, painted by its verdict. */
export function gainCell({ mean, interval, verdict }: Omit<Comparison, "over">): Cell {
  const range = interval === null ? "" : ` [${signed(interval[0])}, ${signed(interval[1])}]`;
  return { text: `${signed(mean)}${range}`, style: styles[verdict] };
}

const seedsOf = (seeds: number): string =>
  seeds === 1 ? "1 seed" : `${seeds} seeds, each with a split of its own`;

function classesOf({ classes }: Report["data"]): string {
  const named = classes.slice(0, CLASSES).map(({ name, rows }) => `${shortened(name)}: ${grouped(rows)}`);
  const rest = classes.length > CLASSES ? `, and ${classes.length - CLASSES} more` : "";
  return `${classes.length} classes (${named.join(", ")}${rest})`;
}

const percent = (share: number): string => (share * 100).toFixed(1);
