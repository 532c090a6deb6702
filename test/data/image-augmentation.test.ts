import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digits } from "../../src/data/digits.ts";
import { ImageAugmentation, type ImageAugmentationOptions, takeRows } from "../../src/data/index.ts";
import { DistilgradError, type ErrorCode } from "../../src/errors.ts";
import { ones, randn, tensor, zeros } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { RandomStream } from "../../src/random.ts";
import { sha256OfFloats } from "../../src/sha256.ts";
import type { Tensor } from "../../src/tensor.ts";

const everything = { shift: 1.5, rotate: 25, scale: 0.2, noise: 0.1, fill: -0.5, seed: 7 };
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const images = (rows: number, kernels = float32): Tensor =>
  randn([rows, 2, 5, 4], { random: new RandomStream(3), kernels });

/** The map that each of `count` samples was shown under, read off images that hold their own coordinates. */
function mapsOf(options: ImageAugmentationOptions, count: number, epoch = 0) {
  const x = tensor(
    Float64Array.from({ length: count * 162 }, (_, i) => (i % 162 < 81 ? i % 9 : Math.floor((i % 81) / 9))),
    { shape: [count, 2, 9, 9], kernels: float64 },
  );
  const y = new ImageAugmentation(options).apply(x, range(count), epoch).data;
  return range(count).map((row) => {
    const at = (channel: number, r: number, c: number): number => y[row * 162 + channel * 81 + r * 9 + c];
    const cosine = at(0, 4, 5) - at(0, 4, 4);
    const sine = at(1, 4, 5) - at(1, 4, 4);
    const [u, v] = [at(0, 4, 4) - 4, at(1, 4, 4) - 4];
    const factor = 1 / Math.hypot(cosine, sine);
    // (u, v) = −R⁻¹ (right, down) / scale
    return {
      scale: factor,
      turn: (Math.atan2(sine, cosine) / Math.PI) * 180,
      right: -(u * cosine + v * sine) * factor ** 2,
      down: -(v * cosine - u * sine) * factor ** 2,
    };
  });
}

/** Whether values look uniform in ± limit: all inside, both ends reached, mean and variance within 5 deviations. */
function expectUniform(values: readonly number[], limit: number): void {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  expect(values.every((value) => Math.abs(value) < limit * (1 + 1e-9))).toBe(true);
  // The chance that n draws all miss the outermost twentieth is 0.95ⁿ.
  for (const side of [-1, 1]) expect(values.some((value) => side * value > 0.9 * limit)).toBe(true);
  expect(Math.abs(mean)).toBeLessThan((5 * limit) / Math.sqrt(3 * n));
  // The variance of a uniform draw's square is limit⁴ · (1/5 − 1/9).
  expect(Math.abs(variance - limit ** 2 / 3)).toBeLessThan(limit ** 2 * (5 * Math.sqrt(4 / 45 / n) + 5 / n));
}

describe("ImageAugmentation", () => {
  it.each([float32, float64])("with every option at 0 changes no bit, in new memory: $name", (kernels) => {
    const x = images(3, kernels);
    x.update((data) => data.fill(-0, 0, 20).set([Number.NaN, Infinity, 1e-40], 7));
    const y = new ImageAugmentation({}).apply(x, [0, 1, 2], 5);
    expect([y.shape, y.kernels]).toEqual([x.shape, kernels]);
    expect(y.data).toEqual(x.data);
    expect(y.data.buffer).not.toBe(x.data.buffer);
  });

  it("leaves x as it is", () => {
    const x = images(3);
    const before = x.data.slice();
    new ImageAugmentation(everything).apply(x, [0, 1, 2], 0);
    expect(x.data).toEqual(before);
  });

  it("shows a sample the same way alone and in any batch, in any order, as image and as flat row", () => {
    const x = images(6);
    const augment = new ImageAugmentation(everything);
    const flat = new ImageAugmentation({ ...everything, shape: [2, 5, 4] });
    const samples = [3, 900, 4, 0, 4294967295, 17];
    const whole = augment.apply(x, samples, 2);
    expect(flat.apply(reshape(x, [6, 40]), samples, 2).data).toEqual(whole.data);
    expect(flat.apply(x, samples, 2).data).toEqual(whole.data);
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 8 }), (rows) => {
        const part = takeRows({ x }, rows).x;
        const got = new ImageAugmentation(everything).apply(
          part,
          Uint32Array.from(rows, (row) => samples[row]),
          2,
        );
        expect(got.data).toEqual(takeRows({ x: whole }, rows).x.data);
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it("shows it in another way in another epoch, with another seed, and as another sample", () => {
    const x = takeRows({ x: images(1) }, [0, 0]).x;
    const look = (options: object, samples: number[], epoch: number): string =>
      [
        ...new ImageAugmentation({ ...everything, ...options }).apply(x, samples, epoch).data.subarray(0, 40),
      ].join();
    const looks = [
      look({}, [0, 1], 0),
      look({}, [0, 1], 1),
      look({}, [1, 0], 0),
      look({ seed: 8 }, [0, 1], 0),
      look({ seed: 7 + 2 ** 32 }, [0, 1], 0),
    ];
    expect(new Set(looks).size).toBe(5);
    expect(look({}, [0, 0], 0)).toBe(looks[0]);
    expect(look({}, [0, 1], 2 ** 21 + 1)).toBe(looks[1]);
  });

  it("draws each of the map's numbers uniformly within its limit", () => {
    const options = { shift: 1.5, rotate: 30, scale: 0.2 };
    const maps = [...mapsOf(options, 500, 0), ...mapsOf(options, 500, 1)];
    expectUniform(
      maps.map(({ right }) => right),
      1.5,
    );
    expectUniform(
      maps.map(({ down }) => down),
      1.5,
    );
    expectUniform(
      maps.map(({ turn }) => turn),
      30,
    );
    expectUniform(
      maps.map(({ scale }) => scale - 1),
      0.2,
    );
    // And independently: the mean of a product of two is 0, with deviation a b / (3 √n).
    for (const [a, b] of [
      ["right", "down"],
      ["down", "turn"],
      ["right", "turn"],
    ] as const) {
      const product = maps.reduce((sum, map) => sum + map[a] * map[b], 0) / maps.length;
      const limit = { right: 1.5, down: 1.5, turn: 30 };
      expect(Math.abs(product)).toBeLessThan((5 * limit[a] * limit[b]) / (3 * Math.sqrt(maps.length)));
    }
  });

  it("lets no option change what another one does", () => {
    const [all, shift, rotate, scale] = [
      { shift: 1, rotate: 20, scale: 0.1 },
      { shift: 1 },
      { rotate: 20 },
      { scale: 0.1 },
    ].map((options) => mapsOf(options, 20));
    range(20).forEach((row) => {
      expect(all[row].right).toBeCloseTo(shift[row].right, 9);
      expect(all[row].down).toBeCloseTo(shift[row].down, 9);
      expect(all[row].turn).toBeCloseTo(rotate[row].turn, 9);
      expect(all[row].scale).toBeCloseTo(scale[row].scale, 9);
      expect([rotate[row].right, scale[row].down]).toEqual([0, 0].map((zero) => expect.closeTo(zero, 9)));
      expect([shift[row].turn, shift[row].scale]).toEqual([0, expect.closeTo(1, 9)]);
    });
    const x = images(4, float64);
    const clean = new ImageAugmentation({ shift: 1 }).apply(x, range(4), 0);
    const noise = new ImageAugmentation({ noise: 0.5 }).apply(
      zeros(x.shape, { kernels: float64 }),
      range(4),
      0,
    );
    const both = new ImageAugmentation({ shift: 1, noise: 0.5 }).apply(x, range(4), 0);
    both.data.forEach((value, i) => {
      expect(value).toBe(clean.data[i] + noise.data[i]);
    });
  });

  it("adds normal noise of the deviation asked for to every value", () => {
    const x = zeros([500, 1, 4, 4], { kernels: float64 });
    const data = [...new ImageAugmentation({ noise: 0.3 }).apply(x, range(500), 0).data];
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const variance = data.reduce((sum, value) => sum + value ** 2, 0) / data.length;
    expect(Math.abs(mean)).toBeLessThan((5 * 0.3) / Math.sqrt(data.length));
    expect(Math.abs(variance / 0.09 - 1)).toBeLessThan(5 * Math.sqrt(2 / data.length));
    expect(new Set(data).size).toBe(data.length);
  });

  it("computes in float64 and rounds once", () => {
    const narrow = images(5);
    const wide = tensor(narrow.data, { shape: narrow.shape, kernels: float64 });
    const [a, b] = [narrow, wide].map((x) => new ImageAugmentation(everything).apply(x, range(5), 3));
    expect([a.kernels, b.kernels]).toEqual([float32, float64]);
    expect([...a.data]).toEqual([...b.data].map(Math.fround));
  });

  it("shows the fill where there is no image", () => {
    const far = new ImageAugmentation({ shift: 1000, fill: 0.25 }).apply(ones([3, 1, 2, 2]), [0, 1, 2], 0);
    expect([...far.data]).toEqual(new Array(12).fill(0.25));
  });

  it("takes batches and images of no size", () => {
    const augment = new ImageAugmentation(everything);
    expect(augment.apply(zeros([0, 1, 4, 4]), [], 0).shape).toEqual([0, 1, 4, 4]);
    expect(augment.apply(zeros([2, 1, 0, 4]), [0, 1], 0).shape).toEqual([2, 1, 0, 4]);
  });

  it("makes the same bits of the digits everywhere", () => {
    const { x } = takeRows(digits(), range(100));
    const augment = new ImageAugmentation({
      shape: [1, 8, 8],
      shift: 1,
      rotate: 15,
      scale: 0.1,
      noise: 0.05,
    });
    expect(sha256OfFloats([augment.apply(x, range(100), 3).data])).toBe(
      "3ead4aaf071dc6d7107c9b106c74063fe699bfe370518fab72d7dca5b315b7a1",
    );
  });

  it("keeps its own copy of the shape", () => {
    const shape = [1, 2, 2];
    const augment = new ImageAugmentation({ shape });
    shape[1] = 3;
    expect(augment.apply(zeros([1, 4]), [0], 0).shape).toEqual([1, 4]);
  });

  const wrong = (options: unknown): ImageAugmentationOptions => options as ImageAugmentationOptions;
  it.each<[ErrorCode, string, () => unknown]>([
    [
      "value",
      'ImageAugmentation: unknown option "rotation"; possible are shape, shift, rotate, scale, noise, fill, seed',
      () => new ImageAugmentation(wrong({ rotation: 5 })),
    ],
    [
      "value",
      "ImageAugmentation: expected { shape, shift, rotate, scale, noise, fill, seed }, got undefined",
      () => new ImageAugmentation(wrong(undefined)),
    ],
    [
      "value",
      "ImageAugmentation: shift must be a finite number of pixels of at least 0, got -1",
      () => new ImageAugmentation({ shift: -1 }),
    ],
    [
      "value",
      "ImageAugmentation: shift must be a finite number of pixels of at least 0, got Infinity",
      () => new ImageAugmentation({ shift: Infinity }),
    ],
    [
      "value",
      'ImageAugmentation: shift must be a finite number of pixels of at least 0, got "1", a string',
      () => new ImageAugmentation(wrong({ shift: "1" })),
    ],
    [
      "value",
      "ImageAugmentation: rotate must be in [0, 180] degrees, got 181",
      () => new ImageAugmentation({ rotate: 181 }),
    ],
    [
      "value",
      "ImageAugmentation: rotate must be in [0, 180] degrees, got -5",
      () => new ImageAugmentation({ rotate: -5 }),
    ],
    [
      "value",
      "ImageAugmentation: scale must be in [0, 1): 0.1 scales by 0.9 to 1.1, got 1",
      () => new ImageAugmentation({ scale: 1 }),
    ],
    [
      "value",
      "ImageAugmentation: scale must be in [0, 1): 0.1 scales by 0.9 to 1.1, got -0.1",
      () => new ImageAugmentation({ scale: -0.1 }),
    ],
    [
      "value",
      "ImageAugmentation: noise must be a finite standard deviation of at least 0, got NaN",
      () => new ImageAugmentation({ noise: Number.NaN }),
    ],
    [
      "value",
      "ImageAugmentation: noise must be a finite standard deviation of at least 0, got -1",
      () => new ImageAugmentation({ noise: -1 }),
    ],
    [
      "value",
      "ImageAugmentation: fill must be a finite number, got null",
      () => new ImageAugmentation(wrong({ fill: null })),
    ],
    [
      "value",
      "ImageAugmentation: seed must be a whole number in [0, 2^53 - 1], got 0.5",
      () => new ImageAugmentation({ seed: 0.5 }),
    ],
    [
      "value",
      "ImageAugmentation: seed must be a whole number in [0, 2^53 - 1], got -1",
      () => new ImageAugmentation({ seed: -1 }),
    ],
    [
      "shape",
      "ImageAugmentation: shape must be [channels, height, width], got [8, 8]",
      () => new ImageAugmentation({ shape: [8, 8] }),
    ],
    [
      "shape",
      "ImageAugmentation: sizes are whole numbers of at least 0, got [1, 8, -8]",
      () => new ImageAugmentation({ shape: [1, 8, -8] }),
    ],
    [
      "shape",
      "ImageAugmentation: expected a shape such as [2, 3], got 64",
      () => new ImageAugmentation(wrong({ shape: 64 })),
    ],
    [
      "shape",
      "ImageAugmentation: expected x [rows, channels, height, width], got [2, 64]; for flat rows, give the shape of one image",
      () => new ImageAugmentation({ shift: 1 }).apply(zeros([2, 64]), [0, 1], 0),
    ],
    [
      "shape",
      "ImageAugmentation: expected x [rows, 1, 8, 8] or [rows, 64], got [2, 63]",
      () => new ImageAugmentation({ shape: [1, 8, 8] }).apply(zeros([2, 63]), [0, 1], 0),
    ],
    [
      "shape",
      "ImageAugmentation: expected x [rows, 1, 8, 8] or [rows, 64], got [2, 2, 4, 8]",
      () => new ImageAugmentation({ shape: [1, 8, 8] }).apply(zeros([2, 2, 4, 8]), [0, 1], 0),
    ],
    [
      "shape",
      "ImageAugmentation: expected x [rows, 1, 1, 1] or [rows, 1], got []",
      () => new ImageAugmentation({ shape: [1, 1, 1] }).apply(tensor(1), [], 0),
    ],
    [
      "value",
      "ImageAugmentation: expected x, a tensor of images, got an array",
      () => new ImageAugmentation({}).apply([[1]] as unknown as Tensor, [0], 0),
    ],
    [
      "data",
      "ImageAugmentation: expected the index of a sample for each of 2 rows, got 1",
      () => new ImageAugmentation({}).apply(zeros([2, 1, 3, 3]), [0], 0),
    ],
    [
      "data",
      "ImageAugmentation: expected the index of a sample for each of 2 rows, got undefined",
      () => new ImageAugmentation({}).apply(zeros([2, 1, 3, 3]), undefined as unknown as number[], 0),
    ],
    [
      "data",
      "ImageAugmentation: samples are whole numbers in [0, 2^32), got -1 at row 1",
      () => new ImageAugmentation({}).apply(zeros([2, 1, 3, 3]), [0, -1], 0),
    ],
    [
      "data",
      "ImageAugmentation: samples are whole numbers in [0, 2^32), got 4294967296 at row 0",
      () => new ImageAugmentation({}).apply(zeros([2, 1, 3, 3]), [2 ** 32, 0], 0),
    ],
    [
      "value",
      "ImageAugmentation: epoch must be a whole number of at least 0, got -1",
      () => new ImageAugmentation({}).apply(zeros([1, 1, 3, 3]), [0], -1),
    ],
  ])("refuses with the code %s: %s", (code, message, call) => {
    expect(call).toThrow(new DistilgradError(code, message));
    expect(call).toThrow(expect.objectContaining({ code }));
  });
});
