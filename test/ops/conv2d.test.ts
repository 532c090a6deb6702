/** Laws of convolutions: their rounding, the independence of samples, and what they are in simple cases. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { plainFloat32 } from "../../src/kernels/plain-float32.ts";
import { conv2d, matmul, mul, sum } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";
import { samplesOf } from "../support/samples.ts";
import { convolved, dot, normal, type Setting } from "./convolution-reference.ts";
import { gamma } from "./spec.ts";

const round = Math.fround;
const runs = { seed: 1, numRuns: 40 };

const asOperand = ({ shape, data }: Tensor) => ({ shape, values: [...data] });

/** Settings, kernels and planes of all kinds: with and without padding, stride, holes, groups; wide, high, square. */
const geometry = fc
  .record({
    samples: fc.integer({ min: 1, max: 3 }),
    groups: fc.constantFrom(1, 1, 2),
    inputs: fc.integer({ min: 1, max: 3 }),
    outputs: fc.integer({ min: 1, max: 3 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    stride: fc.tuple(fc.constantFrom(1, 1, 2, 3), fc.constantFrom(1, 1, 2, 3)),
    padding: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    dilation: fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 2)),
    more: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })),
    seed: fc.nat(1e6),
  })
  .map(({ kernel, more, ...rest }) => {
    const sides = [0, 1].map((axis) => {
      const reach = rest.dilation[axis] * (kernel[axis] - 1) + 1;
      return Math.max(reach - 2 * rest.padding[axis], 1) + more[axis];
    });
    const x: Shape = [rest.samples, rest.groups * rest.inputs, ...sides];
    const weight: Shape = [rest.groups * rest.outputs, rest.inputs, ...kernel];
    const setting: Setting = rest;
    return { ...rest, x, weight, setting };
  });

const optionsOf = ({ stride, padding, dilation, groups }: Setting) => ({ stride, padding, dilation, groups });

function withGradient(x: Tensor): Tensor {
  x.requiresGrad = true;
  return x;
}

const magnitudes = ({ data, shape, kernels }: Tensor): Tensor =>
  new Tensor(data.map(Math.abs), shape, kernels);

describe("conv2d in float32", () => {
  it("rounds each product and each sum, in the order of channel, row and column of the kernel, from the bias on", () => {
    fc.assert(
      fc.property(geometry, fc.boolean(), ({ x, weight, setting, seed }, withBias) => {
        const random = new RandomStream(seed);
        const operands = [normal(x, random), normal(weight, random)] as const;
        const bias = withBias ? normal([weight[0]], random) : undefined;
        const expected = convolved(
          asOperand(operands[0]),
          asOperand(operands[1]),
          bias && asOperand(bias),
          setting,
          round,
        );
        expect([...conv2d(...operands, bias, optionsOf(setting)).data]).toEqual(expected.values);
      }),
      runs,
    );
  });

  it.each([
    [1, 1],
    [1, 4],
    [4, 1],
    [2, 2],
    [3, 1],
  ])(
    "is right where planes of %d × %d are smaller than the kernel's reach, and some taps meet nothing but padding",
    (height, width) => {
      const random = new RandomStream(9);
      const x = normal([2, 2, height, width], random);
      for (const [size, padding] of [
        [5, 2],
        [5, 4],
        [7, 3],
        [1, 2],
      ]) {
        const weight = normal([3, 2, size, size], random);
        const setting: Setting = { stride: [1, 1], padding: [padding, padding], dilation: [1, 1], groups: 1 };
        const expected = convolved(asOperand(x), asOperand(weight), undefined, setting, round);
        const y = conv2d(withGradient(x), weight, undefined, { padding });
        expect(y.shape).toEqual(expected.shape);
        expect([...y.data]).toEqual(expected.values);
        // Each x meets each tap of each kernel once, where there are windows on all sides.
        if (padding < size - 1) continue;
        x.zeroGrad();
        sum(y).backward();
        const channel = (c: number): number =>
          [...weight.data].reduce((total, w, i) => total + (Math.floor(i / size ** 2) % 2 === c ? w : 0), 0);
        for (const [i, slope] of x.grad!.data.entries()) {
          // 3 · 25 terms, each below 4, in float32 and another order.
          expect(Math.abs(slope - channel(Math.floor(i / (height * width)) % 2))).toBeLessThan(
            75 * 75 * 4 * 2 ** -24,
          );
        }
      }
    },
  );

  it("has gradients of stated order: taps for x, samples and positions for the weight, float64 for the bias", () => {
    fc.assert(
      fc.property(geometry, ({ x: xShape, weight: weightShape, setting, seed }) => {
        const random = new RandomStream(seed);
        const x = normal(xShape, random, float32, true);
        const weight = normal(weightShape, random, float32, true);
        const bias = normal([weightShape[0]], random, float32, true);
        const y = conv2d(x, weight, bias, optionsOf(setting));
        const dy = normal(y.shape, random);
        y.backward(dy);

        const { stride, padding, dilation, groups } = setting;
        const [samples, channels, height, width] = xShape;
        const [outputs, inputs, kernelHeight, kernelWidth] = weightShape;
        const [, , rows, cols] = y.shape;
        const groupOutputs = outputs / groups;
        const dx = new Float32Array(x.size);
        const dw = new Float32Array(weight.size);
        const db = new Float64Array(outputs);
        for (let n = 0; n < samples; n++) {
          for (let o = 0; o < outputs; o++) {
            const first = Math.floor(o / groupOutputs) * inputs;
            for (let p = 0; p < rows * cols; p++) {
              const slope = dy.data[(n * outputs + o) * rows * cols + p];
              db[o] += slope;
              for (let k = 0; k < inputs * kernelHeight * kernelWidth; k++) {
                const c = Math.floor(k / (kernelHeight * kernelWidth));
                const i = Math.floor(k / kernelWidth) % kernelHeight;
                const row = Math.floor(p / cols) * stride[0] + i * dilation[0] - padding[0];
                const col = (p % cols) * stride[1] + (k % kernelWidth) * dilation[1] - padding[1];
                const inside = row >= 0 && row < height && col >= 0 && col < width;
                const value = inside ? x.data[((n * channels + first + c) * height + row) * width + col] : 0;
                const at = o * inputs * kernelHeight * kernelWidth + k;
                dw[at] = round(dw[at] + round(slope * value));
              }
            }
          }
          for (let channel = 0; channel < channels; channel++) {
            const group = Math.floor(channel / inputs);
            for (let k = 0; k < kernelHeight * kernelWidth; k++) {
              for (let p = 0; p < rows * cols; p++) {
                const row =
                  Math.floor(p / cols) * stride[0] + Math.floor(k / kernelWidth) * dilation[0] - padding[0];
                const col = (p % cols) * stride[1] + (k % kernelWidth) * dilation[1] - padding[1];
                if (row < 0 || row >= height || col < 0 || col >= width) continue;
                let entry = 0;
                for (let o = group * groupOutputs; o < (group + 1) * groupOutputs; o++) {
                  const w = weight.data[(o * inputs + (channel % inputs)) * kernelHeight * kernelWidth + k];
                  entry = round(entry + round(w * dy.data[(n * outputs + o) * rows * cols + p]));
                }
                const at = ((n * channels + channel) * height + row) * width + col;
                dx[at] = round(dx[at] + entry);
              }
            }
          }
        }
        expect([...x.grad!.data]).toEqual([...dx]);
        expect([...weight.grad!.data]).toEqual([...dw]);
        expect([...bias.grad!.data]).toEqual([...db].map(round));
      }),
      runs,
    );
  });

  it("computes a sample in a batch to the same bits as alone, forward and backward, and in any order", () => {
    fc.assert(
      fc.property(geometry, ({ x: xShape, weight: weightShape, setting, seed, samples }) => {
        const random = new RandomStream(seed);
        const x = normal(xShape, random);
        const weight = normal(weightShape, random);
        const pass = (wanted: readonly number[]) => {
          const chosen = withGradient(samplesOf(x, wanted));
          const y = conv2d(chosen, weight, undefined, optionsOf(setting));
          const own = sizeOf(y.shape.slice(1));
          // A cotangent that belongs to the sample, whatever its place in the batch.
          const dy = Float32Array.from({ length: y.size }, (_, i) => {
            return Math.fround(((wanted[Math.floor(i / own)] * own + (i % own)) % 7) - 3.1);
          });
          y.backward(new Tensor(dy, y.shape, float32));
          return { y, dx: chosen.grad! };
        };
        const all = Array.from({ length: samples }, (_, n) => n);
        const whole = pass(all);
        const turned = pass([...all].reverse());
        for (const n of all) {
          const alone = pass([n]);
          for (const of of ["y", "dx"] as const) {
            expect(samplesOf(whole[of], [n]).data).toEqual(alone[of].data);
            expect(samplesOf(turned[of], [samples - 1 - n]).data).toEqual(alone[of].data);
          }
        }
      }),
      runs,
    );
  });

  it("keeps what one sample holds from the others: NaN and infinity stay where they are", () => {
    const random = new RandomStream(3);
    const x = normal([3, 2, 5, 6], random);
    const weight = normal([4, 2, 3, 3], random);
    const clean = conv2d(x, weight, undefined, { padding: 1 });
    const dirty = samplesOf(x, [0, 1, 2]);
    dirty.data.fill(Number.NaN, dirty.size / 3, dirty.size / 2);
    dirty.data.fill(Number.POSITIVE_INFINITY, dirty.size / 2, (2 * dirty.size) / 3);
    const y = conv2d(dirty, weight, undefined, { padding: 1 });
    for (const n of [0, 2]) expect(samplesOf(y, [n]).data).toEqual(samplesOf(clean, [n]).data);
    expect(samplesOf(y, [1]).data.every(Number.isNaN)).toBe(true);
  });
});

describe("conv2d", () => {
  it("is linear in x and in the weight, and its gradients are the adjoints", () => {
    fc.assert(
      fc.property(geometry, ({ x: xShape, weight: weightShape, setting, seed }) => {
        const random = new RandomStream(seed);
        const x = normal(xShape, random, float64, true);
        const weight = normal(weightShape, random, float64, true);
        const y = conv2d(x, weight, undefined, optionsOf(setting));
        const dy = normal(y.shape, random, float64);
        y.backward(dy);
        // Three sums of the same products w·x·dy. In each, a product rounds twice itself, and again with every addition:
        // first among those of its entry of y, dx or dw, then among all entries.
        const [outputs, taps] = [weightShape[0], sizeOf(weightShape.slice(1))];
        const roundings = 2 + taps + y.size;
        const sums = [
          [x, 2 + outputs + taps + x.size],
          [weight, 2 + y.size / outputs + weight.size],
        ] as const;
        const sizes = conv2d(magnitudes(x), magnitudes(weight), undefined, optionsOf(setting));
        const products = dot(sizes.data, magnitudes(dy).data);
        for (const [operand, own] of sums) {
          const error = Math.abs(dot(operand.grad!.data, operand.data) - dot(y.data, dy.data));
          // Σ |w·x·dy| is rounded as y is, hence twice its roundings.
          expect(error).toBeLessThanOrEqual(gamma(2 * roundings + own, 2 ** -53) * products);
        }
      }),
      runs,
    );
  });

  it("with as many groups as channels is a convolution of each channel", () => {
    const random = new RandomStream(4);
    const x = normal([2, 3, 5, 4], random);
    const weight = normal([6, 1, 3, 2], random);
    const bias = normal([6], random);
    const y = conv2d(x, weight, bias, { groups: 3, padding: [1, 0] });
    expect(y.shape).toEqual([2, 6, 5, 3]);
    for (let c = 0; c < 3; c++) {
      const channel = tensor(
        Float32Array.from({ length: 40 }, (_, i) => x.data[(Math.floor(i / 20) * 3 + c) * 20 + (i % 20)]),
        { shape: [2, 1, 5, 4] },
      );
      const own = conv2d(
        channel,
        samplesOf(weight, [2 * c, 2 * c + 1]),
        samplesOf(bias, [2 * c, 2 * c + 1]),
        {
          padding: [1, 0],
        },
      );
      for (let n = 0; n < 2; n++) {
        const start = (n * 6 + 2 * c) * 15;
        expect(y.data.subarray(start, start + 30)).toEqual(own.data.subarray(n * 30, (n + 1) * 30));
      }
    }
  });

  it("with a dilation is a convolution with holes in its kernel", () => {
    const random = new RandomStream(5);
    const x = normal([2, 2, 8, 9], random);
    const weight = normal([3, 2, 3, 2], random);
    const holes = tensor(new Float32Array(3 * 2 * 5 * 4), { shape: [3, 2, 5, 4] });
    for (let i = 0; i < weight.size; i++) {
      const [row, col] = [Math.floor(i / 2) % 3, i % 2];
      holes.data[Math.floor(i / 6) * 20 + 2 * row * 4 + 3 * col] = weight.data[i];
    }
    const settings = { stride: [2, 1], padding: [2, 1] } as const;
    const y = conv2d(x, weight, undefined, { ...settings, dilation: [2, 3] });
    expect(y.data).toEqual(conv2d(x, holes, undefined, settings).data);
  });

  it("of 1 × 1 is a product over channels, to the last bit, and needs no columns", () => {
    const random = new RandomStream(6);
    let allocated: number[] = [];
    const count = (size: number): Float32Array => {
      allocated.push(size);
      return new Float32Array(size);
    };
    const counting: Kernels = { ...plainFloat32, alloc: count, room: count };
    const x = normal([3, 5, 4, 3], random, counting, true);
    const weight = normal([7, 5, 1, 1], random, counting, true);
    allocated = [];
    const y = conv2d(x, weight);
    expect(allocated).toEqual([y.size]);
    for (let n = 0; n < 3; n++) {
      const product = matmul(
        new Tensor(weight.data, [7, 5], counting),
        new Tensor(x.data.slice(n * 60, (n + 1) * 60), [5, 12], counting),
      );
      expect(y.data.subarray(n * 84, (n + 1) * 84)).toEqual(product.data);
    }
    allocated = [];
    sum(mul(y, normal(y.shape, random, counting))).backward();
    expect(allocated).not.toContain(5 * 12);
  });

  it.each([1, 4])("holds the columns of one sample and group at a time, of a batch of %d", (samples) => {
    const random = new RandomStream(7);
    const allocated: number[] = [];
    const count = (size: number): Float32Array => {
      allocated.push(size);
      return new Float32Array(size);
    };
    const counting: Kernels = { ...plainFloat32, alloc: count, room: count };
    const x = normal([samples, 4, 6, 5], random, counting, true);
    const weight = normal([6, 2, 3, 3], random, counting, true);
    allocated.length = 0;
    const y = conv2d(x, weight, undefined, { groups: 2, padding: 1 });
    const columns = 2 * 9 * 30;
    expect(allocated).toEqual([y.size, columns]);
    allocated.length = 0;
    y.backward(normal(y.shape, random, counting));
    expect(allocated.filter((size) => size === columns)).toHaveLength(2);
    expect(Math.max(...allocated)).toBe(Math.max(y.size, columns));
  });

  it("gives no gradient to what no window reaches", () => {
    const x = tensor(new Float32Array(42).fill(1), { shape: [1, 1, 6, 7], requiresGrad: true });
    const weight = tensor([
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ]);
    const y = conv2d(x, weight, undefined, { stride: 3 });
    expect(y.shape).toEqual([1, 1, 2, 2]);
    sum(y).backward();
    const row = (a: number, b: number): number[] => [a, b, 0, a, b, 0, 0];
    const none = new Array<number>(7).fill(0);
    expect(x.grad!.toArray()).toEqual([[[row(1, 2), row(3, 4), none, row(1, 2), row(3, 4), none]]]);
  });

  it("counts its padding as zeros, so that a window of nothing else gives the bias", () => {
    const y = conv2d(tensor([[[[1]]]]), tensor([[[[2]]]]), tensor([5]), { padding: [0, 2] });
    expect(y.toArray()).toEqual([[[[5, 5, 7, 5, 5]]]]);
    const infinite = conv2d(tensor([[[[1]]]]), tensor([[[[Number.POSITIVE_INFINITY]]]]), undefined, {
      padding: [0, 1],
    });
    expect(infinite.toArray()).toEqual([[[[Number.NaN, Number.POSITIVE_INFINITY, Number.NaN]]]]);
  });

  it("takes batches, channels in and channels out of none", () => {
    expect(
      conv2d(tensor(new Float32Array(0), { shape: [0, 2, 5, 5] }), normal([3, 2, 3, 3], new RandomStream(1)))
        .shape,
    ).toEqual([0, 3, 3, 3]);
    const [x, weight] = [
      [2, 0, 3, 3],
      [4, 0, 2, 2],
    ].map((shape) => tensor(new Float32Array(0), { shape, requiresGrad: true }));
    const y = conv2d(x, weight, tensor([1, 2, 3, 4]));
    expect(y.shape).toEqual([2, 4, 2, 2]);
    expect([...y.data.subarray(0, 5)]).toEqual([1, 1, 1, 1, 2]);
    sum(y).backward();
    expect(x.grad!.size + weight.grad!.size).toBe(0);
    const nothing = conv2d(
      normal([2, 3, 4, 4], new RandomStream(1)),
      tensor(new Float32Array(0), { shape: [0, 3, 2, 2] }),
    );
    expect(nothing.shape).toEqual([2, 0, 3, 3]);
  });

  it("keeps its own copy of settings", () => {
    const random = new RandomStream(8);
    const x = normal([1, 1, 6, 6], random, float64, true);
    const weight = normal([1, 1, 2, 2], random, float64);
    const stride: [number, number] = [2, 1];
    const y = conv2d(x, weight, undefined, { stride });
    stride.fill(3);
    y.backward(tensor(new Float64Array(15).fill(1), { shape: [1, 1, 3, 5], kernels: float64 }));
    const again = normal([1, 1, 6, 6], new RandomStream(8), float64, true);
    sum(conv2d(again, weight, undefined, { stride: [2, 1] })).backward();
    expect(x.grad!.data).toEqual(again.grad!.data);
  });
});
