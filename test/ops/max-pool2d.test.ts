/** Pooling by maximum where it is a matter of choice: ties, NaN, infinities, padding. */
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { maxPool2d, sum } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const plane = (values: number[][]): Tensor => tensor([[values]], { requiresGrad: true });
const planeOf = (x: Tensor | null): unknown => (x!.toArray() as number[][][][])[0][0];

describe("maxPool2d", () => {
  it("takes the largest of each window, and drops what no window reaches", () => {
    const x = plane([
      [1, 2, 3, 4, 99],
      [8, 7, 6, 5, 99],
      [1, 3, 9, 0, 99],
    ]);
    const y = maxPool2d(x, { size: 2 });
    expect(planeOf(y)).toEqual([[8, 6]]);
    y.backward(tensor([[[[10, 20]]]]));
    expect(planeOf(x.grad)).toEqual([
      [0, 0, 0, 0, 0],
      [10, 0, 20, 0, 0],
      [0, 0, 0, 0, 0],
    ]);
  });

  it("takes the first of equals in row-major order", () => {
    const x = plane([
      [0, 5, 5],
      [5, 1, 5],
    ]);
    maxPool2d(x, { size: [2, 3] }).backward(tensor([[[[1]]]]));
    expect(planeOf(x.grad)).toEqual([
      [0, 1, 0],
      [0, 0, 0],
    ]);
    const zeros = maxPool2d(plane([[-0, 0]]), { size: [1, 2] });
    expect(Object.is(zeros.item(), -0)).toBe(true);
  });

  it("lets NaN win wherever it stands, the first of several, and leaves other windows alone", () => {
    const x = plane([
      [1, none, none, 7, 2, 3],
      [none, 9, infinity, none, 4, 5],
    ]);
    const y = maxPool2d(x, { size: 2 });
    expect(planeOf(y)).toEqual([[none, none, 5]]);
    sum(y).backward();
    expect(planeOf(x.grad)).toEqual([
      [0, 1, 1, 0, 0, 0],
      [0, 0, 0, 0, 0, 1],
    ]);
  });

  it("takes −∞ where there is nothing larger, and never the padding", () => {
    const x = plane([
      [-infinity, -infinity],
      [-infinity, -3],
    ]);
    const y = maxPool2d(x, { size: 2, stride: 1, padding: 1 });
    expect(planeOf(y)).toEqual([
      [-infinity, -infinity, -infinity],
      [-infinity, -3, -3],
      [-infinity, -3, -3],
    ]);
    sum(y).backward();
    // The first corner stands first in three windows of nothing but −∞, its neighbours in one each.
    expect(planeOf(x.grad)).toEqual([
      [3, 1],
      [1, 4],
    ]);
  });

  it("adds up where windows share their maximum", () => {
    const x = plane([
      [1, 2, 1],
      [2, 9, 2],
      [1, 2, 1],
    ]);
    const y = maxPool2d(x, { size: 2, stride: 1 });
    expect(planeOf(y)).toEqual([
      [9, 9],
      [9, 9],
    ]);
    y.backward(
      tensor([
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ]),
    );
    expect(planeOf(x.grad)).toEqual([
      [0, 0, 0],
      [0, 10, 0],
      [0, 0, 0],
    ]);
  });

  it("takes windows, strides and paddings that differ along the axes", () => {
    const x = plane([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
      [11, 12, 13, 14, 15],
    ]);
    expect(planeOf(maxPool2d(x, { size: [3, 2], stride: [2, 3], padding: [1, 0] }))).toEqual([
      [7, 10],
      [12, 15],
    ]);
  });

  it("computes a sample in a batch as alone", () => {
    const random = new RandomStream(1);
    const x = tensor(
      Float32Array.from({ length: 3 * 2 * 5 * 7 }, () => random.below(5)),
      { shape: [3, 2, 5, 7] },
    );
    const options = { size: 3, stride: 2, padding: 1 };
    const whole = maxPool2d(x, options);
    for (let n = 0; n < 3; n++) {
      const own = tensor(x.data.slice(n * 70, (n + 1) * 70), { shape: [1, 2, 5, 7], requiresGrad: true });
      const alone = maxPool2d(own, options);
      expect(alone.data).toEqual(whole.data.slice(n * alone.size, (n + 1) * alone.size));
    }
  });

  it("takes batches and channels of none", () => {
    for (const shape of [
      [0, 2, 4, 4],
      [2, 0, 4, 4],
    ]) {
      const x = tensor(new Float32Array(0), { shape, requiresGrad: true });
      const y = maxPool2d(x, { size: 2 });
      expect(y.shape).toEqual([shape[0], shape[1], 2, 2]);
      sum(y).backward();
      expect(x.grad!.size).toBe(0);
    }
  });
});
