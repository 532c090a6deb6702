/** Annex: why a slope and a difference disagree: the slope is wrong, or there is none. Knows a function of one number. */
import { stencil } from "./jacobians.ts";

/** t ↦ ⟨w, f(x + t v)⟩ */
export type Line = (t: number) => number;

/**
 * `agrees`: with a shorter step it does; a kink beside x, or strong curvature, was in the way. `kink`, `jump`: there is
 * one at x. `bend`: differences come ever closer to the slope as the step shrinks, and no step reaches it. `wrong`: none
 * of these.
 */
export type Verdict = "agrees" | "kink" | "jump" | "bend" | "wrong";

export interface Judgement {
  readonly verdict: Verdict;
  /** How far the slope is from the nearest difference with a shorter step. */
  readonly error: number;
}

/** Steps that are tried, as parts of the one that was asked for. */
const SHORTER = [1 / 8, 1 / 64, 1 / 512];
export const SHORTEST = 1 / 512;

/** What to make of a slope at 0 that a difference with the step h does not confirm. */
export function judge(line: Line, slope: number, h: number, tolerance: number): Judgement {
  const off = (part: number): number => Math.abs(slope - slopeAt(line, part * h));
  const [asked, first, second, third] = [1, ...SHORTER].map(off);
  const error = Math.min(first, second, third);
  if (error <= tolerance) return { verdict: "agrees", error };
  const { size, jump } = cornerOf(line, SHORTER[0] * h);
  if (size >= 0.99 * first) return { verdict: jump ? "jump" : "kink", error };
  // Steps are an eighth of the one before: a jump of f'' leaves an error of order h, a smooth f one of order h⁴.
  const slowly = third <= second / 4 && third > second / 512;
  return { verdict: slowly && second <= asked / 16 ? "bend" : "wrong", error };
}

/** The difference along a line. */
const slopeAt = (line: Line, h: number): number => stencil(line(-2 * h), line(-h), line(h), line(2 * h), h);

/** Samples of the line are this part of the step apart. */
const SPACING = 1 / 8;

/**
 * How much the slope changes at once, anywhere within 2h of 0; 0 where it changes smoothly.
 *
 * The second difference over a spacing s is s² f'' where f is smooth and s K at a kink, at most split over two
 * neighbours. So for the largest sum of two neighbours, P(s) / s = K + O(s), and K ≈ 2 P(s/2) / (s/2) − P(s) / s. Where
 * f is smooth this is O(s²), a quarter of itself for half the spacing; at a kink it stays, at a jump it doubles.
 */
export function cornerOf(line: Line, h: number): { readonly size: number; readonly jump: boolean } {
  const s = SPACING * h;
  const samples = Array.from({ length: 4 / SPACING + 1 }, (_, k) => line(k * s - 2 * h));
  const [wide, middle, narrow] = [4, 2, 1].map((stride) => largestPair(samples, stride) / (stride * s));
  const [before, size] = [2 * middle - wide, 2 * narrow - middle];
  const noise = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0) * (ROUNDING / s);
  if (size <= noise || size < 0.7 * before) return { size: 0, jump: false };
  return { size, jump: size > 1.5 * before };
}

/** What rounding may make of a second difference of values up to 1: 64 u, a few roundings for each of its terms. */
const ROUNDING = 64 / 9007199254740992;

/** The largest |S[k] + S[k + 1]| of the second differences S over every `stride`-th sample. */
function largestPair(samples: readonly number[], stride: number): number {
  let most = 0;
  let before = 0;
  for (let k = stride; k + stride < samples.length; k += stride) {
    const second = samples[k + stride] - 2 * samples[k] + samples[k - stride];
    most = Math.max(most, Math.abs(before + second));
    before = second;
  }
  return most;
}
