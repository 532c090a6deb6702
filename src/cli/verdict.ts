/** Floor 6: what a comparison says, in words. Knows numbers that were measured, and puts no better face on any. */
import { type PairedGain, pairedGain } from "../distill/paired-gain.ts";
import { grouped } from "./model-names.ts";
import type { ModelId } from "./recipe.ts";

/** Whether a student gained from its teacher: an interval that contains 0 shows no difference, one seed shows nothing. */
export type Verdict = "helped" | "hurt" | "no difference" | "one seed";

export interface Comparison extends PairedGain {
  /** The student of the same start and steps that learned alone. */
  readonly over: ModelId;
  readonly verdict: Verdict;
}

/** What of a model's report a sentence is made from. */
export interface Judged {
  readonly id: ModelId;
  /** How many labelled rows it learned from. */
  readonly labels: number;
  /** Null for those who learn alone. */
  readonly gain: Comparison | null;
}

export function compare(over: ModelId, taught: readonly number[], alone: readonly number[]): Comparison {
  const gain = pairedGain(taught, alone);
  return { over, ...gain, verdict: verdictOf(gain) };
}

export function verdictOf({ interval }: PairedGain): Verdict {
  if (interval === null) return "one seed";
  if (interval[0] > 0) return "helped";
  return interval[1] < 0 ? "hurt" : "no difference";
}

/** A sentence for every student that was taught, in the order of the models. */
export function verdictSentences(models: readonly Judged[], seeds: number): string[] {
  return models.flatMap((model) => {
    const twin = models.find(({ id }) => id === model.gain?.over);
    return twin ? [verdictSentence(model, twin, seeds)] : [];
  });
}

/** One comparison as one sentence. `student` was taught, its `twin` learned alone. */
export function verdictSentence(
  { labels, gain }: Pick<Judged, "labels" | "gain">,
  twin: Pick<Judged, "labels">,
  seeds: number,
): string {
  if (gain === null) throw new Error("verdictSentence: expected a student with a gain");
  // Twins with the same labels differ in the teacher alone; otherwise the teacher stands in for the labels.
  const replaces = labels !== twin.labels;
  const what = replaces
    ? `without any label, the taught student is ${distance(gain.mean)} its twin that had ${grouped(twin.labels)} labels`
    : `with ${grouped(labels)} labels, the taught student is ${distance(gain.mean)} its twin that learned alone`;
  if (gain.interval === null) return `One seed says nothing about chance: ${what}.`;
  const range = `95 % interval ${signed(gain.interval[0])} … ${signed(gain.interval[1])}`;
  if (gain.verdict === "helped") return `Distillation helped: ${what} (${range}).`;
  if (gain.verdict === "no difference")
    return `No difference that ${seeds} seeds can show: ${what} (${range}).`;
  const loss = replaces ? "The teacher did not make up for the labels" : "Distillation hurt";
  return `${loss}: ${what} (${range}).`;
}

function distance(share: number): string {
  const points = signed(share);
  if (points === "0.0") return "level with";
  return `${points.slice(1)} points ${points.startsWith("−") ? "below" : "above"}`;
}

/** A share as points with one decimal and a sign; what rounds to 0 has none. */
export function signed(share: number): string {
  const points = Math.abs(share * 100).toFixed(1);
  if (points === "0.0") return points;
  return `${share < 0 ? "−" : "+"}${points}`;
}
