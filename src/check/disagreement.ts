/** Annex: two derivatives that should be one, and what is said when they are not. */
import { apart, brief, Failure, type Place, position } from "./failure.ts";
import type { Verdict } from "./kinks.ts";
import type { Subject } from "./question.ts";

/** What was compared, and how well it agreed. */
export interface Agreement {
  readonly compared: "entries" | "directions";
  readonly count: number;
  /** The largest |backward − difference|; of directions, that of the one nearest to its tolerance. */
  readonly error: number;
  /** Where: `input 0 at [1, 2]`; null when there was nothing to compare. */
  readonly at: string | null;
  /** What the error there may be. */
  readonly tolerance: number;
}

/** The derivative in a direction: by backward, by differences, and how far apart they may be. */
export interface Sides {
  readonly slope: number;
  readonly difference: number;
  readonly tolerance: number;
}

/** What is said of a place without a derivative. */
const verdicts: Readonly<Record<Exclude<Verdict, "agrees" | "wrong">, string>> = {
  kink: "the slopes to both sides differ: a kink, where there is no derivative",
  jump: "the function jumps here, where there is no derivative",
  bend: "differences come closer to backward as the step shrinks and never reach it: a higher derivative jumps here",
};

/** A verdict other than "agrees", as a failure. */
export function disagreement(
  subject: Subject,
  at: Place | string,
  verdict: Exclude<Verdict, "agrees">,
  { slope, difference, tolerance }: Sides,
): Failure {
  const [left, right] = apart(slope, difference);
  const says = `backward says ${left}, central difference ${right}`;
  if (verdict !== "wrong") {
    const away = Number((10 * subject.step).toPrecision(2));
    const what = `${says}; ${verdicts[verdict]}; move the inputs at least 10 steps (${away}) away from there`;
    return new Failure(subject, { law: "smooth", code: "kink", at, what });
  }
  const size = Math.max(Math.abs(slope), Math.abs(difference));
  return new Failure(subject, {
    law: "differences",
    at,
    what: says,
    detail: `relative ${brief(Math.abs(slope - difference) / size)} > ${brief(tolerance / size)}`,
  });
}

/** `input 0 at [1, 2]` */
export const placeName = ({ labels, inputs }: Subject, place: Place): string =>
  `${labels[place.input]} at ${position(place, inputs)}`;
