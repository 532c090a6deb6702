/** Floor 3: the weight and the bias of layers that multiply: what can be said about them, and how they start. */
import { kindOf, requireFlag, requireInstance } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { uniform } from "../factories.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { RandomStream } from "../random.ts";
import type { Shape } from "../shape.ts";
import { fanInUniform, fans, type Initializer } from "./init.ts";
import { Parameter } from "./module.ts";

export interface WeightOptions {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** How the weight starts. Default `fanInUniform`, as in PyTorch. The bias starts uniform within ±1/√fanIn. */
  readonly init?: Initializer;
  /** Where the draws come from: the weight's first, then the bias's. Default: the library's stream. */
  readonly random?: RandomStream | undefined;
  /** The kernel set it lives in. Default float32. */
  readonly kernels?: Kernels;
}

/** The names of `WeightOptions`, for `requireOptions`. */
export const weightOptions = ["bias", "init", "random", "kernels"] as const;

/** Requires a function that makes a weight and, where one is given, a stream to draw it from. */
export function requireInitializer(where: string, init: unknown, random: unknown): void {
  if (typeof init !== "function") {
    throw new DistilgradError(
      "value",
      `${where}: init must be a function such as kaimingUniform, got ${kindOf(init)}`,
    );
  }
  if (random !== undefined) requireInstance(where, "random, a RandomStream", random, RandomStream);
}

/** A weight of a shape `[…, in, …kernel]` and, where it is wanted, a bias `[outputs]`, drawn in this order. */
export function startingWeights(
  where: string,
  shape: Shape,
  outputs: number,
  options: WeightOptions,
): { readonly weight: Parameter; readonly bias: Parameter | null } {
  const { bias = true, init = fanInUniform, ...source } = options;
  requireInitializer(where, init, source.random);
  requireFlag(where, "bias", bias);
  const bound = 1 / Math.sqrt(fans(where, shape).fanIn);
  return {
    weight: new Parameter(init(shape, source)),
    bias: bias ? new Parameter(uniform([outputs], { ...source, low: -bound, high: bound })) : null,
  };
}
