import { DistilgradError } from "../../errors.ts";
import { type PairedGain, pairedGain } from "../paired-gain.ts";

/** Whether a student gained from its teacher: an interval that contains 0 shows no difference, one seed shows nothing. */
export type Verdict = "helped" | "hurt" | "no difference" | "one seed";

export interface TwinComparison extends PairedGain {
  readonly verdict: Verdict;
  /** The same in plain words, with figures in points: shares times 100. */
  readonly sentence: string;
}

/**
 * Whether distillation helped, in a word and in a sentence that puts no better face on it.
 *
 * @param taught the share of right answers of the student with a teacher, one for each seed
 * @param alone of its twin, which differs in the teacher alone, for the same seeds
 * @throws when there is not one of both for each seed, at least one, or one is no share
 * @see pairedGain for the interval
 */
export function compareWithTwin(taught: readonly number[], alone: readonly number[]): TwinComparison {
  const gain = pairedGain(taught, alone);
  const notAShare = [...taught, ...alone].find((share) => !(share >= 0 && share <= 1));
  if (notAShare !== undefined) {
    throw new DistilgradError(
      "value",
      `compareWithTwin: accuracies must be shares in [0, 1], got ${notAShare}; divide percentages by 100`,
    );
  }
  return { ...gain, verdict: verdictOf(gain), sentence: gainSentence(gain, taught.length) };
}

export function verdictOf({ interval }: PairedGain): Verdict {
  if (interval === null) return "one seed";
  if (interval[0] > 0) return "helped";
  return interval[1] < 0 ? "hurt" : "no difference";
}

/** What a sentence says besides the figures. */
export interface GainWording {
  /** Under which circumstances, with what separates it from the rest. Default: nothing. */
  readonly circumstances?: string;
  /** Whom the student is compared with. Default: its twin that learned alone. */
  readonly twin?: string;
  /** What a loss means. Default: that distillation hurt. */
  readonly loss?: string;
}

/** One comparison as one sentence. */
export function gainSentence(gain: PairedGain, seeds: number, wording: GainWording = {}): string {
  const { circumstances = "", twin = "its twin that learned alone", loss = "Distillation hurt" } = wording;
  const what = `${circumstances}the taught student is ${distance(gain.mean)} ${twin}`;
  if (gain.interval === null) return `One seed says nothing about chance: ${what}.`;
  const verdict = verdictOf(gain);
  const finding =
    verdict === "helped"
      ? "Distillation helped"
      : verdict === "hurt"
        ? loss
        : `No difference that ${seeds} seeds can show`;
  return `${finding}: ${what} (95 % interval ${signed(gain.interval[0])} … ${signed(gain.interval[1])}).`;
}

/** "2.5 points above", "level with". */
export function distance(share: number): string {
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
