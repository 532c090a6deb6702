/** Floor 6: what a comparison says of the models of a job, in words. */
import { type PairedGain, pairedGain } from "../distill/paired-gain.ts";
import { gainSentence, type Verdict, verdictOf } from "../distill/report/compare-with-twin.ts";
import { counted } from "./model-names.ts";
import type { ModelId } from "./recipe.ts";

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
  if (labels === twin.labels)
    return gainSentence(gain, seeds, { circumstances: `with ${counted(labels, "label")}, ` });
  return gainSentence(gain, seeds, {
    circumstances: "without any label, ",
    twin: `its twin that had ${counted(twin.labels, "label")}`,
    loss: "The teacher did not make up for the labels",
  });
}
