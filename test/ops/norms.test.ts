/** What the norms promise beyond their formulas, and of one another. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ones, randn, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import {
  batchNorm,
  broadcastTo,
  groupNorm,
  layerNorm,
  reshape,
  rmsNorm,
  scale,
  transpose,
} from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";
import { in64, operand } from "../support/arbitraries.ts";
import { sampleOf as sample } from "../support/samples.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const runs = { seed: 1, numRuns: 60 };
const random = (): RandomStream => new RandomStream(5, "norms");
const drawn = (shape: Shape, kernels: Kernels = float32): Tensor =>
  randn(shape, { random: random(), kernels });
const in32 = (values: ArrayLike<number>, shape: Shape): Tensor =>
  tensor(Float32Array.from(values), { shape });
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, v) => total + v, 0);

/** The gradient in x for a cotangent. */
function gradientOf(norm: (x: Tensor) => Tensor, x: Tensor, dy: Tensor): Tensor {
  const leaf = new Tensor(x.storage, x.shape, x.kernels);
  leaf.requiresGrad = true;
  norm(leaf).backward(dy);
  return leaf.grad!;
}

const w = drawn([3]);
const statistics = { mean: drawn([4]), variance: ones([4]) };
/** On x [samples, 4, 3]; none of them lets a sample look at another. */
const persample: readonly (readonly [string, (x: Tensor) => Tensor])[] = [
  ["layerNorm", (x) => layerNorm(x, { weight: w, bias: w })],
  ["layerNorm over two axes", (x) => layerNorm(x, { weight: reshape(drawn([12]), [4, 3]) })],
  ["rmsNorm", (x) => rmsNorm(x, { weight: w })],
  ["groupNorm", (x) => groupNorm(x, 2, { weight: drawn([4]), bias: drawn([4]) })],
  ["batchNorm by given statistics", (x) => batchNorm(x, { weight: drawn([4]), ...statistics })],
];

describe.each(persample)("%s", (_, norm) => {
  const x = drawn([5, 4, 3]);
  const dy = randn([5, 4, 3], { random: new RandomStream(6) });

  it("computes a sample in a batch to the bits that it has alone, forward and backward", () => {
    const [y, dx] = [norm(x), gradientOf(norm, x, dy)];
    for (let i = 0; i < 5; i++) {
      expect(norm(sample(x, i)).data).toEqual(sample(y, i).data);
      expect(gradientOf(norm, sample(x, i), sample(dy, i)).data).toEqual(sample(dx, i).data);
    }
  });

  it("shows a NaN in its own sample, and in no other", () => {
    const broken = new Tensor(x.data.slice(), x.shape, float32);
    broken.data[2 * 12 + 4] = none;
    const [y, healthy] = [norm(broken), norm(x)];
    for (let i = 0; i < 5; i++) {
      if (i === 2) expect(sample(y, i).data.some(Number.isNaN)).toBe(true);
      else expect(sample(y, i).data).toEqual(sample(healthy, i).data);
    }
  });

  it("takes no sample at all", () => {
    const empty = ones([0, 4, 3], { requiresGrad: true });
    const y = norm(empty);
    expect(y.shape).toEqual([0, 4, 3]);
    y.backward(ones([0, 4, 3]));
    expect(empty.grad!.size).toBe(0);
  });
});

describe("layerNorm", () => {
  it("is blind to scale and offset, if ε is scaled with the variance", () => {
    fc.assert(
      fc.property(
        operand([2, 5]),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        fc.double({ min: -10, max: 10, noNaN: true }),
        (x, a, c) => {
          const stretched = in64({ ...x, values: x.values.map((v) => a * v + c) });
          const y = layerNorm(stretched, { epsilon: a * a * 0.1 });
          const wanted = layerNorm(in64(x), { epsilon: 0.1 });
          // ax + c is off by 2⁻⁵³ · 70 and so is its mean; relative to a √ε ≥ 0.03 that is 5e-13, and 2 Σ|x̂| ≤ 10 of it
          // reach an entry through the deviation.
          for (const [i, v] of y.data.entries()) expect(Math.abs(v - wanted.data[i])).toBeLessThan(1e-11);
        },
      ),
      runs,
    );
  });

  it("gives the same bits for a row scaled by a power of two", () => {
    const x = drawn([3, 7]);
    for (const a of [2 ** -40, 0.5, 4, 2 ** 60]) {
      expect(layerNorm(scale(x, a), { epsilon: a * a * 1e-5 }).data).toEqual(layerNorm(x).data);
    }
  });

  it("leaves a mean of 0 and a variance of v / (v + ε)", () => {
    const x = drawn([4, 100], float64);
    const y = layerNorm(x, { epsilon: 0.1 });
    for (let row = 0; row < 4; row++) {
      const [before, after] = [sample(x, row).data, sample(y, row).data];
      const mean = sum(before) / 100;
      const variance = sum(before.map((v) => (v - mean) ** 2)) / 100;
      // Means of 100 numbers of order 1: γ₁₀₀ = 1.1e-14 in float64, and a few roundings each.
      expect(Math.abs(sum(after) / 100)).toBeLessThan(1e-13);
      expect(Math.abs(sum(after.map((v) => v * v)) / 100 - variance / (variance + 0.1))).toBeLessThan(1e-13);
    }
  });

  it("keeps the digits of a row far from 0: x + 10⁶", () => {
    // Multiples of 1/16 up to 4, which float32 still holds exactly beside a million.
    const steps = Float64Array.from({ length: 12 }, (_, i) => ((i * 37) % 64) / 16);
    const far = layerNorm(
      in32(
        steps.map((v) => 1e6 + v),
        [12],
      ),
    );
    const near = layerNorm(tensor(steps, { shape: [12], kernels: float64 }));
    // One rounding, and a mean that is off by γ₁₂ · 10⁶ = 1.4e-9 beside a deviation of about 1.
    for (const [i, y] of near.data.entries()) {
      expect(Math.abs(far.data[i] - y)).toBeLessThan(2 ** -24 * Math.abs(y) + 3e-9);
    }
  });

  it.each([0, 0.1, -3e7, 1e38, 1e-42])("makes a row of nothing but %d exactly the bias", (value) => {
    const bias = drawn([7]);
    const y = layerNorm(in32(new Array(14).fill(value), [2, 7]), { weight: drawn([7]), bias });
    expect(sample(y, 0).data).toEqual(bias.data);
    expect(sample(y, 1).data).toEqual(bias.data);
  });

  it("has a finite gradient there: (g − mean g) / √ε", () => {
    const dy = [3, 1, -2, 2];
    const dx = gradientOf((x) => layerNorm(x), in32([5, 5, 5, 5], [4]), in32(dy, [4]));
    expect([...dx.data]).toEqual(dy.map((v) => Math.fround((v - 1) * (1 / Math.sqrt(1e-5)))));
  });

  it("does not overflow at the largest numbers, nor lose the smallest", () => {
    const largest = 3.4028234663852886e38;
    expect([...layerNorm(in32([largest, -largest], [2])).data]).toEqual([1, -1]);
    expect([...layerNorm(in32([1e-40, -1e-40], [2]), { epsilon: 1e-100 }).data]).toEqual([1, -1]);
  });

  it.each([infinity, -infinity])("makes a row with %d NaN, alone", (value) => {
    const y = layerNorm(in32([1, value, 2, 1, 3, 2], [2, 3]));
    expect([...y.data].map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
  });

  it("passes on nothing along 1, and nothing along x̂ but for ε", () => {
    const x = drawn([1, 50], float64);
    const dy = randn([1, 50], { random: new RandomStream(6), kernels: float64 });
    const epsilon = 1e-12;
    const dx = gradientOf((t) => layerNorm(t, { epsilon }), x, dy).data;
    const y = layerNorm(x, { epsilon }).data;
    expect(Math.abs(sum(dx))).toBeLessThan(1e-12);
    expect(Math.abs(sum(dx.map((v, i) => v * y[i])))).toBeLessThan(1e-10);
  });

  it("notices a weight that changes before the way back", () => {
    const [x, weight] = [ones([2, 3], { requiresGrad: true }), ones([3])];
    const y = layerNorm(x, { weight });
    weight.update((data) => data.fill(2));
    expect(() => y.backward(ones([2, 3]))).toThrow("operand 1 of layerNorm was changed in place");
  });
});

describe("rmsNorm", () => {
  it("is layerNorm for a row whose mean is 0", () => {
    const x = in32([3, -1, -2, 0.5, 0.25, -0.75], [2, 3]);
    expect(rmsNorm(x, { epsilon: 1e-5 }).data).toEqual(layerNorm(x).data);
  });

  it("leaves the mean where it was: a row of equal values becomes ones", () => {
    expect([...rmsNorm(in32([3, 3, 3, 3], [4]), { epsilon: 1e-12 }).data]).toEqual([1, 1, 1, 1]);
  });

  it("makes a row of zeros 0, with a finite gradient: g / √ε", () => {
    const dx = gradientOf((x) => rmsNorm(x, { epsilon: 0.25 }), in32([0, 0], [2]), in32([1, 3], [2]));
    expect([...dx.data]).toEqual([2, 6]);
    expect([...rmsNorm(in32([0, 0], [2])).data]).toEqual([0, 0]);
  });

  it("shows ∞ as NaN, beside which everything else is 0", () => {
    expect([...rmsNorm(in32([1, infinity, 2], [3])).data]).toEqual([0, none, 0]);
  });
});

describe("groupNorm", () => {
  const x = drawn([3, 4, 2, 5]);
  const [weight, bias] = [drawn([4]), randn([4], { random: new RandomStream(9) })];

  it("of one group is layerNorm over channels and positions", () => {
    const everywhere = (values: Tensor): Tensor => broadcastTo(reshape(values, [4, 1, 1]), [4, 2, 5]);
    expect(groupNorm(x, 1, { weight, bias }).data).toEqual(
      layerNorm(x, { weight: everywhere(weight), bias: everywhere(bias) }).data,
    );
  });

  it("of as many groups as channels is instance normalisation: batchNorm of each sample alone", () => {
    const y = groupNorm(x, 4, { weight, bias });
    for (let i = 0; i < 3; i++) {
      expect(sample(y, i).data).toEqual(batchNorm(sample(x, i), { weight, bias }).data);
    }
  });

  it("lets a group know nothing of the others", () => {
    const other = new Tensor(x.data.slice(), x.shape, float32);
    other.data.fill(77, 20, 40); // channels 2 and 3 of sample 0
    const [y, changed] = [groupNorm(x, 2).data, groupNorm(other, 2).data];
    expect(changed.slice(0, 20)).toEqual(y.slice(0, 20));
    expect(changed.slice(40)).toEqual(y.slice(40));
  });
});

describe("batchNorm", () => {
  const x = drawn([6, 3], float64);

  it("is layerNorm of the columns", () => {
    expect(batchNorm(x).data).toEqual(transpose(layerNorm(transpose(x))).data);
  });

  it("gives the same bits by the statistics of the batch, whether it takes them or is given them", () => {
    const columns = transpose(x).data;
    const moments = [0, 1, 2].map((c) => {
      const column = columns.slice(6 * c, 6 * c + 6);
      const mean = sum(column) / 6;
      return { mean, variance: sum(column.map((v) => (v - mean) * (v - mean))) / 6 };
    });
    const kernels = float64;
    const mean = tensor(
      moments.map((one) => one.mean),
      { kernels },
    );
    const variance = tensor(
      moments.map((one) => one.variance),
      { kernels },
    );
    expect(batchNorm(x, { mean, variance }).data).toEqual(batchNorm(x).data);
  });

  it("sums positions with samples: the axes behind the channels make no difference", () => {
    const images = drawn([2, 3, 2, 5], float64);
    const y = batchNorm(images);
    expect(batchNorm(reshape(images, [2, 3, 10])).data).toEqual(y.data);
    for (let c = 0; c < 3; c++) {
      const channel = [0, 1].flatMap((n) => [...y.data.slice(10 * (3 * n + c), 10 * (3 * n + c + 1))]);
      expect(Math.abs(sum(channel))).toBeLessThan(1e-13);
    }
  });

  it("makes a channel of equal values exactly the bias", () => {
    const bias = drawn([2]);
    const y = batchNorm(in32([0.1, 5, 0.1, 5, 0.1, 5], [3, 2]), { bias });
    for (let i = 0; i < 3; i++) expect(sample(y, i).data).toEqual(bias.data);
  });

  it("makes a channel with NaN NaN, alone", () => {
    const y = batchNorm(in32([1, none, 2, 1, 4, 3], [3, 2]));
    expect([...y.data].map(Number.isNaN)).toEqual([false, true, false, true, false, true]);
  });

  it("keeps a copy of given statistics: they may move on before the way back", () => {
    const [mean, variance] = [in32([1], [1]), in32([3], [1])];
    const [leaf, weight] = [in32([3, 5], [2, 1]), in32([1], [1])];
    for (const operand of [leaf, weight]) operand.requiresGrad = true;
    const y = batchNorm(leaf, { weight, mean, variance, epsilon: 1 });
    mean.update((data) => data.fill(9));
    variance.update((data) => data.fill(9));
    y.backward(in32([2, 4], [2, 1]));
    expect([...y.data]).toEqual([1, 2]);
    expect([...leaf.grad!.data]).toEqual([1, 2]);
    expect(weight.grad!.item()).toBe(1 * 2 + 2 * 4); // Σ x̂ dy
  });

  it("takes an infinity by given statistics for what it is: its gradient is finite", () => {
    const given = { mean: in32([0], [1]), variance: in32([3], [1]), epsilon: 1 };
    const dx = gradientOf((t) => batchNorm(t, given), in32([infinity, 1], [2, 1]), in32([2, 4], [2, 1]));
    expect([...batchNorm(in32([infinity, 1], [2, 1]), given).data]).toEqual([infinity, 0.5]);
    expect([...dx.data]).toEqual([1, 2]);
  });

  it("takes a variance of 0 for what it is: ε alone is below the root", () => {
    const y = batchNorm(in32([3, 5], [2, 1]), { mean: in32([1], [1]), variance: in32([0], [1]), epsilon: 4 });
    expect([...y.data]).toEqual([1, 2]);
  });

  it("has nothing to do without channels", () => {
    expect(batchNorm(ones([2, 0, 3])).shape).toEqual([2, 0, 3]);
    expect(sizeOf(batchNorm(ones([2, 0])).shape)).toBe(0);
  });
});
