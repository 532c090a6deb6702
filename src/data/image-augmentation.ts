import { kindOf, requireInstance, requireOptions, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { RandomStream } from "../random.ts";
import { formatShape, requireShape, type Shape, sameShape, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { mapImage } from "./affine-map.ts";
import type { Augmentation } from "./augmentation.ts";

const TWO_21 = 2097152;
const TWO_32 = 4294967296;

export interface ImageAugmentationOptions {
  /** Of one image, `[channels, height, width]`. Needed where the rows of x are flat. */
  readonly shape?: Shape | undefined;
  /** Moves each image by up to so many pixels along each axis, fractions of a pixel included. Default 0. */
  readonly shift?: number;
  /** Turns each image about its centre by up to so many degrees either way, in [0, 180]. Default 0. */
  readonly rotate?: number;
  /** Scales each image about its centre by a factor in 1 ± this, in [0, 1). Default 0. */
  readonly scale?: number;
  /** The standard deviation of normal noise that is added to every value. Default 0. */
  readonly noise?: number;
  /** The value of what comes in from outside the image. Default 0. */
  readonly fill?: number;
  /** Whole number in [0, 2⁵³ − 1]: another one, other draws. Default 0. */
  readonly seed?: number;
}

/**
 * Shows every image moved, turned, scaled and with noise, in another way in each epoch.
 *
 *     shift right, shift down, turn, scale        uniform within their limits, drawn whether they are used or not
 *     y = image under that map + noise · normal()
 *
 * The [map](./affine-map.ts) samples bilinearly in float64; the result is rounded once. All of an image's draws come
 * from a stream of its own, made from (seed, epoch, index of the sample): order, batch size and batch mates change
 * nothing, and there is no state to save. A sample that comes twice in an epoch looks the same both times. After 2²¹
 * epochs the looks repeat. With every option at 0 the values are exactly the same.
 */
export class ImageAugmentation implements Augmentation {
  readonly shift: number;
  readonly rotate: number;
  readonly scale: number;
  readonly noise: number;
  readonly fill: number;
  readonly seed: number;
  readonly #shape: Shape | null;
  readonly #purpose: string;

  constructor(options: ImageAugmentationOptions) {
    requireOptions("ImageAugmentation", options, [
      "shape",
      "shift",
      "rotate",
      "scale",
      "noise",
      "fill",
      "seed",
    ]);
    const { shape = null, shift = 0, rotate = 0, scale = 0, noise = 0, fill = 0, seed = 0 } = options;
    requireNumber("shift", shift, (pixels) => pixels >= 0, "a finite number of pixels of at least 0");
    requireNumber("rotate", rotate, (degrees) => degrees >= 0 && degrees <= 180, "in [0, 180] degrees");
    requireNumber("scale", scale, (share) => share >= 0 && share < 1, "in [0, 1): 0.1 scales by 0.9 to 1.1");
    requireNumber("noise", noise, (deviation) => deviation >= 0, "a finite standard deviation of at least 0");
    requireNumber("fill", fill, () => true, "a finite number");
    requireNumber("seed", seed, (n) => Number.isSafeInteger(n) && n >= 0, "a whole number in [0, 2^53 - 1]");
    if (shape !== null) {
      requireShape("ImageAugmentation", shape);
      if (shape.length !== 3) {
        throw new DistilgradError(
          "shape",
          `ImageAugmentation: shape must be [channels, height, width], got ${formatShape(shape)}`,
        );
      }
    }
    this.shift = shift;
    this.rotate = rotate;
    this.scale = scale;
    this.noise = noise;
    this.fill = fill;
    this.seed = seed;
    this.#shape = shape && [...shape];
    this.#purpose = `augment ${seed}`;
  }

  /**
   * @param x `[rows, channels, height, width]`, or flat `[rows, channels·height·width]` where the shape was given
   * @param samples for each row, which sample of the dataset it is
   * @param epoch whole number of at least 0
   * @returns new values in x's shape
   */
  apply(x: Tensor, samples: ArrayLike<number>, epoch: number): Tensor {
    const image = this.#imageIn(x);
    const rows = x.shape[0];
    requireSamples(rows, samples, epoch);
    const size = sizeOf(image);
    const mapped = new Float64Array(size);
    const y = x.kernels.alloc(x.size);
    for (let row = 0, at = 0; row < rows; row++) {
      // Two different pairs (epoch, sample) are two different numbers, and those never start a stream alike.
      const random = new RandomStream((epoch % TWO_21) * TWO_32 + samples[row], this.#purpose);
      const right = within(this.shift, random);
      const down = within(this.shift, random);
      const turn = within(this.rotate, random);
      const scale = 1 + within(this.scale, random);
      mapImage(mapped, x.data, at, image, { right, down, turn, scale }, this.fill);
      if (this.noise > 0) for (let i = 0; i < size; i++) mapped[i] += this.noise * random.normal();
      y.set(mapped, at);
      at += size;
    }
    return new Tensor(y, x.shape, x.kernels);
  }

  /** The shape of each image in x. */
  #imageIn(x: Tensor): readonly number[] {
    requireInstance("ImageAugmentation", "x, a tensor of images", x, Tensor);
    const row = x.shape.slice(1);
    const own = this.#shape;
    if (own === null) {
      if (x.shape.length === 4) return row;
      throw new DistilgradError(
        "shape",
        `ImageAugmentation: expected x [rows, channels, height, width], got ${formatShape(x.shape)}; for flat rows, give the shape of one image`,
      );
    }
    if (x.shape.length > 0 && (sameShape(row, own) || sameShape(row, [sizeOf(own)]))) return own;
    throw new DistilgradError(
      "shape",
      `ImageAugmentation: expected x [rows, ${own.join(", ")}] or [rows, ${sizeOf(own)}], got ${formatShape(x.shape)}`,
    );
  }
}

/** Uniform in ± limit. */
const within = (limit: number, random: RandomStream): number => limit * (2 * random.uniform() - 1);

function requireNumber(name: string, value: number, fits: (value: number) => boolean, what: string): void {
  if (!(Number.isFinite(value) && fits(value))) {
    throw new DistilgradError("value", `ImageAugmentation: ${name} must be ${what}, got ${kindOf(value)}`);
  }
}

function requireSamples(rows: number, samples: ArrayLike<number>, epoch: number): void {
  requireWhole("ImageAugmentation", "epoch", epoch, 0);
  if (samples?.length !== rows) {
    const got = typeof samples?.length === "number" ? samples.length : kindOf(samples);
    throw new DistilgradError(
      "data",
      `ImageAugmentation: expected the index of a sample for each of ${rows} rows, got ${got}`,
    );
  }
  for (let row = 0; row < rows; row++) {
    if (!(Number.isInteger(samples[row]) && samples[row] >= 0 && samples[row] < TWO_32)) {
      throw new DistilgradError(
        "data",
        `ImageAugmentation: samples are whole numbers in [0, 2^32), got ${kindOf(samples[row])} at row ${row}`,
      );
    }
  }
}
