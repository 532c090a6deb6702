import { kindOf, requireOptions } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { float64 } from "../../kernels/float64.ts";
import { expm1, log1p } from "../../math.ts";
import { lossRowsOf } from "../../ops/operands.ts";
import type { Tensor } from "../../tensor.ts";
import { labelledLogits, requireFiniteRows } from "./labelled-logits.ts";
import { solvePositiveDefinite } from "./positive-definite.ts";

/** What is known of how often classes occur: one of the two. */
export interface ClassFrequencies {
  /** A class for each row, −1 for none: the frequencies are those of the labels, and rows without one take no part. */
  readonly labels?: ArrayLike<number>;
  /** How often each omitted class occurs, in the order of the classes: shares above 0 that sum to less than 1. */
  readonly frequencies?: ArrayLike<number>;
}

/** How far a mean probability may be from its frequency. */
const tolerance = 1e-12;
/** Ten are usual; their number grows with the gaps between logits. */
const mostSteps = 1000;

/**
 * What to add to the logits of classes that a student never saw an example of, so that it names them as often as they
 * occur. A student that learns from soft targets knows such a class by its likeness to others; its bias alone is too low.
 *
 *     find b, 0 for all other classes, with        (1/rows) Σ softmax(z + b)_c = frequency_c        for each omitted c
 *     that is b = argmin F,        F(b) = (1/rows) Σ lse(z + b) − Σ_c frequency_c · b_c
 *     ∂F/∂b_c = mean p_c − frequency_c        ∂²F/∂b_c∂b_d = mean (p_c [c = d] − p_c p_d)
 *
 * With labels, F is the cross-entropy up to a constant, and b the intercepts of greatest likelihood. F is strictly convex
 * and grows in every direction, as each frequency is above 0 and all of them leave a share to the others: there is one b.
 * Newton's step s is taken times t = ln(1 + d)/d, where d is the range of s and 0. Along s the third derivative of F is
 * at most d times the second, so that F falls by at least (sᵀ∇²F s) ((1 + d) ln(1 + d) − d)/d² > 0 in every step: it
 * converges from anywhere, and t → 1 makes the last steps quadratic. It ends when every mean probability is its
 * frequency to within 1e-12.
 *
 * The offsets are a change of the last layer's bias: `bias.update((b) => { for (const c of b.keys()) b[c] += offsets[c]; })`.
 *
 * @param logits `[rows, classes]` z, of rows as they occur, which the model did not learn from
 * @param classes the omitted ones, each once; at least one class must not be among them
 * @param known labels or frequencies
 * @returns b, an offset for each class of the model
 * @throws where a logit is not finite, and where an omitted class has no row or leaves none to others
 * @see Hinton, Vinyals & Dean, Distilling the Knowledge in a Neural Network (2015), arXiv 1503.02531, §3;
 *   Sun & Tran-Dinh, Generalized Self-Concordant Functions (2019), arXiv 1703.04599, §3, for the step
 */
export function correctOmittedClasses(
  logits: Tensor,
  classes: ArrayLike<number>,
  known: ClassFrequencies,
): number[] {
  const where = "correctOmittedClasses";
  const { cols } = lossRowsOf(where, "logits", logits);
  const omitted = requireClasses(where, classes, cols);
  requireOptions(where, known, ["labels", "frequencies"]);
  const { labels, frequencies } = known;
  if ((labels === undefined) === (frequencies === undefined)) {
    throw new DistilgradError(
      "value",
      `${where}: expected labels or frequencies, got ${labels === undefined ? "neither" : "both"}`,
    );
  }
  if (labels === undefined) {
    const wanted = requireFrequencies(where, frequencies!, omitted);
    requireFiniteRows(where, logits);
    return offsetsFor(where, logits, omitted, wanted);
  }
  const labelled = labelledLogits(where, logits, labels);
  const counts = omitted.map((label) => labelled.labels.filter((found) => found === label).length);
  const shares = counts.map((count) => count / labelled.labels.length);
  return offsetsFor(where, labelled.logits, omitted, requireFrequencies(where, shares, omitted));
}

function offsetsFor(where: string, logits: Tensor, omitted: number[], wanted: number[]): number[] {
  const [rows, cols] = logits.shape;
  const n = omitted.length;
  const z = Float64Array.from(logits.data);
  const [shifted, p, logP] = [z.slice(), z.slice(), z.slice()];
  const offsets = new Array<number>(cols).fill(0);
  for (let steps = 0; steps < mostSteps; steps++) {
    for (let i = 0; i < z.length; i++) shifted[i] = z[i] + offsets[i % cols];
    float64.distribution(p, logP, shifted, rows, cols, 1);
    const [means, bends] = [new Float64Array(n), new Float64Array(n * n)];
    for (let start = 0; start < z.length; start += cols) {
      for (let i = 0; i < n; i++) {
        const at = start + omitted[i];
        means[i] += p[at] / rows;
        bends[i * n + i] -= (p[at] * expm1(logP[at])) / rows; // p (1 − p), also where p is almost 1
        for (let j = 0; j < i; j++) bends[i * n + j] -= (p[at] * p[start + omitted[j]]) / rows;
      }
    }
    const missing = means.map((mean, i) => wanted[i] - mean); // −∇F
    if (missing.every((share) => Math.abs(share) <= tolerance)) return offsets;
    const step = solvePositiveDefinite(bends, missing);
    let [low, high] = [0, 0];
    for (const part of step) [low, high] = [Math.min(low, part), Math.max(high, part)];
    const damping = log1p(high - low) / (high - low);
    for (let i = 0; i < n; i++) offsets[omitted[i]] += damping * step[i];
  }
  throw new DistilgradError(
    "value",
    `${where}: found no offsets that give these frequencies to within ${tolerance}; the logits are too far apart: divide them by a temperature`,
  );
}

function requireClasses(where: string, classes: ArrayLike<number>, cols: number): number[] {
  if (typeof classes?.length !== "number" || classes.length === 0 || classes.length >= cols) {
    const got = typeof classes?.length === "number" ? `${classes.length} of ${cols}` : kindOf(classes);
    throw new DistilgradError(
      "value",
      `${where}: expected a list of omitted classes, at least one and not all, got ${got}`,
    );
  }
  const omitted = Array.from(classes);
  for (const [i, label] of omitted.entries()) {
    const isClass = Number.isInteger(label) && label >= 0 && label < cols;
    if (!isClass || omitted.indexOf(label) < i) {
      throw new DistilgradError(
        "value",
        `${where}: omitted classes are whole numbers in [0, ${cols}), each once, got ${kindOf(label)} at position ${i}`,
      );
    }
  }
  return omitted;
}

function requireFrequencies(where: string, frequencies: ArrayLike<number>, omitted: number[]): number[] {
  if (frequencies?.length !== omitted.length) {
    const got = typeof frequencies?.length === "number" ? frequencies.length : kindOf(frequencies);
    throw new DistilgradError(
      "value",
      `${where}: expected a frequency for each of ${omitted.length} omitted classes, got ${got}`,
    );
  }
  const shares = Array.from(frequencies);
  for (const [i, share] of shares.entries()) {
    if (!(typeof share === "number" && share > 0)) {
      throw new DistilgradError(
        "value",
        `${where}: the frequency of class ${omitted[i]} must be above 0, got ${kindOf(share)}; no finite offset gives that`,
      );
    }
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (!(total < 1)) {
    throw new DistilgradError(
      "value",
      `${where}: the frequencies of omitted classes must sum to less than 1, got ${total}; the others need a share`,
    );
  }
  return shares;
}
