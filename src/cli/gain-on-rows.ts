/** Floor 6: whether one of two models is right more often on the same rows. */
import { distance, signed } from "../distill/report/compare-with-twin.ts";
import { counted } from "./model-names.ts";

export interface GainOnRows {
  readonly rows: number;
  /** Rows that the first model alone has right, … */
  readonly firstAlone: number;
  /** … and those that the second alone has right. */
  readonly secondAlone: number;
  /** The first model's accuracy minus the second's. */
  readonly difference: number;
  /** A 95 % interval of that difference, over rows such as these. */
  readonly interval: readonly [low: number, high: number];
  readonly verdict: "above" | "below" | "no difference";
}

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * The difference of two accuracies on the same rows, with an interval that says how much the choice of these rows matters.
 *
 *     b, c = rows that only the first, only the second has right        difference = (b − c) / n
 *     interval = (b − c) / (n + 2)  ±  z · √(b + c + 1 − (b − c)² / (n + 2)) / (n + 2)        z = 1.96, cut at ±1
 *
 * This is Wald's interval for matched pairs with half a row added to each of the four cells, so that it keeps its promise
 * on few rows too and has a width even where b = c = 0. It knows nothing of the chance in training: that takes several
 * seeds, as in `pairedGain`.
 *
 * @param right whether the first model is right, for each row: at least one
 * @see Agresti & Min, Simple Improved Confidence Intervals for Comparing Matched Proportions, Statistics in Medicine 24
 *   (2005), 729–740: "Wald+2"
 */
export function gainOnRows(right: readonly boolean[], otherRight: readonly boolean[]): GainOnRows {
  const rows = right.length;
  const firstAlone = right.filter((yes, row) => yes && !otherRight[row]).length;
  const secondAlone = right.filter((yes, row) => !yes && otherRight[row]).length;
  const apart = firstAlone - secondAlone;
  const centre = apart / (rows + 2);
  const half = (Z * Math.sqrt(firstAlone + secondAlone + 1 - apart * centre)) / (rows + 2);
  const interval = [Math.max(-1, centre - half), Math.min(1, centre + half)] as const;
  const verdict = interval[0] > 0 ? "above" : interval[1] < 0 ? "below" : "no difference";
  return { rows, firstAlone, secondAlone, difference: apart / rows, interval, verdict };
}

/** The comparison as one sentence, which says what it does not cover. */
export function gainOnRowsSentence({ rows, difference, interval, verdict }: GainOnRows): string {
  const on = counted(rows, "row");
  const what = `the model is ${distance(difference)} its twin (95 % interval over rows ${signed(interval[0])} … ${signed(interval[1])})`;
  const finding =
    verdict === "no difference" ? `No difference that ${on} can show: ${what}` : `On these ${on} ${what}`;
  return `${finding}; this is one training of each, and another seed may end otherwise.`;
}
