import fc from "fast-check";
import { DistilgradError } from "../../errors.ts";
import { Shrinking } from "./shrinking.ts";

export interface ValueOptions {
  /** Default −3. */
  readonly min?: number;
  /** Default 3. */
  readonly max?: number;
  /** Values stay this far away from every kink, such as 50 steps of a difference. Default 0. */
  readonly gap?: number;
  /** Where a function has a kink or a pole. Default [0]. */
  readonly kinks?: readonly number[];
}

/**
 * Float32 numbers in a range, away from kinks. All 24 bits of the mantissa are drawn, over a few powers of two, so that
 * sums and products do round; now and then it is 0, 1 or −1.
 *
 * Shrinks to numbers with fewer binary digits, and among these to smaller ones.
 *
 * @throws where the range holds nothing that is so far from all kinks
 */
export function values({ min = -3, max = 3, gap = 0, kinks = [0] }: ValueOptions = {}): fc.Arbitrary<number> {
  const allowed = (x: number): boolean =>
    x >= min && x <= max && kinks.every((kink) => Math.abs(x - kink) >= gap);
  const edges = [min, max, ...kinks.flatMap((kink) => [kink - gap, kink + gap])].sort((a, b) => a - b);
  if (!edges.some((edge, i) => edge < edges[i + 1] && allowed((edge + edges[i + 1]) / 2))) {
    throw new DistilgradError(
      "value",
      `values: expected min < max with something between that is ${gap} from every kink, got ${min}, ${max} and kinks at [${kinks.join(", ")}]`,
    );
  }
  const anywhere = fc
    .tuple(
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.constantFrom(1, 1, 1, 1, 1, 0.125, 0.0078125, 0.000244140625),
    )
    .map(([n, size]) => Math.fround((min + ((max - min) * n) / 0x100000000) * size))
    .filter(allowed);
  const special = [0, 1, -1].filter(allowed);
  const drawn =
    special.length === 0
      ? anywhere
      : fc.oneof({ weight: 9, arbitrary: anywhere }, { weight: 1, arbitrary: fc.constantFrom(...special) });
  return new Shrinking(
    drawn,
    (x) => simplerNumbers(x).filter((simpler) => Math.fround(simpler) === simpler && allowed(simpler)),
    (x) => typeof x === "number" && Math.fround(x) === x && allowed(x),
  );
}

/** What an arbitrary shrinks a number to, the simplest first. */
export const simplerOf =
  (entry: fc.Arbitrary<number>) =>
  (x: number): number[] =>
    [...entry.shrink(x, undefined)].map(({ value }) => value);

/**
 * Numbers with fewer binary digits behind the point than x, or of as many but smaller, or of the same size but positive.
 * No chain of them is infinite.
 */
function simplerNumbers(x: number): number[] {
  if (x === 0) return [];
  const found = [0];
  let scale = 1;
  for (; !Number.isInteger(x * scale); scale *= 2) {
    const inner = Math.trunc(x * scale);
    if (inner !== 0) found.push(inner / scale);
    found.push((inner + Math.sign(x)) / scale);
  }
  if (x < 0) found.push(-x);
  if (Math.trunc(x) !== 0 && !Number.isInteger(x)) found.push(x - Math.trunc(x));
  // In steps of the last digit: half of the way to 0, a quarter, an eighth, and so on to one step.
  for (let way = Math.trunc((x * scale) / 2); way !== 0; way = Math.trunc(way / 2))
    found.push(x - way / scale);
  return found;
}
