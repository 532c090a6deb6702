/** Laws of the convolution of rows. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { conv1d, conv2d, reshape, sum } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import { normal } from "./convolution-reference.ts";

describe("conv1d", () => {
  it("has the bits of conv2d on planes that are one position high, forward and backward", () => {
    const setting = fc.record({
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 2 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      groups: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(setting, fc.nat(1e6), ({ stride, padding, dilation, groups }, seed) => {
        const row = new RandomStream(seed);
        const plane = new RandomStream(seed);
        const shapes: Shape[] = [[2, 4, 9], [6, 4 / groups, 3], [6]];
        const [x, weight, bias] = shapes.map((shape) => normal(shape, row, float32, true));
        const [x2, weight2, bias2] = shapes.map((shape) => normal(shape, plane, float32, true));
        const y = conv1d(x, weight, bias, { stride, padding, dilation, groups });
        const high = (t: Tensor): Tensor => reshape(t, [t.shape[0], t.shape[1], 1, t.shape[2]]);
        const y2 = conv2d(high(x2), high(weight2), bias2, {
          stride: [1, stride],
          padding: [0, padding],
          dilation: [1, dilation],
          groups,
        });
        expect([y.shape[0], y.shape[1], 1, y.shape[2]]).toEqual(y2.shape);
        expect(y.data).toEqual(y2.data);
        const dy = normal(y.shape, row);
        y.backward(dy);
        y2.backward(tensor(dy.data, { shape: y2.shape }));
        for (const [a, b] of [
          [x, x2],
          [weight, weight2],
          [bias, bias2],
        ] as const) {
          expect(a.grad!.data).toEqual(b.grad!.data);
        }
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it("slides a kernel along a row, without turning it round", () => {
    const x = tensor([[[1, 2, 4, 8, 16]]], { requiresGrad: true });
    const y = conv1d(x, tensor([[[1, 0, -1]]]), tensor([100]));
    expect(y.toArray()).toEqual([[[97, 94, 88]]]);
    sum(y).backward();
    expect(x.grad!.toArray()).toEqual([[[1, 1, 0, -1, -1]]]);
  });
});
