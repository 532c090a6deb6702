/** Annex: what is asked of a gradient check, once its caller's arguments have been read. */
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Any number of tensors to one. */
export type Differentiable = (...inputs: Tensor[]) => Tensor;

/** All that an answer depends on. */
export interface Question {
  /** The function that messages are about, such as `gradcheckModule`. */
  readonly caller: string;
  readonly fn: Differentiable;
  /** What messages call fn; null: its op. */
  readonly name: string | null;
  /** In float64, and nobody else's. */
  readonly inputs: readonly Tensor[];
  /** What messages call each input. */
  readonly labels: readonly string[];
  /** How many inputs, from the first, fn can take in no other shape: a module's parameters. */
  readonly fixed: number;
  readonly seed: number;
  /** h of the differences. */
  readonly step: number;
  /** How many entries all Jacobians together may have to be compared one by one. */
  readonly fullUpTo: number;
}

/** A question whose function has run once. */
export interface Subject extends Question {
  readonly name: string;
  /** Of the result. */
  readonly shape: Shape;
}
