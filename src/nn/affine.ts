/** Floor 3: what layers of normalisation have in common: what they can be told, and the scale and offset they learn. */
import { requireFlag } from "../arguments.ts";
import { ones, zeros } from "../factories.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { Shape } from "../shape.ts";
import { Parameter } from "./module.ts";

export interface AffineOptions {
  /** ε > 0, added to the variance before its root is taken, or to the mean square. Default 1e-5; RMSNorm 1e-6. */
  readonly epsilon?: number;
  /** Whether a scale and an offset are learned, which start as ones and zeros. Default true. */
  readonly affine?: boolean;
  /** The kernel set it lives in. Default float32. */
  readonly kernels?: Kernels;
}

/** The names of `AffineOptions`, for `requireOptions`. */
export const affineOptions = ["epsilon", "affine", "kernels"] as const;

/** A scale of ones and an offset of zeros, or null for each that is not wanted. */
export function startingAffine(
  where: string,
  shape: Shape,
  { affine = true, bias = true, kernels }: AffineOptions & { readonly bias?: boolean },
): { readonly weight: Parameter | null; readonly bias: Parameter | null } {
  requireFlag(where, "affine", affine);
  requireFlag(where, "bias", bias);
  const source = kernels ? { kernels } : {};
  return {
    weight: affine ? new Parameter(ones(shape, source)) : null,
    bias: affine && bias ? new Parameter(zeros(shape, source)) : null,
  };
}
