/** Floor 4: whether a difference over seeds is one. */
import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";

export interface PairedGain {
  /** Mean of the differences. */
  readonly mean: number;
  /** Ends of the 95 % interval of that mean; null with a single pair, which says nothing about spread. */
  readonly interval: readonly [low: number, high: number] | null;
}

/** Mean and sample standard deviation (divided by n − 1; 0 for a single value). */
export function meanAndDeviation(values: readonly number[]): {
  readonly mean: number;
  readonly deviation: number;
} {
  if (values.length === 0)
    throw new DistilgradError("value", "meanAndDeviation: expected at least one value");
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, deviation: values.length === 1 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}

/**
 * The gain of a treatment over its twin, pair by pair: the same seed, data, initialisation and steps on both sides.
 *
 *     d_i = treated_i − twin_i        d̄ ± t(0.975, n − 1) · s_d / √n
 *
 * Pairing removes what the seeds have in common, so that a few of them suffice.
 *
 * @see Student (1908); Dietterich, Approximate Statistical Tests for Comparing Supervised Learning Algorithms (1998), §2
 */
export function pairedGain(treated: readonly number[], twins: readonly number[]): PairedGain {
  requireFigures("results", treated);
  requireFigures("twins", twins);
  if (treated.length !== twins.length || treated.length === 0) {
    throw new DistilgradError(
      "value",
      `pairedGain: expected as many results as twins and at least one pair, got ${treated.length} and ${twins.length}`,
    );
  }
  const n = treated.length;
  const { mean, deviation } = meanAndDeviation(treated.map((value, i) => value - twins[i]));
  if (n === 1) return { mean, interval: null };
  const half = (tQuantile975(n - 1) * deviation) / Math.sqrt(n);
  return { mean, interval: [mean - half, mean + half] };
}

function requireFigures(what: string, figures: readonly number[]): void {
  const isList = Array.isArray(figures);
  const at = isList ? figures.findIndex((figure) => !Number.isFinite(figure)) : 0;
  if (at === -1) return;
  const got = isList ? `${kindOf(figures[at])} at position ${at}` : kindOf(figures);
  throw new DistilgradError("value", `pairedGain: expected ${what} as a list of finite numbers, got ${got}`);
}

/** The 97.5 % quantile of Student's t for 1 to 30 degrees of freedom. */
const tTable = [
  12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
  2.200985, 2.178813, 2.160369, 2.144787, 2.13145, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963, 2.079614,
  2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.04523, 2.042272,
];

/**
 * Beyond the table, the expansion in 1/ν around the normal quantile, good to 1e-6 from 31 on.
 *
 * @see Abramowitz & Stegun (1964), 26.7.5
 */
export function tQuantile975(freedom: number): number {
  if (freedom <= tTable.length) return tTable[freedom - 1];
  const z = 1.959963984540054;
  const z3 = z * z * z;
  const z5 = z3 * z * z;
  const first = (z3 + z) / 4;
  const second = (5 * z5 + 16 * z3 + 3 * z) / 96;
  const third = (3 * z5 * z * z + 19 * z5 + 17 * z3 - 15 * z) / 384;
  return z + first / freedom + second / (freedom * freedom) + third / (freedom * freedom * freedom);
}
