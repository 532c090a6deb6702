/** Floor 0: how a loop that is no kernel keeps class d: one rounding per operation, in the order of the formula. */
import type { Kernels } from "./kernels.ts";

/** What a set computes in, for messages. */
export const precisionOf = ({ bytesPerElement }: Kernels): string => `float${8 * bytesPerElement}`;

/**
 * The nearest number of a set's precision. A branch inside one function, and not a choice of two functions, is what the
 * compiler unfolds into a loop also where a program uses both sets.
 */
export function roundingOf({ bytesPerElement }: Kernels): (x: number) => number {
  const narrow = bytesPerElement === 4;
  return (x) => (narrow ? Math.fround(x) : x);
}
