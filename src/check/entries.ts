/** Annex: backward against differences, every entry of the Jacobian. */
import { type Agreement, disagreement, placeName } from "./disagreement.ts";
import type { Failure, Place } from "./failure.ts";
import { along, jacobiansOf } from "./jacobians.ts";
import { judge } from "./kinks.ts";
import { largest } from "./laws.ts";
import { valuesAt } from "./passes.ts";
import type { Subject } from "./question.ts";

/** How many kinks are looked at, the largest first, before they are taken for the reason of all that is left. */
const KINKS = 16;

interface Suspect extends Place {
  readonly output: number;
  readonly slope: number;
  readonly difference: number;
}

/** Every entry of the Jacobian J: |backward − difference| ≤ 1e-9 + 1e-8 · max |J|. */
export function compareEntries(subject: Subject): Agreement {
  const jacobians = jacobiansOf(subject);
  const all = jacobians.flatMap(({ backward, difference }) => [backward, difference]);
  const tolerance = 1e-9 + 1e-8 * largest(all);
  const suspects: Suspect[] = [];
  let [count, error] = [0, 0];
  let best: Place | null = null;
  for (const [input, { backward, difference }] of jacobians.entries()) {
    const { size } = subject.inputs[input];
    for (let k = 0; k < backward.length; k++, count++) {
      const place = { input, index: k % size };
      const off = Math.abs(backward[k] - difference[k]);
      if (!(off <= tolerance)) {
        const output = (k - place.index) / size;
        suspects.push({ ...place, output, slope: backward[k], difference: difference[k] });
      } else if (best === null || off > error) {
        [error, best] = [off, place];
      }
    }
  }
  const offBy = ({ slope, difference }: Suspect): number => Math.abs(slope - difference);
  suspects.sort((a, b) => offBy(b) - offBy(a));
  const kinks: Failure[] = [];
  for (const suspect of suspects) {
    if (kinks.length === KINKS) break;
    const direction = along(subject, suspect.input, suspect.index);
    const line = (t: number): number => valuesAt(subject, direction, t)[suspect.output];
    const { verdict, error: nearest } = judge(line, suspect.slope, subject.step, tolerance);
    if (verdict === "agrees") {
      if (best === null || nearest > error) [error, best] = [nearest, suspect];
      continue;
    }
    const failure = disagreement(subject, suspect, verdict, { ...suspect, tolerance });
    if (verdict === "wrong") throw failure;
    kinks.push(failure);
  }
  if (kinks.length > 0) throw kinks[0];
  return { compared: "entries", count, error, at: best && placeName(subject, best), tolerance };
}
