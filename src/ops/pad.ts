import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape, type Shape, sizeOf, stridesOf } from "../shape.ts";
import { kernelsOf, record, type Tensor } from "../tensor.ts";
import { placed } from "./strided-runs.ts";

export interface PadOptions {
  /** What stands in the margins. Default 0. */
  readonly value?: number | undefined;
}

/** How many entries stand before and behind those of an axis. */
export type Margins = readonly [before: number, after: number];

/**
 * A tensor within margins that hold one value.
 *
 *     y[…, before + i, …] = x[…, i, …]        value elsewhere
 *     dx = dy without its margins
 *
 * @param widths the margins of every axis: `pad(x, [[0, 0], [0, 0], [1, 1], [1, 1]])` frames images `[N, C, H, W]`
 */
export function pad(x: Tensor, widths: readonly Margins[], options: PadOptions = {}): Tensor {
  const k = kernelsOf("pad", x);
  requireOptions("pad", options, ["value"]);
  const { value = 0 } = options;
  if (typeof value !== "number") {
    throw new DistilgradError("value", `pad: value must be a number, got ${kindOf(value)}`);
  }
  requireWidths(x.shape, widths);
  const shape = x.shape.map((length, axis) => widths[axis][0] + length + widths[axis][1]);
  const strides = stridesOf(shape);
  const corner = strides.reduce((at, stride, axis) => at + widths[axis][0] * stride, 0);
  const y = k.alloc(sizeOf(shape)).fill(value);
  return record("pad", y, shape, [placed(y, x, strides, corner)]);
}

function requireWidths(shape: Shape, widths: readonly Margins[]): void {
  if (!Array.isArray(widths) || widths.length !== shape.length) {
    throw new DistilgradError(
      "shape",
      `pad: expected widths [before, after] for each of the ${shape.length} axes of ${formatShape(shape)}, got ${Array.isArray(widths) ? widths.length : kindOf(widths)}`,
    );
  }
  for (const [axis, pair] of widths.entries()) {
    const whole = (width: unknown): boolean => Number.isSafeInteger(width) && (width as number) >= 0;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(whole)) {
      throw new DistilgradError(
        "shape",
        `pad: widths are two whole numbers of at least 0, got ${Array.isArray(pair) ? formatShape(pair) : kindOf(pair)} for axis ${axis}`,
      );
    }
  }
}
