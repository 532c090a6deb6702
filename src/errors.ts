/**
 * Floor 0: what goes wrong, said once. Knows nothing of what it describes.
 *
 * A message reads `where: what was required, got what[; what to do]`. The code is stable: programs compare it, people
 * read the message.
 */

export type ErrorCode =
  /** Shapes that do not fit together, or a dimension that is not a whole number ≥ 0. */
  | "shape"
  /** An argument or a setting outside its domain. */
  | "value"
  /** A class label that is not a whole number in range, or as many labels as rows. */
  | "labels"
  /** Operands made by two kernel sets. */
  | "kernels"
  /** Differentiation where there is nothing to differentiate, or twice. */
  | "graph"
  /** A saved value was changed between forward and backward. */
  | "changed"
  /** A parameter without a gradient, or with one that was used before. */
  | "gradient"
  /** A loss or a gradient that is NaN or infinite. */
  | "nonfinite"
  /** A point without a derivative, where a gradient cannot be checked. */
  | "kink"
  /** Models that may not be combined: teacher and student, parameters and optimizer. */
  | "model"
  /** A saved state that does not fit what it is restored into. */
  | "state"
  /** Data that cannot be read or split. */
  | "data"
  /** Two copies of this library are loaded. */
  | "copies";

/** The one error class of this library. `code` is stable, `message` is for people. */
export class DistilgradError extends Error {
  override readonly name = "DistilgradError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
