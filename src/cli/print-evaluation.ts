/** Floor 6: an evaluation as text of at most 100 columns. */
import type { CalibrationBin } from "../distill/report/calibration.ts";
import type { ConfusionMatrix } from "../distill/report/confusion-matrix.ts";
import type { EvaluatedModel, Evaluation } from "./evaluation.ts";
import { counted, grouped } from "./model-names.ts";
import { type Paint, plain } from "./paint.ts";
import { shortened } from "./printable.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import { wrap } from "./wrap.ts";

const WIDTH = 100;
/** Up to how many classes there is a table of all confusions. */
const MATRIX_CLASSES = 12;
/** How many classes, or confusions, are listed where there are too many for all. */
const WORST = 12;
/** Up to how many classes all are listed. */
const LISTED_CLASSES = 24;

const left = (above: string, below: string): Column => ({ title: [above, below], align: "left" });
const right = (above: string, below: string): Column => ({ title: [above, below], align: "right" });

/** @param attribution what the data's licence asks to be said */
export function printEvaluation(evaluation: Evaluation, paint: Paint, attribution?: string): string {
  const { data, classes, models, comparison, notes } = evaluation;
  const [{ assessment }] = models;
  const names = classes.map(shortened);
  const rows = data.testRows
    ? `${counted(data.rows, "test row")}, which no model of its run saw`
    : counted(data.rows, "row");
  const unlabelled = data.rows - data.labelledRows;
  const lines = [
    ...wrap(
      `${shortened(data.name)}: ${rows}${unlabelled > 0 ? `, ${grouped(unlabelled)} of them without a class` : ""}; ${classes.length} classes`,
      WIDTH,
    ),
    ...models.map(
      ({ part, file, name, seed }) =>
        `${part.padEnd(7)}  ${fileName(file)} (${shortened(name)}; seed ${seed})`,
    ),
    "",
    ...qualityLines(models, paint),
    "",
    ...costLines(evaluation, paint),
    ...wrap(
      "loss: cross-entropy in nats; calibration error: how far confidence is from accuracy, in 15 bins; divergence: KL(teacher ‖ model) at T 1 in nats; bytes: float32; multiply-adds: for one row",
      WIDTH,
    ),
    "* median of one row at a time; the only figure here that differs from run to run",
    "",
    ...(assessment?.confusion ? classLines(names, assessment.confusion, paint) : []),
    ...(assessment?.confusion ? confusionLines(names, assessment.confusion, paint) : []),
    ...(assessment?.calibration ? reliabilityLines(assessment.calibration.bins, paint) : []),
    ...(comparison ? wrap(comparison.sentence, WIDTH).map((line) => paint("bold", line)) : []),
    ...notes.flatMap((note) => wrap(`Note: ${note}`, WIDTH)),
    ...(attribution ? ["", ...wrap(attribution, WIDTH).map((line) => paint("dim", line))] : []),
  ];
  while (lines[lines.length - 1] === "") lines.pop();
  return `${lines.join("\n")}\n`;
}

/** The end of a long path says more than its beginning. */
const fileName = (file: string): string => (file.length > 60 ? `…${file.slice(-59)}` : file);

function qualityLines(models: readonly EvaluatedModel[], paint: Paint): string[] {
  const columns = [
    left("", "model"),
    right("accuracy", "%"),
    right("", "loss"),
    right("calibration", "error %"),
    right("agrees with", "teacher %"),
    right("divergence", "from teacher"),
    right("accuracy", "retained %"),
  ];
  const rows = models.map(({ part, assessment: found }): Cell[] => [
    part,
    percent(found?.accuracy),
    fixed(found?.loss),
    percent(found?.calibration?.error),
    percent(found?.agreement),
    fixed(found?.divergence),
    percent(found?.accuracyRetained),
  ]);
  return tableLines(columns, rows, WIDTH, paint);
}

function costLines({ models, times }: Evaluation, paint: Paint): string[] {
  const [first] = models;
  const columns = [
    left("", "model"),
    left("", "layers"),
    right("", "parameters"),
    right("", "bytes"),
    right("multiply-", "adds"),
    right("µs per", "row *"),
    right("times the", "model"),
  ];
  const rows = models.map((model): Cell[] => [
    model.part,
    layersOf(model.layers),
    grouped(model.parameters),
    grouped(model.bytes),
    grouped(model.multiplyAdds),
    times.microseconds[model.part]!.toFixed(1),
    model === first ? "" : `${(model.parameters / first.parameters).toFixed(1)}×`,
  ]);
  return tableLines(columns, rows, WIDTH, paint);
}

function layersOf(widths: readonly number[]): string {
  const text = widths.join("-");
  return text.length > 40 ? `${text.slice(0, 18)}…${text.slice(-18)}` : text;
}

function classLines(names: readonly string[], { classes }: ConfusionMatrix, paint: Paint): string[] {
  const all = classes.map((scores, i) => ({ name: names[i], ...scores }));
  const worst = [...all].sort((a, b) => (a.f1 ?? 2) - (b.f1 ?? 2)).slice(0, WORST);
  const shown = all.length > LISTED_CLASSES ? worst : all;
  const columns = [
    left("", "class"),
    right("", "rows"),
    right("", "named"),
    right("precision", "%"),
    right("recall", "%"),
    right("F1", "%"),
  ];
  const rows = shown.map(({ name, support, predicted, precision, recall, f1 }): Cell[] => [
    name,
    grouped(support),
    grouped(predicted),
    percent(precision, "–"),
    percent(recall, "–"),
    percent(f1, "–"),
  ]);
  const which = shown === all ? "" : `, the ${WORST} of ${all.length} with the lowest F1; --json has all`;
  return [`Classes, as the model names them${which}`, ...tableLines(columns, rows, WIDTH, paint), ""];
}

/** All confusions as a table where it fits, else the most frequent ones. */
function confusionLines(
  names: readonly string[],
  { counts, classes }: ConfusionMatrix,
  paint: Paint,
): string[] {
  const matrix = names.length > MATRIX_CLASSES ? null : matrixLines(names, counts, paint);
  if (matrix) return ["Confusions: a line for each true class, a column for each answer", ...matrix, ""];
  const found = counts
    .flatMap((row, label) => row.map((count, answer) => ({ label, answer, count })))
    .filter(({ label, answer, count }) => count > 0 && answer !== label)
    .sort((a, b) => b.count - a.count);
  if (found.length === 0) return [];
  const columns = [
    left("", "true class"),
    left("", "taken for"),
    right("", "rows"),
    right("of its", "class %"),
  ];
  const rows = found
    .slice(0, WORST)
    .map(({ label, answer, count }): Cell[] => [
      names[label],
      names[answer],
      grouped(count),
      percent(count / classes[label].support),
    ]);
  const which =
    found.length > rows.length ? `, the ${rows.length} most frequent of ${grouped(found.length)}` : "";
  return [`Confusions${which}`, ...tableLines(columns, rows, WIDTH, paint), ""];
}

/** Null where it is wider than a line, even with numbers in the place of names. */
function matrixLines(
  names: readonly string[],
  counts: readonly (readonly number[])[],
  paint: Paint,
): string[] | null {
  const numbered = names.map((name, i) => `${i + 1} ${name}`);
  const numbers = names.map((_, i) => String(i + 1));
  for (const [lineTitles, titles] of [
    [names, names],
    [numbered, numbers],
  ]) {
    const columns = [left("", ""), ...titles.map((title) => right("", title))];
    const rows = counts.map((row, label): Cell[] => [
      lineTitles[label],
      ...row.map((count, answer): Cell => {
        const text = count === 0 ? "·" : grouped(count);
        return answer === label ? { text, style: "bold" } : text;
      }),
    ]);
    const fits = tableLines(columns, rows, WIDTH, plain).every((line) => line.length <= WIDTH);
    if (fits) return tableLines(columns, rows, WIDTH, paint).slice(1); // whose first line is empty
  }
  return null;
}

function reliabilityLines(bins: readonly CalibrationBin[], paint: Paint): string[] {
  const columns = [
    left("", "confidence"),
    right("", "rows"),
    right("mean", "confidence %"),
    right("accuracy", "%"),
  ];
  const rows = bins
    .filter(({ count }) => count > 0)
    .map(({ low, high, count, confidence, accuracy }): Cell[] => [
      `${low.toFixed(2)} – ${high.toFixed(2)}`,
      grouped(count),
      percent(confidence),
      percent(accuracy),
    ]);
  return ["Is it right as often as it is sure?", ...tableLines(columns, rows, WIDTH, paint), ""];
}

const percent = (share: number | null | undefined, nothing = ""): string =>
  typeof share === "number" ? (share * 100).toFixed(1) : nothing;

const fixed = (value: number | null | undefined): string =>
  typeof value === "number" ? value.toFixed(3) : "";
