/** Floor 2: what poolings share: which positions along an axis become one, and what callers may ask for. */
import { DistilgradError } from "../errors.ts";
import type { Windows } from "../kernels/windows.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { type Both, type Pair, requirePair, requireWindows } from "./windows.ts";

/** Along one axis, span o is the positions from first[o] up to, but not including, end[o]. None is empty. */
export interface Spans {
  readonly length: number;
  readonly count: number;
  readonly first: Int32Array;
  readonly end: Int32Array;
}

export interface PoolOptions {
  /** Of a window, in positions. */
  readonly size: Pair;
  /** From one window to the next, in positions. Default: the size, so that windows lie side by side. */
  readonly stride?: Pair | undefined;
  /** How far windows may reach beyond the planes, at most half of the size. Default 0. */
  readonly padding?: Pair | undefined;
}

/** `PoolOptions`, checked and complete. */
export interface PoolSettings {
  readonly size: Both;
  readonly stride: Both;
  readonly padding: Both;
}

/** Requires whole numbers, for an op and for the layer that will call it. */
export function requirePool(where: string, options: PoolOptions): PoolSettings {
  const size = requirePair(where, "size", options.size, 1);
  const stride = requirePair(where, "stride", options.stride ?? size, 1);
  const padding = requirePair(where, "padding", options.padding ?? 0, 0);
  for (const [axis, taps] of size.entries()) {
    if (2 * padding[axis] > taps) {
      throw new DistilgradError(
        "value",
        `${where}: padding must be at most half of size ${taps}, got ${padding[axis]}`,
      );
    }
  }
  return { size, stride, padding };
}

/** Requires planes that hold something: `[samples, channels, height, width]`. */
export function requirePlanes(op: string, x: Tensor): void {
  kernelsOf(op, x);
  if (x.shape.length !== 4 || x.shape[2] * x.shape[3] === 0) {
    throw new DistilgradError(
      "shape",
      `${op}: expected x [samples, channels, height, width] with at least one value in a plane, got ${formatShape(x.shape)}`,
    );
  }
}

/** The windows of a pooling, [vertical, horizontal]. */
export function planeWindows(
  op: string,
  x: Tensor,
  { size, stride, padding }: PoolSettings,
): readonly Windows[] {
  requirePlanes(op, x);
  return x.shape.slice(2).map((length, axis) => {
    const taps = size[axis];
    const settings = { taps, stride: stride[axis], padding: padding[axis], dilation: 1 };
    return { ...settings, length, count: requireWindows(op, `size ${taps}`, x.shape, length, settings) };
  });
}

/** Windows, each without what lies in the padding. */
export const windowSpans = ({ length, count, taps, stride, padding }: Windows): Spans =>
  spansAlong(
    length,
    count,
    (o) => o * stride - padding,
    (o) => o * stride - padding + taps,
  );

/** `count` spans along an axis, without what lies beyond it. */
export function spansAlong(
  length: number,
  count: number,
  first: (span: number) => number,
  end: (span: number) => number,
): Spans {
  return {
    length,
    count,
    first: Int32Array.from({ length: count }, (_, o) => Math.max(first(o), 0)),
    end: Int32Array.from({ length: count }, (_, o) => Math.min(end(o), length)),
  };
}

/** One span, over all of an axis. */
export const wholeSpan = (length: number): Spans =>
  spansAlong(
    length,
    1,
    () => 0,
    () => length,
  );
