import { describe, expect, it } from "vitest";
import { gradcheck } from "../../src/check/gradcheck.ts";
import { full, ones, randn, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import {
  type AttentionOptions,
  scaledDotProductAttention as attention,
  dropout,
  matmul,
  scale,
  softmax,
} from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";
import { sampleOf as sample } from "../support/samples.ts";
import { gamma } from "./spec.ts";

const drawn = (seed: number, shape: Shape, kernels: Kernels = float32): Tensor =>
  randn(shape, { random: new RandomStream(seed, "attention"), kernels });

/** Query, key and value of as many samples. */
const inputs = (samples: number, kernels: Kernels = float32): [Tensor, Tensor, Tensor] => [
  drawn(1, [samples, 4, 3], kernels),
  drawn(2, [samples, 5, 3], kernels),
  drawn(3, [samples, 5, 2], kernels),
];

/**
 * Requires that every query gets the mean of five values, whatever it asks.
 *
 * A weight is ⅕ to one rounding, each product rounds, and so does each sum but the first, to 0: γ₆ of Σ |v| / 5.
 */
function expectMeans(y: Tensor, v: Tensor): void {
  const width = v.shape.at(-1)!;
  for (const [i, got] of y.data.entries()) {
    const column = [0, 1, 2, 3, 4].map((key) => v.data[key * width + (i % width)]);
    const [mean, size] = [column, column.map(Math.abs)].map((values) => values.reduce((a, b) => a + b) / 5);
    expect(Math.abs(got - mean)).toBeLessThanOrEqual(gamma(6) * size);
  }
}

/** Forward, and backward with ones. */
function pass(operands: readonly Tensor[], options: AttentionOptions = {}) {
  const [q, k, v] = operands.map(({ storage, shape, kernels }) => {
    const leaf = new Tensor(storage, shape, kernels);
    leaf.requiresGrad = true;
    return leaf;
  });
  const y = attention(q, k, v, options);
  y.backward(ones(y.shape, { kernels: y.kernels }));
  return { y, gradients: [q, k, v].map((leaf) => leaf.grad!) };
}

/** The rows of each matrix [S, …] in another order. */
function reordered({ data, shape, kernels }: Tensor, order: readonly number[]): Tensor {
  const [samples, rows, cols] = shape;
  const values = kernels.alloc(data.length);
  for (let n = 0; n < samples; n++) {
    for (const [to, from] of order.entries()) {
      const at = (n * rows + from) * cols;
      values.set(data.subarray(at, at + cols), (n * rows + to) * cols);
    }
  }
  return new Tensor(values, shape, kernels);
}

describe("scaledDotProductAttention", () => {
  it("returns the value itself where there is one key", () => {
    const [q] = inputs(3);
    const v = drawn(3, [3, 1, 2]);
    const y = attention(q, drawn(2, [3, 1, 3]), v);
    for (let n = 0; n < 3; n++) {
      for (let i = 0; i < 4; i++) {
        expect(y.data.slice((n * 4 + i) * 2, (n * 4 + i + 1) * 2)).toEqual(sample(v, n).data);
      }
    }
  });

  it("returns the mean of the values where all keys are equal", () => {
    const v = drawn(3, [5, 2]);
    expectMeans(attention(drawn(1, [4, 3]), full([5, 3], 0.7), v), v);
  });

  it("does not care for the order of keys and values", () => {
    const [q, k, v] = inputs(2, float64);
    const order = [3, 0, 4, 1, 2];
    const y = attention(q, k, v);
    const other = attention(q, reordered(k, order), reordered(v, order));
    for (const [i, value] of y.data.entries()) expect(Math.abs(value - other.data[i])).toBeLessThan(1e-14);
  });

  it("computes a sample in a batch to the bits that it has alone, forward and backward", () => {
    const operands = inputs(3);
    const mask = tensor([[[1, 1, 0, 1, 1]], [[0, 1, 1, 0, 1]], [[1, 0, 0, 0, 0]]]);
    const whole = pass(operands, { mask });
    for (let n = 0; n < 3; n++) {
      const alone = pass(
        operands.map((x) => sample(x, n)),
        { mask: sample(mask, n) },
      );
      expect(alone.y.data).toEqual(sample(whole.y, n).data);
      for (const [i, gradient] of alone.gradients.entries()) {
        expect(gradient.data).toEqual(sample(whole.gradients[i], n).data);
      }
    }
  });

  it("takes causal for the lower triangle", () => {
    const [, k, v] = inputs(2);
    const q = drawn(1, [2, 5, 3]);
    const triangle = tensor([
      [1, 0, 0, 0, 0],
      [1, 1, 0, 0, 0],
      [1, 1, 1, 0, 0],
      [1, 1, 1, 1, 0],
      [1, 1, 1, 1, 1],
    ]);
    const [causal, masked] = [pass([q, k, v], { causal: true }), pass([q, k, v], { mask: triangle })];
    expect(causal.y.data).toEqual(masked.y.data);
    for (const i of [0, 1, 2]) expect(causal.gradients[i].data).toEqual(masked.gradients[i].data);
    // The first query sees one key.
    expect(causal.y.data.slice(0, 2)).toEqual(v.data.slice(0, 2));
  });

  it("lets no query of a causal pass know what comes later", () => {
    const operands = [drawn(1, [1, 5, 3]), ...inputs(1).slice(1)];
    const changed = operands.map((x) => new Tensor(x.data.slice(), x.shape, float32));
    for (const x of changed) x.data.fill(9, x.size - x.shape[2]); // the last query, key and value
    const [before, after] = [operands, changed].map(([q, k, v]) => attention(q, k, v, { causal: true }).data);
    expect(after.slice(0, 8)).toEqual(before.slice(0, 8));
    expect(after.slice(8)).not.toEqual(before.slice(8));
  });

  it("gives a key that nobody may look at no weight and no gradient, even if its numbers are 1e30", () => {
    const [q, k, v] = inputs(1);
    const mask = tensor([1, 1, 0, 1, 0]);
    const [garbageK, garbageV] = [k, v].map((x) => {
      const values = x.data.slice();
      for (const key of [2, 4]) values.fill(1e30, key * x.shape[2], (key + 1) * x.shape[2]);
      return new Tensor(values, x.shape, float32);
    });
    const kept = (x: Tensor): Tensor => {
      const values = [0, 1, 3].flatMap((key) => [...x.data.slice(key * x.shape[2], (key + 1) * x.shape[2])]);
      return tensor(values, { shape: [1, 3, x.shape[2]] });
    };
    const [without, withGarbage] = [pass([q, kept(k), kept(v)]), pass([q, garbageK, garbageV], { mask })];
    expect(withGarbage.y.data).toEqual(without.y.data);
    expect(withGarbage.gradients[0].data).toEqual(without.gradients[0].data);
    for (const i of [1, 2]) {
      const gradient = withGarbage.gradients[i];
      const width = gradient.shape[2];
      expect(kept(gradient).data).toEqual(without.gradients[i].data);
      for (const key of [2, 4]) {
        expect([...gradient.data.slice(key * width, (key + 1) * width)]).toEqual(new Array(width).fill(0));
      }
    }
  });

  it("looks at the only visible key even if its score is -1e37", () => {
    const far = new Float32Array(15).fill(1);
    far.fill(-1e30, 6, 9); // key 2
    const [q, k, v] = [full([1, 4, 3], 1e7), tensor(far, { shape: [1, 5, 3] }), drawn(3, [1, 5, 2])];
    const only = v.data.slice(4, 6);
    const { y, gradients } = pass([q, k, v], { mask: tensor([0, 0, 1, 0, 0]) });
    for (let i = 0; i < 4; i++) expect(y.data.slice(2 * i, 2 * i + 2)).toEqual(only);
    expect([...gradients[2].data]).toEqual([0, 0, 0, 0, 4, 4, 0, 0, 0, 0]);
  });

  it("shows a NaN of a key that is looked at", () => {
    const [q, k, v] = inputs(1);
    k.data[0] = Number.NaN;
    expect([...attention(q, k, v).data].every(Number.isNaN)).toBe(true);
    expect([...attention(q, k, v, { mask: tensor([0, 1, 1, 1, 1]) }).data].some(Number.isNaN)).toBe(false);
  });

  it("serves several heads with one mask, and one key for all", () => {
    const q = drawn(1, [2, 3, 4, 3]);
    const [k, v] = [drawn(2, [5, 3]), drawn(3, [5, 2])];
    const mask = tensor([[[[1, 1, 1, 0, 0]]], [[[1, 0, 1, 0, 1]]]]);
    const y = attention(q, k, v, { mask });
    expect(y.shape).toEqual([2, 3, 4, 2]);
    for (let n = 0; n < 2; n++) {
      for (let head = 0; head < 3; head++) {
        const one = tensor(sample(q, n).data.slice(head * 12, (head + 1) * 12), { shape: [4, 3] });
        const alone = attention(one, k, v, { mask: tensor(sample(mask, n).data, { shape: [5] }) });
        expect(alone.data).toEqual(sample(y, n).data.slice(head * 8, (head + 1) * 8));
      }
    }
  });

  it("multiplies scores by 1/√E, or by what it is told", () => {
    const [q, k, v] = inputs(1);
    const plain = attention(scale(q, 1 / Math.sqrt(3)), k, v, { scale: 1 });
    expect(attention(q, k, v).data).toEqual(plain.data);
    expectMeans(attention(q, k, v, { scale: 0 }), v);
  });

  it("drops weights as the op dropout does", () => {
    const [q, k, v] = inputs(2);
    const settings = () => ({ probability: 0.5, random: new RandomStream(8) });
    const scores = matmul(scale(q, 1 / Math.sqrt(3)), k, { transposeB: true });
    const wanted = matmul(dropout(softmax(scores), settings()), v);
    const y = attention(q, k, v, { dropout: settings() });
    expect(y.data).toEqual(wanted.data);
    expect(y.data).not.toEqual(attention(q, k, v).data);
    gradcheck(
      (...operands) => {
        const [query, key, value] = operands;
        return attention(query, key, value, {
          dropout: settings(),
          mask: tensor([1, 1, 0, 1, 1], { kernels: float64 }),
        });
      },
      inputs(1, float64),
    );
  });

  it("keeps nothing of a mask that changes before the way back", () => {
    const operands = inputs(1);
    const [q, k, v] = operands.map((x) => new Tensor(x.storage, x.shape, float32));
    q.requiresGrad = true;
    const mask = tensor([1, 1, 0, 1, 1]);
    const y = attention(q, k, v, { mask });
    mask.data.fill(1);
    y.backward(ones(y.shape));
    expect(q.grad!.data).toEqual(pass(operands, { mask: tensor([1, 1, 0, 1, 1]) }).gradients[0].data);
  });

  it("takes no queries, and no batch", () => {
    const [, k, v] = inputs(2);
    expect(attention(ones([2, 0, 3]), k, v, { mask: ones([5]) }).shape).toEqual([2, 0, 2]);
    expect(attention(ones([0, 4, 3]), ones([0, 5, 3]), ones([0, 5, 2])).shape).toEqual([0, 4, 2]);
  });
});
