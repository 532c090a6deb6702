/** Annex: backward against differences along random directions, at a cost that does not grow with the inputs. */
import type { Floats } from "../kernels/kernels.ts";
import type { RandomStream } from "../random.ts";
import { type Agreement, disagreement, type Sides } from "./disagreement.ts";
import type { Failure, Place } from "./failure.ts";
import { along, differences } from "./jacobians.ts";
import { type Judgement, judge, SHORTEST, type Verdict } from "./kinks.ts";
import { pullBack, randomFloats, valuesAt } from "./passes.ts";
import type { Subject } from "./question.ts";

/** How many directions must agree, and how many are drawn at most, as any of them may meet a kink. */
const DIRECTIONS = 4;
const DRAWS = 12;

/**
 * ⟨u, J v⟩ by differences against ⟨Jᵀu, v⟩ by backward, for random v:
 *
 *     |⟨u, J v⟩ − ⟨Jᵀu, v⟩| ≤ 1e-8 + 1e-8 · Σ |Jᵀu|ⱼ |v|ⱼ        rounding grows with the terms and their number
 */
export function compareDirections(subject: Subject, u: Floats, random: RandomStream): Agreement {
  const gradients = pullBack(subject, u);
  const sidesOf = (direction: readonly Floats[], step = subject.step): Sides => {
    let [slope, terms] = [0, 0];
    for (const [i, gradient] of gradients.entries()) {
      for (let j = 0; j < gradient.length; j++) {
        const term = gradient[j] * direction[i][j];
        slope += term;
        terms += Math.abs(term);
      }
    }
    const difference = dot(u, differences(subject, direction, step));
    return { slope, difference, tolerance: 1e-8 + 1e-8 * terms };
  };
  const judged = (direction: readonly Floats[], { slope, tolerance }: Sides): Judgement =>
    judge((t) => dot(u, valuesAt(subject, direction, t)), slope, subject.step, tolerance);

  /** Names the entry to blame for a direction, where there is one that shows the same. */
  const blame = (
    direction: readonly Floats[],
    verdict: Exclude<Verdict, "agrees">,
    name: string,
  ): Failure => {
    // A short step keeps kinks beside x out of it, which are not to blame.
    const place = worstEntry(subject, direction, (part) => excess(sidesOf(part, SHORTEST * subject.step)));
    const entry = along(subject, place.input, place.index);
    const sides = sidesOf(entry);
    return excess(sides) > 1 && judged(entry, sides).verdict === verdict
      ? disagreement(subject, place, verdict, sides)
      : disagreement(subject, name, verdict, sidesOf(direction));
  };

  let count = 0;
  let best: Pick<Agreement, "error" | "at" | "tolerance"> = { error: 0, at: null, tolerance: 1e-8 };
  const agree = (error: number, tolerance: number, at: string): void => {
    count++;
    if (best.at === null || error / tolerance > best.error / best.tolerance) best = { error, at, tolerance };
  };
  let kink: Failure | null = null;
  for (let draw = 0; draw < DRAWS && count < DIRECTIONS; draw++) {
    const direction = subject.inputs.map(({ size }) => randomFloats(size, random));
    const [sides, name] = [sidesOf(direction), `along random direction ${draw}`];
    if (excess(sides) <= 1) {
      agree(Math.abs(sides.slope - sides.difference), sides.tolerance, name);
      continue;
    }
    const { verdict, error } = judged(direction, sides);
    if (verdict === "agrees") agree(error, sides.tolerance, name);
    else if (verdict === "wrong") throw blame(direction, verdict, name);
    else kink ??= blame(direction, verdict, name);
  }
  if (count < DIRECTIONS && kink !== null) throw kink;
  return { compared: "directions", count, ...best };
}

const excess = ({ slope, difference, tolerance }: Sides): number => Math.abs(slope - difference) / tolerance;

/** An entry that disagrees, found by halving a direction that does: the errors of the halves add up to that of the whole. */
function worstEntry(
  { inputs }: Subject,
  direction: readonly Floats[],
  excessOf: (part: readonly Floats[]) => number,
): Place {
  const starts = [0];
  for (const { size } of inputs) starts.push(starts[starts.length - 1] + size);
  /** The direction between two entries, counted through all inputs, and 0 elsewhere. */
  const part = (from: number, to: number): Floats[] =>
    direction.map((values, i) => values.map((v, j) => (starts[i] + j >= from && starts[i] + j < to ? v : 0)));
  let [from, to] = [0, starts[inputs.length]];
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    if (excessOf(part(from, middle)) >= excessOf(part(middle, to))) to = middle;
    else from = middle;
  }
  const input = inputs.findIndex((_, i) => from < starts[i + 1]);
  return { input, index: from - starts[input] };
}

function dot(a: Floats, b: Floats): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
