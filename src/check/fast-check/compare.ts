/** What should be equal, or nearly, and a sentence about where it is not. */
import { formatShape, type Shape, sameShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";

type Numbers = ArrayLike<number>;

/** Requires a shape. */
export function requireShapeOf(what: string, { shape }: Tensor, wanted: Shape): void {
  if (!sameShape(shape, wanted)) {
    throw new Error(`${what} is ${formatShape(shape)}, expected ${formatShape(wanted)}`);
  }
}

/** Requires the same numbers: NaN is NaN, and 0 is not −0. */
export function requireSame(what: string, got: Numbers, wanted: Numbers, shape: Shape): void {
  requireAll(what, got, wanted, shape, (a, b) => (Object.is(a, b) ? null : ""));
}

/** Requires |got − wanted| ≤ bound, entry by entry; of numbers that are not finite, the same. */
export function requireClose(
  what: string,
  got: Numbers,
  wanted: Numbers,
  shape: Shape,
  bound: (wanted: number, index: number) => number,
): void {
  requireAll(what, got, wanted, shape, (a, b, i) => {
    const [off, most] = [Math.abs(a - b), bound(b, i)];
    return off <= most || Object.is(a, b) ? null : `, off by ${off.toPrecision(2)} > ${most.toPrecision(2)}`;
  });
}

function requireAll(
  what: string,
  got: Numbers,
  wanted: Numbers,
  shape: Shape,
  complaint: (got: number, wanted: number, index: number) => string | null,
): void {
  if (got.length !== wanted.length) {
    throw new Error(`${what} has ${got.length} values, expected ${wanted.length}`);
  }
  for (let i = 0; i < wanted.length; i++) {
    const wrong = complaint(got[i], wanted[i], i);
    if (wrong !== null) {
      throw new Error(
        `${what} is ${shown(got[i])} at ${place(i, shape)}, expected ${shown(wanted[i])}${wrong}`,
      );
    }
  }
}

/** The largest magnitude among some numbers, which a rounding error is relative to. */
export function largest(...lists: readonly Numbers[]): number {
  let most = 0;
  for (const list of lists) for (let i = 0; i < list.length; i++) most = Math.max(most, Math.abs(list[i]));
  return most;
}

const shown = (x: number): string => (Object.is(x, -0) ? "−0" : String(x));

/** `[1, 2]` of a flat index. */
function place(index: number, shape: Shape): string {
  const at: number[] = [];
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    at.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return formatShape(at);
}
