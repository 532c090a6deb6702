import { requireInstance, requireOptions, requireWhole } from "../arguments.ts";
import { float32 } from "../kernels/float32.ts";
import { cos, sin } from "../math.ts";
import { RandomStream } from "../random.ts";
import { Tensor } from "../tensor.ts";
import type { Dataset } from "./dataset.ts";
import { requireNoise } from "./noise.ts";

export interface MoonsOptions {
  /** How many points, at least 1. */
  readonly rows: number;
  /** The standard deviation of normal noise on both coordinates. Default 0.1. */
  readonly noise?: number;
  readonly random: RandomStream;
}

/**
 * Two half circles that reach into each other, points of the plane that no straight line parts.
 *
 *     class 0 : (cos t, sin t) + noise              t uniform in [0, π)
 *     class 1 : (1 − cos t, ½ − sin t) + noise
 *
 * @returns x `[rows, 2]`; labels 0, 1, 0, 1, …
 */
export function moons(options: MoonsOptions): Dataset & { readonly labels: Int32Array } {
  requireOptions("moons", options, ["rows", "noise", "random"]);
  const { rows, noise = 0.1, random } = options;
  requireWhole("moons", "rows", rows, 1);
  requireNoise("moons", noise);
  requireInstance("moons", "random, a RandomStream", random, RandomStream);
  const kernels = float32;
  const x = kernels.alloc(rows * 2);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const label = row % 2;
    const t = Math.PI * random.uniform();
    labels[row] = label;
    x[2 * row] = (label === 0 ? cos(t) : 1 - cos(t)) + noise * random.normal();
    x[2 * row + 1] = (label === 0 ? sin(t) : 0.5 - sin(t)) + noise * random.normal();
  }
  return { x: new Tensor(x, [rows, 2], kernels), labels };
}
