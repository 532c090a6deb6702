import { requireInstance, requireOptions, requireWhole } from "../arguments.ts";
import { float32 } from "../kernels/float32.ts";
import { cos, sin } from "../math.ts";
import { RandomStream } from "../random.ts";
import { Tensor } from "../tensor.ts";
import type { Dataset } from "./dataset.ts";

const TWO_PI = 6.283185307179586;
const HALF_ROOT_3 = 0.8660254037844386;

/** What the labels of `shapes` stand for. */
export const shapeNames: readonly string[] = ["disc", "ring", "square", "frame", "triangle", "cross"];

/**
 * How far (x, y) lies outside of the shape's edge, negative inside: distances in pixels from the shape's centre.
 *
 * @param r the shape's radius: no point of it is further out than 1.1 r
 * @param half half the width of a line, which lies inside of the edge that it draws
 */
const outside: readonly ((x: number, y: number, r: number, half: number) => number)[] = [
  (x, y, r) => radius(x, y) - 0.85 * r,
  (x, y, r, half) => Math.abs(radius(x, y) - 0.9 * r + half) - half,
  (x, y, r) => box(x, y, 0.75 * r, 0.75 * r),
  (x, y, r, half) => Math.abs(box(x, y, 0.75 * r, 0.75 * r) + half) - half,
  (x, y, r) => Math.max(y, HALF_ROOT_3 * Math.abs(x) - 0.5 * y) - 0.55 * r,
  (x, y, r) => Math.min(box(x, y, r, 0.3 * r), box(x, y, 0.3 * r, r)),
];

export interface ShapesOptions {
  /** How many images, at least 1. */
  readonly rows: number;
  /** Pixels along either side, at least 8. Default 16. */
  readonly size?: number;
  readonly random: RandomStream;
}

/**
 * Small images of one light shape each on black: discs, rings, squares, frames, triangles and crosses, each with a
 * place, a size, an angle and an intensity of its own, and soft edges.
 *
 *     pixel = intensity · clamp(½ − d, 0, 1)        d: how far the pixel's centre lies outside of the shape
 *
 * Radius uniform in [0.22, 0.4) · size, the centre wherever the shape stays inside, intensity uniform in [0.5, 1).
 *
 * @returns x `[rows, 1, size, size]`, 0 … 1; labels 0, 1, …, 5, 0, 1, …: see `shapeNames`
 */
export function shapes(options: ShapesOptions): Dataset & { readonly labels: Int32Array } {
  requireOptions("shapes", options, ["rows", "size", "random"]);
  const { rows, size = 16, random } = options;
  requireWhole("shapes", "rows", rows, 1);
  requireWhole("shapes", "size", size, 8);
  requireInstance("shapes", "random, a RandomStream", random, RandomStream);
  const kernels = float32;
  const x = kernels.alloc(rows * size * size);
  const labels = new Int32Array(rows);
  const half = 0.05 * size;
  for (let image = 0, at = 0; image < rows; image++) {
    const label = image % shapeNames.length;
    labels[image] = label;
    const distance = outside[label];
    const r = (0.22 + 0.18 * random.uniform()) * size;
    const room = 0.5 * size - 1.1 * r;
    const cx = 0.5 * (size - 1) + room * (2 * random.uniform() - 1);
    const cy = 0.5 * (size - 1) + room * (2 * random.uniform() - 1);
    const angle = TWO_PI * random.uniform();
    const intensity = 0.5 + 0.5 * random.uniform();
    const [cosine, sine] = [cos(angle), sin(angle)];
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const [u, v] = [column - cx, row - cy];
        const d = distance(u * cosine + v * sine, v * cosine - u * sine, r, half);
        x[at++] = intensity * Math.min(Math.max(0.5 - d, 0), 1);
      }
    }
  }
  return { x: new Tensor(x, [rows, 1, size, size], kernels), labels };
}

const radius = (x: number, y: number): number => Math.sqrt(x * x + y * y);

const box = (x: number, y: number, halfWidth: number, halfHeight: number): number =>
  Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);
