/** Laws of the transposed convolution: it is the adjoint of conv2d, and undoes its sizes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Floats, Kernels } from "../../src/kernels/kernels.ts";
import { plainFloat32 } from "../../src/kernels/plain-float32.ts";
import { conv2d, convTranspose2d, sum } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import { sampleOf } from "../support/samples.ts";
import { dot, normal } from "./convolution-reference.ts";

const round = Math.fround;
const runs = { seed: 1, numRuns: 30 };

const absolute = (values: Floats): number => [...values].reduce((total, value) => total + Math.abs(value), 0);

const small = (max: number, min = 0): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

/** Of a convolution: its settings and shapes, planes being as large as their windows need, or larger. */
const geometry = fc
  .record({
    samples: fc.integer({ min: 1, max: 2 }),
    groups: fc.constantFrom(1, 1, 2),
    inputs: fc.integer({ min: 1, max: 2 }),
    outputs: fc.integer({ min: 1, max: 3 }),
    kernel: small(3, 1),
    stride: small(3, 1),
    padding: small(2),
    dilation: small(2, 1),
    more: small(5),
    seed: fc.nat(1e6),
  })
  .map(({ kernel, more, ...rest }) => {
    const reach = kernel.map((taps, axis) => rest.dilation[axis] * (taps - 1) + 1);
    const sides = reach.map((one, axis) => Math.max(one - 2 * rest.padding[axis], 1) + more[axis]);
    const image: Shape = [rest.samples, rest.groups * rest.inputs, ...sides];
    const weight: Shape = [rest.groups * rest.outputs, rest.inputs, ...kernel];
    // What the last window leaves over.
    const rests = sides.map(
      (side, axis) => (side + 2 * rest.padding[axis] - reach[axis]) % rest.stride[axis],
    );
    const { stride, padding, dilation, groups } = rest;
    return {
      ...rest,
      image,
      weight,
      rests: [rests[0], rests[1]] as const,
      settings: { stride, padding, dilation, groups },
    };
  });

describe("convTranspose2d", () => {
  it("is the adjoint of conv2d: ⟨conv2d(a, w), b⟩ = ⟨a, convTranspose2d(b, w)⟩", () => {
    fc.assert(
      fc.property(geometry, ({ image, weight: shape, rests, settings, seed }) => {
        const random = new RandomStream(seed);
        const [a, weight] = [normal(image, random, float64), normal(shape, random, float64)];
        const map = conv2d(a, weight, undefined, settings);
        const b = normal(map.shape, random, float64);
        const back = convTranspose2d(b, weight, undefined, { ...settings, outputPadding: rests });
        expect(back.shape).toEqual(image);
        // Two sums of the same products, each at most 1,000 long, of numbers below 6.
        const magnitude = 36 * (absolute(a.data) + absolute(b.data)) * absolute(weight.data);
        expect(Math.abs(dot(map.data, b.data) - dot(a.data, back.data))).toBeLessThanOrEqual(
          2 * 1000 * 2 ** -53 * magnitude,
        );
      }),
      runs,
    );
  });

  it("is, to the last bit, the gradient that conv2d has in x", () => {
    fc.assert(
      fc.property(geometry, ({ image, weight: shape, rests, settings, seed }) => {
        const random = new RandomStream(seed);
        const [a, weight] = [normal(image, random), normal(shape, random)];
        a.requiresGrad = true;
        const map = conv2d(a, weight, undefined, settings);
        const b = normal(map.shape, random);
        map.backward(b);
        const back = convTranspose2d(b, weight, undefined, { ...settings, outputPadding: rests });
        expect(back.data).toEqual(a.grad!.data);
      }),
      runs,
    );
  });

  it("has conv2d for its own gradient in x, to the last bit, and the weight's of conv2d with x and y exchanged", () => {
    fc.assert(
      fc.property(geometry, ({ image, weight: shape, rests, settings, seed }) => {
        const random = new RandomStream(seed);
        const [dy, weight] = [normal(image, random), normal(shape, random)];
        const map = conv2d(dy, weight, undefined, settings);
        const x = normal(map.shape, random);
        for (const leaf of [x, weight]) leaf.requiresGrad = true;
        convTranspose2d(x, weight, undefined, { ...settings, outputPadding: rests }).backward(dy);
        expect(x.grad!.data).toEqual(map.data);
        const exchanged = tensor(weight.data, { shape, requiresGrad: true });
        conv2d(dy, exchanged, undefined, settings).backward(x.detach());
        expect(weight.grad!.data).toEqual(exchanged.grad!.data);
      }),
      runs,
    );
  });

  it("starts from the bias, and adds taps in ascending order, one rounding each", () => {
    const random = new RandomStream(2);
    const [x, weight, bias] = [[2, 3, 3, 4], [3, 2, 2, 3], [2]].map((shape) => normal(shape, random));
    const y = convTranspose2d(x, weight, bias, { stride: [2, 1], padding: [0, 1] });
    expect(y.shape).toEqual([2, 2, 6, 4]);
    const expected = Float32Array.from({ length: 96 }, (_, i) => bias.data[Math.floor(i / 24) % 2]);
    for (let n = 0; n < 2; n++) {
      for (let o = 0; o < 2; o++) {
        for (let tap = 0; tap < 6; tap++) {
          for (let p = 0; p < 12; p++) {
            const col = (p % 4) + (tap % 3) - 1;
            if (col < 0 || col >= 4) continue;
            let entry = 0;
            for (let c = 0; c < 3; c++) {
              entry = round(entry + round(weight.data[(c * 2 + o) * 6 + tap] * x.data[(n * 3 + c) * 12 + p]));
            }
            const at = ((n * 2 + o) * 6 + 2 * Math.floor(p / 4) + Math.floor(tap / 3)) * 4 + col;
            expected[at] = round(expected[at] + entry);
          }
        }
      }
    }
    expect(y.data).toEqual(expected);
  });

  it("computes a sample in a batch to the same bits as alone", () => {
    const random = new RandomStream(3);
    const x = normal([3, 2, 4, 3], random);
    const weight = normal([2, 3, 3, 2], random);
    const options = { stride: 2, padding: 1, outputPadding: 1 };
    const whole = convTranspose2d(x, weight, undefined, options);
    for (let n = 0; n < 3; n++) {
      const alone = convTranspose2d(sampleOf(x, n), weight, undefined, options);
      expect(alone.data).toEqual(sampleOf(whole, n).data);
    }
  });

  it("spreads each value over its window: a kernel of ones with a stride of its size repeats", () => {
    const x = tensor([
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ]);
    const ones = tensor([
      [
        [
          [1, 1, 1],
          [1, 1, 1],
        ],
      ],
    ]);
    expect(convTranspose2d(x, ones, undefined, { stride: [2, 3] }).toArray()).toEqual([
      [
        [
          [1, 1, 1, 2, 2, 2],
          [1, 1, 1, 2, 2, 2],
          [3, 3, 3, 4, 4, 4],
          [3, 3, 3, 4, 4, 4],
        ],
      ],
    ]);
  });

  it("has nothing but the bias where outputPadding adds what no window reaches", () => {
    const x = tensor([[[[1, 2]]]], { requiresGrad: true });
    const y = convTranspose2d(x, tensor([[[[3]]]]), tensor([7]), { stride: [1, 3], outputPadding: [0, 2] });
    expect(y.toArray()).toEqual([[[[10, 7, 7, 13, 7, 7]]]]);
    sum(y).backward();
    expect(x.grad!.toArray()).toEqual([[[[3, 3]]]]);
    const point = convTranspose2d(x, tensor([[[[3]]]]), undefined, { dilation: 2, outputPadding: 1 });
    expect(point.toArray()).toEqual([
      [
        [
          [3, 6, 0],
          [0, 0, 0],
        ],
      ],
    ]);
    // Below the dilation, though not below the stride: as PyTorch allows.
    const wide = convTranspose2d(x, tensor([[[[3, 5]]]]), undefined, {
      dilation: [1, 3],
      outputPadding: [0, 2],
    });
    expect(wide.toArray()).toEqual([[[[3, 6, 0, 5, 10, 0, 0]]]]);
  });

  it("of 1 × 1 holds no columns, others those of one sample", () => {
    const allocated: number[] = [];
    const count = (size: number): Float32Array => {
      allocated.push(size);
      return new Float32Array(size);
    };
    const counting: Kernels = { ...plainFloat32, alloc: count, room: count };
    const random = new RandomStream(4);
    const x = normal([3, 4, 5, 6], random, counting);
    const [point, square] = [normal([4, 2, 1, 1], random, counting), normal([4, 2, 3, 3], random, counting)];
    allocated.length = 0;
    const y = convTranspose2d(x, point);
    expect(allocated).toEqual([y.size]);
    allocated.length = 0;
    const larger = convTranspose2d(x, square, undefined, { padding: 1 });
    expect(allocated).toEqual([larger.size, 2 * 9 * 30]);
  });
});
