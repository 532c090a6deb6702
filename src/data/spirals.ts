import { kindOf, requireInstance, requireOptions, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { float32 } from "../kernels/float32.ts";
import { cos, sin } from "../math.ts";
import { RandomStream } from "../random.ts";
import { Tensor } from "../tensor.ts";
import type { Dataset } from "./dataset.ts";
import { requireNoise } from "./noise.ts";

const TWO_PI = 6.283185307179586;

export interface SpiralsOptions {
  /** How many points, at least 1. */
  readonly rows: number;
  /** How many arms, at least 1. Default 2. */
  readonly classes?: number;
  /** How often an arm winds around the centre; neighbours are 1/(turns·classes) apart. Default 1. */
  readonly turns?: number;
  /** The standard deviation of normal noise on both coordinates. Default 0.02. */
  readonly noise?: number;
  readonly random: RandomStream;
}

/**
 * Arms that wind around a common centre out to radius 1, each a class of its own.
 *
 *     (r cos a, r sin a) + noise        a = 2π (turns · r + class / classes), r = √uniform in [0, 1)
 *
 * The root spreads the points about evenly along an arm.
 *
 * @returns x `[rows, 2]`; labels 0, 1, …, classes − 1, 0, 1, …
 */
export function spirals(options: SpiralsOptions): Dataset & { readonly labels: Int32Array } {
  requireOptions("spirals", options, ["rows", "classes", "turns", "noise", "random"]);
  const { rows, classes = 2, turns = 1, noise = 0.02, random } = options;
  requireWhole("spirals", "rows", rows, 1);
  requireWhole("spirals", "classes", classes, 1);
  if (!Number.isFinite(turns)) {
    throw new DistilgradError("value", `spirals: turns must be a finite number, got ${kindOf(turns)}`);
  }
  requireNoise("spirals", noise);
  requireInstance("spirals", "random, a RandomStream", random, RandomStream);
  const kernels = float32;
  const x = kernels.alloc(rows * 2);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const label = row % classes;
    const r = Math.sqrt(random.uniform());
    const a = TWO_PI * (turns * r + label / classes);
    labels[row] = label;
    x[2 * row] = r * cos(a) + noise * random.normal();
    x[2 * row + 1] = r * sin(a) + noise * random.normal();
  }
  return { x: new Tensor(x, [rows, 2], kernels), labels };
}
