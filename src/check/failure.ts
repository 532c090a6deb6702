/** Annex: what did not hold, first as a finding inside the check, then as the error that a caller sees. */
import { DistilgradError, type ErrorCode } from "../errors.ts";
import { formatShape, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Subject } from "./question.ts";

/** What a gradient check asks of a function. */
export type Law =
  /** Every input is behind the result. */
  | "reached"
  /** Inputs, saved values and cotangent stay as they are. */
  | "untouched"
  /** Two passes give the same bits. */
  | "repeatable"
  /** Results and gradients are finite. */
  | "finite"
  /** A zero cotangent gives zeros. */
  | "zero"
  /** Gradients are linear in the cotangent. */
  | "linear"
  /** Pullbacks add to what is there. */
  | "adds"
  /** There is a derivative. */
  | "smooth"
  /** Backward agrees with differences. */
  | "differences";

/** An entry of an input. */
export interface Place {
  readonly input: number;
  /** Flat, row-major. */
  readonly index: number;
}

interface Finding {
  readonly law: Law;
  readonly code?: ErrorCode;
  /** The entry that shows it, or words such as "along random direction 0". */
  readonly at?: Place | string;
  readonly what: string;
  /** What stands in brackets before the seed. */
  readonly detail?: string;
}

/** A law that does not hold, before anybody has asked why. Never leaves this folder. */
export class Failure extends Error {
  readonly law: Law;
  readonly code: ErrorCode;
  readonly place: Place | null;

  constructor({ name, labels, inputs, seed }: Subject, finding: Finding) {
    const { law, code = "gradient", at, what, detail } = finding;
    const place = typeof at === "object" ? at : null;
    const where = place === null ? at : `${labels[place.input]} at ${position(place, inputs)}`;
    const subject = [name, where].filter((part) => part !== undefined).join(", ");
    super(`gradcheck: ${subject}: ${what} (${detail === undefined ? "" : `${detail}, `}seed ${seed})`);
    this.law = law;
    this.code = code;
    this.place = place;
  }
}

/** The smallest inputs that were found to fail. To see it again: `gradcheck(fn, error.case.inputs, error.case.options)`. */
export interface FailingCase {
  /** In float64. For a module or a trainer, parameters come first. */
  readonly inputs: readonly Tensor[];
  readonly options: { readonly seed: number; readonly step: number };
}

/**
 * What `gradcheck` throws when a law does not hold. Its code is "gradient", "kink" where there is no derivative, or
 * "nonfinite".
 */
export class GradcheckError extends DistilgradError {
  readonly law: Law;
  /** What the pattern of the error looks like, or null. */
  readonly hint: string | null;
  // Private, so that a test runner that prints an error's fields does not print tensors.
  readonly #case: FailingCase;

  constructor(failure: Failure, message: string, hint: string | null, smallest: FailingCase) {
    super(failure.code, message);
    this.law = failure.law;
    this.hint = hint;
    this.#case = smallest;
  }

  get case(): FailingCase {
    return this.#case;
  }
}

/** `[1, 2]` of a flat index. */
export function position({ input, index }: Place, inputs: readonly Tensor[]): string {
  return positionIn(inputs[input].shape, index);
}

/** The same within a shape. */
export function positionIn(shape: Shape, index: number): string {
  const at: number[] = [];
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    at.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return formatShape(at);
}

/** Two numbers with as many digits, six or more, as tell them apart. */
export function apart(a: number, b: number): readonly [string, string] {
  for (let digits = 6; ; digits++) {
    const [left, right] = [a, b].map((value) => String(Number(value.toPrecision(digits))));
    if (left !== right || digits === 17) return [left, right];
  }
}

/** A number as it is, the sign of a zero too. */
export const exactly = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

/** `1.2e-8` */
export const brief = (value: number): string => value.toExponential(1);
