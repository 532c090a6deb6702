/** What is to be said of an op, so that everything else can be checked. */
import type fc from "fast-check";
import type { NestedNumbers } from "../../nested.ts";
import type { Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";

/** One use of an op: drawn operands, the call, and what it should give. */
export interface OpCase {
  /** Tensors of float32 numbers, in either set: each check copies them into the sets that it compares. */
  readonly operands: readonly Tensor[];
  /** The op with its settings. What it needs besides the operands, it makes in `operand.kernels`. */
  readonly call: (...operands: Tensor[]) => Tensor;
  readonly shape: Shape;
  /** The values, row-major, by a formula in float64 that shares nothing with the op. */
  readonly expected: readonly number[];
  /** The step of differences, where the default of 1e-3 is too long for the function's fifth derivative. */
  readonly step?: number;
  /**
   * How far a float32 result may be from the float64 one, entry by entry. Default: one rounding, u |y|. Operands and
   * cotangents are float32 numbers, so only what happens inside counts.
   */
  readonly bound?: (value: number, index: number) => number;
  /** The same for the gradient of operand `which`, given the cotangent. Default: two roundings, 2 u |dx|. */
  readonly gradientBound?: (which: number, gradient: number, index: number, dy: readonly number[]) => number;
  /** `linear` of the entry, where it differs in this case; `[]` where this case is not linear. */
  readonly linear?: readonly (readonly number[])[];
  /** `rowAxes` of the entry, where it differs in this case; null where rows depend on each other. */
  readonly rowAxes?: number | null;
}

/** Operands of which it is said exactly what they give. A scalar is a number, a matrix a list of lists. */
export interface OpPoint {
  /** What is special there, for messages: `0`, `a tie`, `a row with NaN`. */
  readonly at: string;
  readonly operands: readonly (NestedNumbers | Tensor)[];
  readonly call: (...operands: Tensor[]) => Tensor;
  readonly value?: NestedNumbers | Tensor;
  /** For each operand, null where nothing is said of it. */
  readonly gradients?: readonly (NestedNumbers | Tensor | null)[];
  /** ∂L/∂y. Default: all ones. */
  readonly cotangent?: NestedNumbers | Tensor;
}

/** Numbers from elsewhere, such as another engine. */
export interface GoldenCase extends OpPoint {
  /** |got − golden| ≤ tolerance · (1 + |golden|), in float64. Default 1e-12. */
  readonly tolerance?: number;
}

/** An op, as the checks need to know it. Only the samples must be there; the more is said, the more is checked. */
export interface OpSpec {
  /** Cases, away from kinks. */
  readonly samples: fc.Arbitrary<OpCase>;
  /** Calls that are refused, with the whole message. */
  readonly errors?: readonly (readonly [call: () => unknown, message: string])[];
  /** The edges of where the function is defined, and what it gives there: the same in float32 and, rounded, in float64. */
  readonly domain?: readonly OpPoint[];
  /** Where there is no derivative, or more than one, and which one is chosen. */
  readonly kinks?: readonly OpPoint[];
  /**
   * The sets of operands in which it is linear, the others held fixed: `[[0], [1]]` for a product, `[[0, 1]]` for a sum.
   * An index beyond a case's operands is left out, so that a bias may be missing.
   */
  readonly linear?: readonly (readonly number[])[];
  /**
   * How many last axes of operand 0 are a row, if each row of the result is computed from that row, and from all of the
   * other operands: 1 for a softmax, 3 for a convolution of planes.
   */
  readonly rowAxes?: number;
  /** Whether operands without values are refused, so that the samples have none. Default false. */
  readonly refusesEmpty?: boolean;
  readonly golden?: readonly GoldenCase[];
  /** What the graph calls the result, null where it may be an operand itself. Default: the op's name. */
  readonly recordedAs?: readonly (string | null)[];
}

/** One check of an op: a sentence that goes on from its name, and the proof. */
export interface OpCheck {
  readonly name: string;
  /** Returns when the sentence is true, and throws an error that says where it is not. */
  readonly run: (options?: RunOptions) => void;
}

export interface RunOptions {
  /** What cases are drawn from. Default 1: the same ones every time. */
  readonly seed?: number;
  /** How many cases a cheap check draws; others draw a part of it. Default 60. */
  readonly numRuns?: number;
  /** Of a failure's message: goes to that case at once. */
  readonly path?: string;
}
