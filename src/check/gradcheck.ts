/**
 * Annex: does a backward pass compute the derivative of its forward pass? The same op code runs in float64, where a
 * fourth-order difference is good to about 1e-12, so a wrong derivative has nowhere to hide.
 */
import { kindOf, requireOptions, requirePositive, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { float64 } from "../kernels/float64.ts";
import { Tensor } from "../tensor.ts";
import { explained } from "./explain.ts";
import { Failure, positionIn } from "./failure.ts";
import { type GradcheckReport, prove } from "./prove.ts";
import type { Differentiable, Question } from "./question.ts";

/** What every check can be told. */
export interface CheckOptions {
  /** Draws cotangents and directions. Default 1. */
  readonly seed?: number;
  /** h of the difference. Default 1e-3; inputs should be of the order of 1. */
  readonly step?: number;
  /** Entries of all Jacobians together up to which each is compared; beyond, random directions are. Default 2,000. */
  readonly fullUpTo?: number;
  /** What messages call the function. Default: its op; of several ops the name of fn. */
  readonly name?: string;
}

/** The names of these options. */
export const commonOptions = ["seed", "step", "fullUpTo", "name"];

export interface GradcheckOptions extends CheckOptions {
  /** What messages call the inputs, in their order. Default: by index. */
  readonly names?: readonly string[];
}

/**
 * Proves that a function has the derivative that its backward pass says, or says where not and what it looks like.
 *
 *     Jᵀu by backward, with a fresh pass for each u
 *     J v by differences, (f(x − 2hv) − 8 f(x − hv) + 8 f(x + hv) − f(x + 2hv)) / 12h
 *
 * Small functions: every entry, |backward − difference| ≤ 1e-9 + 1e-8 · max |J|. Larger ones: |⟨u, J v⟩ − ⟨Jᵀu, v⟩| ≤
 * 1e-8 + 1e-8 · Σ |Jᵀu|ⱼ |v|ⱼ for four random v. A comparison that fails is repeated with h/8, h/64, h/512, as a
 * kink beside the inputs may be in the way. Always: results and gradients are finite, two passes give the same bits, a zero cotangent gives exact
 * zeros, gradients are linear in the cotangent, they add to what is there, and inputs, saved values and the cotangent
 * stay as they are.
 *
 * @param fn built of ops, any number of tensors to one
 * @param inputs tensors in any precision; fn is handed float64 copies, all of which it must use. A parameter that fn
 *   reads from elsewhere is not among them. Keep them 10 h away from kinks such as ReLU's 0
 * @returns what was compared, the largest error and what it may be
 * @throws GradcheckError with a hint where the pattern is known, and the smallest inputs that fail in `case`
 * @see Griewank & Walther, Evaluating Derivatives (2008), §3.1 (adjoint identity)
 */
export function gradcheck(
  fn: Differentiable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): GradcheckReport {
  const caller = "gradcheck";
  requireOptions(caller, options, [...commonOptions, "names"]);
  if (typeof fn !== "function") {
    throw new DistilgradError("value", `${caller}: expected a function of tensors, got ${kindOf(fn)}`);
  }
  const copies = inFloat64(caller, inputs);
  if (copies.length === 0) {
    throw new DistilgradError("value", `${caller}: expected at least one input tensor, got none`);
  }
  return answer({
    caller,
    fn,
    inputs: copies,
    labels: labelsOf(copies, options.names),
    fixed: 0,
    ...settingsOf(caller, options),
  });
}

/** The report, or the error that says why there is none. */
export function answer(question: Question): GradcheckReport {
  try {
    return prove(question);
  } catch (error) {
    throw error instanceof Failure ? explained(question, error) : error;
  }
}

/** Copies of the inputs in float64, finite ones. */
export function inFloat64(caller: string, inputs: readonly Tensor[]): Tensor[] {
  if (!Array.isArray(inputs)) {
    throw new DistilgradError("value", `${caller}: expected a list of input tensors, such as [x]`);
  }
  return inputs.map((input: unknown, i) => {
    if (!(input instanceof Tensor)) {
      throw new DistilgradError(
        "value",
        `${caller}: input ${i} must be a tensor, got ${kindOf(input)}; wrap it in tensor(…)`,
      );
    }
    const at = input.data.findIndex((value) => !Number.isFinite(value));
    if (at !== -1) {
      throw new DistilgradError(
        "value",
        `${caller}: input ${i} is ${input.data[at]} at ${positionIn(input.shape, at)}, and must be finite`,
      );
    }
    return new Tensor(Float64Array.from(input.data), input.shape, float64);
  });
}

/** What messages call some inputs: `input 0`, or `input 0 "x"`. */
export const labelsOf = (inputs: readonly Tensor[], names: readonly string[] = []): string[] =>
  inputs.map((_, i) => (names[i] === undefined ? `input ${i}` : `input ${i} "${names[i]}"`));

/** What callers leave to their defaults. */
export function settingsOf(
  caller: string,
  { seed = 1, step = 1e-3, fullUpTo = 2000, name }: CheckOptions,
): Pick<Question, "seed" | "step" | "fullUpTo" | "name"> {
  requireWhole(caller, "seed", seed, 0);
  requirePositive(caller, "step", step);
  requireWhole(caller, "fullUpTo", fullUpTo, 0);
  return { seed, step, fullUpTo, name: name ?? null };
}
