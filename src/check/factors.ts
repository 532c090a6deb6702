/** Annex: a gradient that is the right one times a number, and where such a number comes from. */
import { sizeOf } from "../shape.ts";
import type { Jacobian } from "./jacobians.ts";

/** Backward is one number times the difference, at every entry. One entry proves no factor; a factor without a reason needs three. */
export function factorHint(jacobian: Jacobian, equal: (a: number, b: number) => boolean): string | null {
  const { backward, difference } = jacobian;
  let largest = 0;
  for (let k = 0; k < difference.length; k++) {
    if (Math.abs(difference[k]) > Math.abs(difference[largest])) largest = k;
  }
  const factor = backward[largest] / difference[largest];
  if (!backward.every((value, k) => equal(value, factor * difference[k]))) return null;
  const telling = difference.filter((value) => Math.abs(value) > 1e-3 * Math.abs(difference[largest])).length;
  const reasons = reasonsFor(factor, jacobian);
  if (telling < (reasons.length === 0 ? 3 : 2)) return null;
  return `backward is ${spoken(factor)} the difference at every entry: ${reasons.join(", or ") || "a constant factor"}`;
}

function reasonsFor(factor: number, jacobian: Jacobian): string[] {
  const reasons: string[] = [];
  if (near(factor, -1)) reasons.push("the sign is wrong");
  if (near(factor, 2)) reasons.push("a contribution is counted twice");
  if (near(factor, 0.5)) reasons.push("a contribution is missing, such as that of the second x in x · x");
  const [inverse, whole] = Math.abs(factor) < 1 ? [true, 1 / factor] : [false, factor];
  const what = sizes(jacobian).get(Math.round(whole));
  if (what !== undefined && near(whole, Math.round(whole))) {
    const n = Math.round(whole);
    reasons.push(
      inverse ? `the 1/${n} of a mean is taken twice (${what})` : `the 1/${n} of a mean is missing (${what})`,
    );
  }
  const root = Math.round(Math.sqrt(Math.abs(whole)));
  if (root > 1 && near(whole, root * root)) {
    reasons.push(
      inverse ? `a factor such as T² at T = ${root} is missing` : `a factor such as T² at T = ${root}`,
    );
  }
  return reasons;
}

/** Numbers above 1 that a mean may divide by, in words. */
function sizes({ shape, outputShape }: Jacobian): Map<number, string> {
  const found = new Map<number, string>();
  const note = (size: number, what: string): void => {
    if (size > 1 && !found.has(size)) found.set(size, what);
  };
  for (const [axis, size] of shape.entries()) note(size, `${size} is the size of axis ${axis}`);
  for (const [axis, size] of outputShape.entries())
    note(size, `${size} is the size of the result's axis ${axis}`);
  note(sizeOf(shape), `there are ${sizeOf(shape)} values`);
  const rows = sizeOf(shape.slice(0, -1));
  note(rows, `there are ${rows} rows`);
  return found;
}

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.abs(b);

/** `4 times`, `1/4 of`, `-1 times` */
function spoken(factor: number): string {
  const inverse = 1 / factor;
  if (Math.abs(factor) < 1 && near(inverse, Math.round(inverse))) {
    return `${factor < 0 ? "-" : ""}1/${Math.abs(Math.round(inverse))} of`;
  }
  return `${Number(factor.toPrecision(6))} times`;
}
