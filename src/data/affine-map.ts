/** Floor 3: one image under an affine map of the plane. Knows flat values and no tensors, and draws nothing. */
import type { Floats } from "../kernels/kernels.ts";
import { cos, sin } from "../math.ts";
import type { Shape } from "../shape.ts";

const RADIANS = 0.017453292519943295;

/** An image is first scaled, then turned, both about its centre, and then moved. */
export interface AffineMap {
  readonly scale: number;
  /** Degrees, anticlockwise for whoever looks at the image with row 0 at the top. */
  readonly turn: number;
  /** Pixels, towards higher columns. */
  readonly right: number;
  /** Pixels, towards higher rows. */
  readonly down: number;
}

/**
 * Maps one image, channel by channel, sampling bilinearly.
 *
 *     u = column − cₓ − right        x = cₓ + (u cos θ − v sin θ) / scale        cₓ = (width − 1) / 2
 *     v = row − c_y − down           y = c_y + (u sin θ + v cos θ) / scale       c_y = (height − 1) / 2
 *
 *     out[row, column] = lerp(lerp(p₀₀, p₀₁, fₓ), lerp(p₁₀, p₁₁, fₓ), f_y)      lerp(a, b, f) = a + f (b − a)
 *
 * where p are the four pixels around (y, x) and f = x − ⌊x⌋. Whole shifts copy pixels exactly, and equal pixels
 * give exactly their value. Around the image lies a plane of `fill`, into which the border blends.
 *
 * @param out `[channels, height, width]`, overwritten
 * @param values holds the image from `start` on
 */
export function mapImage(
  out: Float64Array,
  values: Floats,
  start: number,
  [channels, height, width]: Shape,
  { scale, turn, right, down }: AffineMap,
  fill: number,
): void {
  const cosine = cos(turn * RADIANS) / scale;
  const sine = sin(turn * RADIANS) / scale;
  const cx = (width - 1) / 2;
  const cy = (height - 1) / 2;
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    const from = start + channel * height * width;
    for (let row = 0; row < height; row++) {
      const v = row - cy - down;
      for (let column = 0; column < width; column++) {
        const u = column - cx - right;
        const x = cx + (u * cosine - v * sine);
        const y = cy + (u * sine + v * cosine);
        out[at++] =
          x > -1 && x < width && y > -1 && y < height
            ? bilinear(values, from, height, width, y, x, fill)
            : fill;
      }
    }
  }
}

/** The value at (y, x), a place less than one pixel outside of the image at most. */
function bilinear(
  values: Floats,
  from: number,
  height: number,
  width: number,
  y: number,
  x: number,
  fill: number,
): number {
  const top = Math.floor(y);
  const left = Math.floor(x);
  const fy = y - top;
  const fx = x - left;
  const hasTop = top >= 0;
  const hasLeft = left >= 0;
  const hasRight = left + 1 < width;
  const upper = from + top * width + left;
  const a = lerp(hasTop && hasLeft ? values[upper] : fill, hasTop && hasRight ? values[upper + 1] : fill, fx);
  const hasBottom = top + 1 < height;
  const lower = upper + width;
  const b = lerp(
    hasBottom && hasLeft ? values[lower] : fill,
    hasBottom && hasRight ? values[lower + 1] : fill,
    fx,
  );
  return lerp(a, b, fy);
}

/** b does not count where its weight is 0: an infinite pixel would make NaN of its neighbour. */
const lerp = (a: number, b: number, f: number): number => (f === 0 ? a : a + f * (b - a));
