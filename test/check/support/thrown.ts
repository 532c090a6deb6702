import { GradcheckError } from "../../../src/check/index.ts";

/** The error that a check ends with. */
export function thrownBy(check: () => unknown): GradcheckError {
  try {
    check();
  } catch (error) {
    if (error instanceof GradcheckError) return error;
    throw error;
  }
  throw new Error("the check passed");
}
