/** Floor 2: windows that slide along an axis of x: how many fit, where their taps lie, and how callers set them. */
import { requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { Windows } from "../kernels/windows.ts";
import { formatShape, type Shape } from "../shape.ts";

/** A setting for each axis. */
export type Both = readonly [vertical: number, horizontal: number];

/** One setting for both axes, or one for each. */
export type Pair = number | Both;

/** How many windows fit along an axis of x and its padding. One must. */
export function requireWindows(
  op: string,
  what: string,
  x: Shape,
  length: number,
  { taps, stride, padding, dilation }: Omit<Windows, "length" | "count">,
): number {
  const reach = dilation * (taps - 1) + 1;
  const room = length + 2 * padding;
  if (taps < 1 || reach > room) {
    throw new DistilgradError(
      "shape",
      `${op}: windows must span 1 to ${room} positions of x ${formatShape(x)} with its padding, got ${what}, which spans ${taps < 1 ? 0 : reach}`,
    );
  }
  return Math.floor((room - reach) / stride) + 1;
}

/** A pair as two whole numbers. */
export function requirePair(op: string, name: string, value: Pair, least: number): Both {
  if (!Array.isArray(value)) {
    if ((value as unknown) === "same") {
      throw new DistilgradError(
        "value",
        `${op}: ${name} is a number of positions, got "same"; with a stride of 1 it is dilation · (kernel − 1) / 2`,
      );
    }
    requireWhole(op, name, value, least);
    return [value as number, value as number];
  }
  if (value.length !== 2 || !value.every((one) => Number.isSafeInteger(one) && one >= least)) {
    throw new DistilgradError(
      "value",
      `${op}: ${name} must be one whole number of at least ${least} or two, [vertical, horizontal], got ${formatShape(value)}`,
    );
  }
  return [value[0], value[1]];
}
