/**
 * What holds for every input, whatever the numbers: laws of softmax, of losses, of the engine. ≡ means the same bits.
 * The numbers are those of `proof/laws.ts`.
 *
 * Where a law holds up to rounding, the tolerance is what the roundings on both sides can add up to: u is the unit
 * roundoff of what is stored, w that of float64, in which rows and losses are computed, and γₙ = n w / (1 − n w).
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../src/errors.ts";
import { oneHot, ones, tensor, zeros } from "../src/factories.ts";
import { noGrad } from "../src/graph.ts";
import { float32 } from "../src/kernels/float32.ts";
import { float64 } from "../src/kernels/float64.ts";
import * as ops from "../src/ops/index.ts";
import {
  add,
  broadcastTo,
  crossEntropy,
  dropout,
  exp,
  klDiv,
  linear,
  logSoftmax,
  logSumExp,
  matmul,
  mse,
  mul,
  relu,
  scale,
  sigmoid,
  softmax,
  softTargetLoss,
  sub,
  sum,
  sumTo,
  tanh,
  transpose,
} from "../src/ops/index.ts";
import { RandomStream } from "../src/random.ts";
import { Tensor } from "../src/tensor.ts";
import { gamma as roundings } from "./ops/spec.ts";
import { specs } from "./ops/specs.ts";
import { type Operand, operand, operandIn, shape, thinned } from "./support/arbitraries.ts";
import {
  absolute,
  distanceFromLimit,
  divergenceError,
  gamma,
  gradientDistanceFromLimit,
  rowError,
  total,
  unitOf,
  w,
} from "./support/row-errors.ts";

const runs = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 100 : 5000 };
const sets = [
  ["float32", float32],
  ["float64", float64],
] as const;

const wide = { min: -20, max: 20 };
const logits = (rows = 4, minClasses = 1, range = wide): fc.Arbitrary<Operand> =>
  fc
    .tuple(fc.integer({ min: 1, max: rows }), fc.integer({ min: minClasses, max: 20 }))
    .chain(([r, c]) => operand([r, c], range));
const pair = (range = wide, rows = 4): fc.Arbitrary<readonly [Operand, Operand]> =>
  logits(rows, 1, range).chain((z) => fc.tuple(fc.constant(z), operand(z.shape, range)));
const temperatures = fc.constantFrom(0.01, 0.5, 1, 2, 4, 20, 1000, 1e6);

const rowsOf = ({ shape, values }: Operand): number[][] => {
  const cols = shape[shape.length - 1];
  return Array.from({ length: values.length / cols }, (_, r) => values.slice(r * cols, (r + 1) * cols));
};
const largest = (values: Iterable<number>): number => Math.max(...[...values].map(Math.abs));
const minus = (a: Operand, b: Operand): number[][] =>
  rowsOf(a).map((row, r) => row.map((x, j) => x - b.values[r * row.length + j]));

/** Whether no number is so near to 0 that float32 drops digits of it: a multiple by a power of two is then exact. */
const areNormal = (values: readonly number[]): boolean =>
  values.every((x) => x === 0 || Math.abs(x) > 2 ** -120);

/** The gradient of a scalar function at x. */
function gradient(x: Tensor, loss: (x: Tensor) => Tensor): number[] {
  const leaf = new Tensor(x.data.slice(), x.shape, x.kernels);
  leaf.requiresGrad = true;
  loss(leaf).backward();
  return [...(leaf.grad?.data ?? [])];
}

/** The error of the soft-target loss, T² times the mean of its rows' divergences, but for its own rounding. */
const lossError = (z: Operand, v: Operand, T: number): number =>
  T * T * Math.max(...rowsOf(z).map((row, r) => divergenceError(row, rowsOf(v)[r], T)));

describe.each(sets)("softmax in %s", (_, kernels) => {
  const u = unitOf(kernels);
  const put = (x: Operand): Tensor => operandIn(kernels, x);

  it("1, 2: sums to 1 within its roundings, with every probability in [0, 1]", () => {
    fc.assert(
      fc.property(logits(), ({ shape, values }) => {
        for (const row of rowsOf({ shape, values: [...softmax(put({ shape, values })).data] })) {
          // Each power is multiplied by the reciprocal of their sum and stored.
          expect(Math.abs(total(row) - 1)).toBeLessThanOrEqual(u + gamma(2 * row.length + 4));
          for (const p of row) expect(p >= 0 && p <= 1).toBe(true);
        }
      }),
      runs,
    );
  });

  it("3: ≡ when a constant is added exactly", () => {
    fc.assert(
      fc.property(logits(), fc.integer({ min: -8, max: 8 }), ({ shape, values }, c) => {
        const halves = values.map((v) => Math.round(v * 2) / 2);
        const moved = halves.map((v) => v + c);
        expect(softmax(put({ shape, values: moved })).data).toEqual(
          softmax(put({ shape, values: halves })).data,
        );
      }),
      runs,
    );
  });

  it("4: follows a permutation of the classes", () => {
    const shuffled = logits(1).chain((x) =>
      fc.tuple(
        fc.constant(x),
        fc.shuffledSubarray([...x.values.keys()], { minLength: x.values.length, maxLength: x.values.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([{ shape, values }, order]) => {
        const straight = softmax(put({ shape, values })).data;
        const permuted = softmax(put({ shape, values: order.map((i) => values[i]) })).data;
        // The same powers; only their sum may be taken in another order.
        for (const [j, i] of order.entries()) {
          const bound = (gamma(2 * values.length + 4) + 2 * u) * straight[i];
          expect(Math.abs(permuted[j] - straight[i])).toBeLessThanOrEqual(bound);
        }
      }),
      runs,
    );
  });

  it("5: keeps the order of the logits", () => {
    fc.assert(
      fc.property(logits(1), (x) => {
        const p = softmax(put(x)).data;
        for (let i = 0; i < p.length; i++) {
          for (let j = 0; j < p.length; j++) {
            if (x.values[i] <= x.values[j]) expect(p[i]).toBeLessThanOrEqual(p[j]);
          }
        }
      }),
      runs,
    );
  });

  it("6: is the exponential of logSoftmax", () => {
    fc.assert(
      fc.property(logits(), (x) => {
        const cols = x.shape[1];
        const [p, logP] = [softmax(put(x)).data, logSoftmax(put(x))];
        const powers = exp(logP).data;
        for (const [i, value] of p.entries()) {
          // A stored logarithm's error is a relative one of its power; both powers and p are stored.
          const error = 2 * rowError(rowsOf(x)[Math.floor(i / cols)]) + 1.001 * u * Math.abs(logP.data[i]);
          expect(Math.abs(powers[i] - value)).toBeLessThanOrEqual((error + 2.001 * u + 4 * w) * value);
        }
      }),
      runs,
    );
  });

  it("8: of two classes is the sigmoid of their difference", () => {
    fc.assert(
      fc.property(operand([1, 2], wide), (x) => {
        const p = softmax(put(x)).data[0];
        const difference = x.values[0] - x.values[1];
        const s = sigmoid(tensor([difference], { kernels })).data[0];
        // The difference is rounded when it is stored; σ(d + δ) differs from σ(d) by a factor of at most e^|δ|.
        const bound = (rowError(x.values) + 1.001 * u * Math.abs(difference) + 2.001 * u + 4 * w) * p;
        expect(Math.abs(p - s)).toBeLessThanOrEqual(bound);
      }),
      runs,
    );
  });

  it("9: at a temperature that is a power of two ≡ softmax of logits divided by it, in loss and gradient", () => {
    fc.assert(
      fc.property(pair(), fc.constantFrom(0.25, 0.5, 2, 4, 16), ([z, v], temperature) => {
        const divided = (x: Operand): Tensor => put({ ...x, values: x.values.map((a) => a / temperature) });
        const warm = (x: Tensor): Tensor => softTargetLoss(x, put(v), { temperature });
        const plain = (x: Tensor): Tensor => softTargetLoss(x, divided(v), { temperature: 1 });
        // T² and T are powers of two as well.
        expect(warm(put(z)).item()).toBe(temperature ** 2 * plain(divided(z)).item());
        const [got, once] = [gradient(put(z), warm), gradient(divided(z), plain)];
        fc.pre(areNormal(once));
        expect(got).toEqual(once.map((g) => temperature * g));
      }),
      runs,
    );
  });

  it("10: has an entropy that grows with the temperature", () => {
    fc.assert(
      fc.property(logits(1), (x) => {
        const entropy = (t: number): number =>
          total([...softmax(scale(put(x), 1 / t)).data].map((p) => (p === 0 ? 0 : -p * Math.log(p))));
        for (const t of [0.5, 1, 2, 4, 8]) {
          const [cold, warm] = [entropy(t), entropy(2 * t)];
          // p (1 + ε) changes −p log p by at most |ε| p (1 + |log p|), which adds up to 1 and the entropy.
          const slack = (rowError(x.values, t) + 1.001 * u + gamma(x.values.length + 4)) * (2 + cold + warm);
          expect(warm).toBeGreaterThanOrEqual(cold - slack);
        }
      }),
      runs,
    );
  });

  it("11: has a gradient that sums to 0 in every row", () => {
    fc.assert(
      fc.property(pair(), ([x, cotangent]) => {
        const cols = x.shape[1];
        const g = gradient(put(x), (leaf) => sum(mul(softmax(leaf), put(cotangent))));
        for (let r = 0; r < x.shape[0]; r++) {
          const row = g.slice(r * cols, (r + 1) * cols);
          const most = largest(cotangent.values.slice(r * cols, (r + 1) * cols));
          // Σ y (dy − ⟨dy, y⟩) = ⟨dy, y⟩ (1 − Σ y), and Σ y is off as in law 1; then a rounding for each store, and a
          // few for each product.
          const bound = most * (u + gamma(2 * cols + 4)) + (u + gamma(cols + 4)) * (absolute(row) + 2 * most);
          expect(Math.abs(total(row))).toBeLessThanOrEqual(bound);
        }
      }),
      runs,
    );
  });
});

describe.each(sets)("logSumExp in %s", (_, kernels) => {
  it("7: lies between the maximum and the maximum plus the logarithm of the number of classes", () => {
    fc.assert(
      fc.property(logits(1), (x) => {
        const max = Math.max(...x.values);
        const lse = logSumExp(operandIn(kernels, x)).data[0];
        expect(lse).toBeGreaterThanOrEqual(max);
        const bound = rowError(x.values) + 1.001 * unitOf(kernels) * Math.abs(lse);
        expect(lse).toBeLessThanOrEqual(max + Math.log(x.values.length) + bound);
      }),
      runs,
    );
  });
});

describe.each(sets)("cross-entropy in %s", (_, kernels) => {
  const u = unitOf(kernels);
  const put = (x: Operand): Tensor => operandIn(kernels, x);
  const labelled = logits().chain((x) =>
    fc.tuple(
      fc.constant(x),
      fc.array(fc.integer({ min: 0, max: x.shape[1] - 1 }), { minLength: x.shape[0], maxLength: x.shape[0] }),
    ),
  );

  it("12: is logSumExp less the label's logit, and never negative", () => {
    fc.assert(
      fc.property(labelled, ([x, labels]) => {
        const rows = rowsOf(x);
        const loss = crossEntropy(put(x), labels).item();
        const lse = logSumExp(put(x)).data;
        const mean = total(labels.map((y, r) => lse[r] - rows[r][y])) / rows.length;
        expect(loss).toBeGreaterThanOrEqual(0);
        const error = Math.max(...rows.map((row, r) => 2 * rowError(row) + 1.001 * u * Math.abs(lse[r])));
        expect(Math.abs(loss - mean)).toBeLessThanOrEqual(error + (u + gamma(2 * rows.length + 4)) * loss);
      }),
      runs,
    );
  });

  it("13: has the gradient (softmax − onehot) / rows", () => {
    fc.assert(
      fc.property(labelled, ([x, labels]) => {
        const [rows, cols] = x.shape;
        const g = gradient(put(x), (z) => crossEntropy(z, labels));
        const p = softmax(operandIn(float64, x)).data;
        for (const [i, got] of g.entries()) {
          const row = Math.floor(i / cols);
          const want = (p[i] - (i % cols === labels[row] ? 1 : 0)) / rows;
          // p on both sides is off by its own error; a difference, a quotient and the store.
          const bound = (2 * rowError(rowsOf(x)[row]) * p[i] + 4 * w) / rows + 1.001 * u * Math.abs(want);
          expect(Math.abs(got - want)).toBeLessThanOrEqual(bound);
        }
      }),
      runs,
    );
  });

  it("14, 15: ≡ with one-hot targets, ≡ with a smoothing of 0", () => {
    fc.assert(
      fc.property(labelled, ([x, labels]) => {
        const hot = oneHot(labels, x.shape[1], { kernels });
        const plain = (z: Tensor): Tensor => crossEntropy(z, labels);
        for (const same of [
          (z: Tensor) => crossEntropy(z, hot),
          (z: Tensor) => crossEntropy(z, labels, { labelSmoothing: 0 }),
        ]) {
          expect(same(put(x)).item()).toBe(plain(put(x)).item());
          expect(gradient(put(x), same)).toEqual(gradient(put(x), plain));
        }
      }),
      runs,
    );
  });

  it("16: is the weighted mean over parts of the rows", () => {
    fc.assert(
      fc.property(labelled, fc.nat(3), ([x, labels], cut) => {
        const rows = rowsOf(x);
        const first = Math.min(cut, rows.length);
        const part = (start: number, end: number): number =>
          start === end
            ? 0
            : (end - start) *
              crossEntropy(
                put({ shape: [end - start, x.shape[1]], values: rows.slice(start, end).flat() }),
                labels.slice(start, end),
              ).item();
        const mean = (part(0, first) + part(first, rows.length)) / rows.length;
        const loss = crossEntropy(put(x), labels).item();
        // Sums of the same terms, all ≥ 0, in parts; each loss is stored.
        expect(Math.abs(loss - mean)).toBeLessThanOrEqual((2.001 * u + gamma(2 * rows.length + 8)) * mean);
      }),
      runs,
    );
  });

  it("leaves out ignored rows, and is 0 when all are", () => {
    const z = tensor(
      [
        [1, 2],
        [3, 4],
        [5, 9],
      ],
      { kernels },
    );
    const kept = tensor(
      [
        [1, 2],
        [5, 9],
      ],
      { kernels },
    );
    expect(crossEntropy(z, [0, -1, 1], { ignoredLabel: -1 }).item()).toBe(crossEntropy(kept, [0, 1]).item());
    expect(crossEntropy(z, [-1, -1, -1], { ignoredLabel: -1 }).item()).toBe(0);
    expect(gradient(z, (x) => crossEntropy(x, [-1, -1, -1], { ignoredLabel: -1 }))).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    const g = gradient(z, (x) => crossEntropy(x, [0, -1, 1], { ignoredLabel: -1 }));
    expect(g.slice(2, 4)).toEqual([0, 0]);
  });
});

describe("batch invariance", () => {
  const samples = 4;
  const random = (size: number, seed: number): number[] => {
    const stream = new RandomStream(seed, "batch invariance");
    return Array.from({ length: size }, () => Math.fround(2 * stream.uniform() - 1));
  };
  const filled = (shape: readonly number[], seed: number): Tensor =>
    tensor(
      random(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
      { shape },
    );
  const [row, plane] = [filled([5], 2), filled([5, 3], 3)];

  /** How an op treats a sample `[6, 5]` of a batch x `[samples, 6, 5]`, where the table of ops has no rows for it. */
  const perSample: Partial<Record<keyof typeof specs, (x: Tensor) => Tensor>> = {
    add: (x) => add(x, row),
    sub: (x) => sub(row, x),
    mul: (x) => mul(x, row),
    div: (x) => ops.div(x, add(ops.square(row), ones([]))),
    maximum: (x) => ops.maximum(x, row),
    minimum: (x) => ops.minimum(x, row),
    where: (x) => ops.where(tensor([1, 0, 1, 1, 0]), x, row),
    dropout: (x) => dropout(x, { probability: 0, random: new RandomStream(1) }),
    broadcastTo: (x) => broadcastTo(ops.reshape(x, [x.shape[0], 1, 6, 5]), [x.shape[0], 2, 6, 5]),
    reshape: (x) => ops.reshape(x, [x.shape[0], 5, 6]),
    transpose: (x) => ops.permute(transpose(ops.reshape(x, [x.shape[0], 30])), [1, 0]),
    permute: (x) => ops.permute(x, [0, 2, 1]),
    concat: (x) => ops.concat([x, scale(x, 2)], 1),
    stack: (x) => ops.stack([x, scale(x, 2)], 1),
    pad: (x) =>
      ops.pad(x, [
        [0, 0],
        [1, 0],
        [0, 2],
      ]),
    slice: (x) => ops.slice(x, 1, 2, 5),
    split: (x) => ops.split(x, [2, 4], 1)[1],
    gather: (x) => ops.gather(x, [3, 0, 3], 1),
    sumTo: (x) => sumTo(x, [x.shape[0], 6, 1]),
    sum: (x) => sum(x, [1, 2]),
    mean: (x) => ops.mean(x, [1, 2]),
    variance: (x) => ops.variance(x, [1, 2]),
    max: (x) => ops.max(x, [1, 2]),
    min: (x) => ops.min(x, [1, 2]),
    prod: (x) => ops.prod(x, 2),
    matmul: (x) => matmul(x, plane),
    scaledDotProductAttention: (x) => ops.scaledDotProductAttention(x, scale(x, 0.5), x),
    cosineSimilarity: (x) => ops.cosineSimilarity(x, tanh(x)),
  };
  /** Means over rows x `[samples · 6, 5]`: with a power of two of samples, gradients are divided exactly. */
  const means: Partial<Record<keyof typeof specs, (x: Tensor, of: (x: Tensor) => Tensor) => Tensor>> = {
    klDiv: (x, of) => klDiv(logSoftmax(x), softmax(of(x))),
    softTargetLoss: (x, of) => softTargetLoss(x, of(x), { temperature: 3 }),
    crossEntropy: (x, of) => crossEntropy(x, softmax(of(x))),
    binaryCrossEntropy: (x, of) => ops.binaryCrossEntropy(x, softmax(of(x))),
    mse: (x, of) => mse(x, of(x)),
    huber: (x, of) => ops.huber(x, of(x)),
  };
  const size = 30;
  const batch = filled([samples, 6, 5], 1);
  const cotangent = filled([samples, 10 * size], 4);
  const sample = (x: Tensor, i: number): number[] =>
    [...x.data].slice((i * x.size) / samples, ((i + 1) * x.size) / samples);

  it("17: is a matter of every op: of the table's rows, or of the uses below", () => {
    const rest = Object.entries(specs).filter(([, { rowAxes }]) => rowAxes === undefined);
    expect(rest.map(([name]) => name).sort()).toEqual(
      [...Object.keys(perSample), ...Object.keys(means), "embedding"].sort(),
    );
  });

  it.each(Object.entries(perSample))(
    "17: a sample in a batch ≡ the sample alone, forward and backward: %s",
    (_, use) => {
      const run = (values: readonly number[], count: number): { y: Tensor; dx: Tensor } => {
        const x = tensor(values, { shape: [count, 6, 5], requiresGrad: true });
        const y = use(x);
        const width = y.size / count;
        const seeds = count === samples ? [0, 1, 2, 3] : [alone];
        const dy = seeds.flatMap((i) => sample(cotangent, i).slice(0, width));
        y.backward(tensor(dy, { shape: [...y.shape] }));
        return { y, dx: x.grad! };
      };
      let alone = 0;
      const whole = run([...batch.data], samples);
      for (; alone < samples; alone++) {
        const own = run(sample(batch, alone), 1);
        expect([...own.y.data]).toEqual(sample(whole.y, alone));
        expect([...own.dx.data]).toEqual(sample(whole.dx, alone));
      }
    },
  );

  it("17: a sample in a batch ≡ the sample alone, forward and backward: embedding", () => {
    const [weight, indices] = [filled([7, 3], 5), [3, 0, 6, 3]];
    const looked = ops.embedding(tensor(indices), weight).data;
    for (const [i, index] of indices.entries()) {
      const own = ops.embedding(tensor([index]), weight).data;
      expect([...own]).toEqual([...looked.slice(3 * i, 3 * i + 3)]);
    }
  });

  it.each(Object.entries(means))(
    "17: a row's gradient of a mean over rows ≡ that of the row's own loss, over the number of rows: %s",
    (_, loss) => {
      const rows = filled([samples, size], 6);
      const other = filled([samples, size], 7);
      const whole = gradient(rows, (x) => loss(x, () => other));
      for (let i = 0; i < samples; i++) {
        const own = tensor(sample(rows, i), { shape: [1, size] });
        const alone = gradient(own, (x) => loss(x, () => tensor(sample(other, i), { shape: [1, size] })));
        expect(whole.slice(i * size, (i + 1) * size)).toEqual(alone.map((g) => g / samples));
      }
    },
  );
});

describe.each(sets)("the soft-target loss in %s", (_, kernels) => {
  const u = unitOf(kernels);
  const put = (x: Operand): Tensor => operandIn(kernels, x);
  const lossOf = (z: Operand, v: Operand, temperature: number): number =>
    softTargetLoss(put(z), put(v), { temperature }).item();
  const gradientOf = (z: Operand, v: Operand, temperature: number): number[] =>
    gradient(put(z), (x) => softTargetLoss(x, put(v), { temperature }));
  /** How far two computations of one loss may be apart. */
  const apart = (z: Operand, v: Operand, T: number, loss: number): number =>
    2 * lossError(z, v, T) + (2.001 * u + gamma(2 * z.shape[0] + 4)) * loss;

  it("18: is never negative, however near the student is to its teacher", () => {
    const near = fc
      .tuple(
        logits(),
        fc.constantFrom(1e-6, 1e-4, 1e-3, 1e-1),
        fc.integer({ min: 1, max: 1e6 }),
        temperatures,
      )
      .map(([v, noise, seed, t]) => {
        const random = new RandomStream(seed);
        return { v, z: { ...v, values: v.values.map((x) => x + noise * random.normal()) }, t };
      });
    fc.assert(
      fc.property(near, ({ z, v, t }) => {
        expect(lossOf(z, v, t)).toBeGreaterThanOrEqual(0);
      }),
      { ...runs, numRuns: 5 * runs.numRuns },
    );
  });

  it("19: ≡ +0 for equal logits, with a gradient ≡ 0", () => {
    fc.assert(
      fc.property(logits(), temperatures, (v, temperature) => {
        expect(Object.is(lossOf(v, v, temperature), 0)).toBe(true);
        expect(gradientOf(v, v, temperature).every((value) => Object.is(value, 0))).toBe(true);
      }),
      runs,
    );
  });

  it("20: is at least half the squared distance of the distributions (Pinsker)", () => {
    fc.assert(
      fc.property(logits(1), fc.integer({ min: 1, max: 1000 }), (v, seed) => {
        const random = new RandomStream(seed);
        const z = { ...v, values: v.values.map((x) => Math.fround(x + 3 * random.normal())) };
        const kl = lossOf(z, v, 1);
        const [p, q] = [z, v].map((x) => softmax(operandIn(float64, x)).data);
        const distance = absolute([...p].map((value, i) => value - q[i]));
        // The distance, at most 2, is off by the errors of p and q, each of which sums to 1.
        const slack =
          lossError(z, v, 1) +
          1.001 * u * kl +
          2.001 * (rowError(z.values) + rowError(v.values) + gamma(v.values.length + 4));
        expect(kl).toBeGreaterThanOrEqual(0.5 * distance ** 2 - slack);
      }),
      runs,
    );
  });

  it("21: is T² times cross-entropy less entropy, and T² times klDiv, of the softened distributions", () => {
    fc.assert(
      fc.property(pair({ min: -5, max: 5 }), fc.constantFrom(1, 4), ([z, v], t) => {
        const loss = lossOf(z, v, t);
        const [student, teacher] = [z, v].map((x) => scale(operandIn(float64, x), 1 / t));
        const q = softmax(teacher);
        const entropy = -total([...q.data].map((value) => value * Math.log(value))) / v.shape[0];
        const cross = crossEntropy(student, q).item();
        const terms = t * t * (cross + entropy);
        const bound = apart(z, v, t, loss) + gamma(4 * z.values.length + 8) * terms;
        expect(Math.abs(loss - t * t * (cross - entropy))).toBeLessThanOrEqual(bound);
        expect(Math.abs(loss - t * t * klDiv(logSoftmax(student), q).item())).toBeLessThanOrEqual(bound);
      }),
      runs,
    );
  });

  it("22: has the gradient T (p − q) / rows", () => {
    fc.assert(
      fc.property(pair(), fc.constantFrom(0.5, 1, 4, 16), ([z, v], t) => {
        const [rows, cols] = z.shape;
        const [p, q] = [z, v].map((x) => softmax(scale(operandIn(float64, x), 1 / t)).data);
        for (const [i, got] of gradientOf(z, v, t).entries()) {
          const want = (t * (p[i] - q[i])) / rows;
          const [ofZ, ofV] = [z, v].map((x) => rowError(rowsOf(x)[Math.floor(i / cols)], t));
          // p and q are off on both sides; a difference, a factor, a product and the store.
          const bound =
            (2 * t * (ofZ * p[i] + ofV * q[i])) / rows + (1.001 * u + 4 * w) * Math.abs(want) + 2 ** -149;
          expect(Math.abs(got - want)).toBeLessThanOrEqual(bound);
        }
      }),
      runs,
    );
  });

  /** The largest over the rows of two operands. */
  const worst = (
    z: Operand,
    v: Operand,
    of: (z: readonly number[], v: readonly number[], T: number) => number,
    T: number,
  ): number => Math.max(...rowsOf(z).map((row, r) => of(row, rowsOf(v)[r], T)));

  it("23: tends to half the mean square of centred logit differences as T grows, its gradient to their mean", () => {
    fc.assert(
      fc.property(pair({ min: -3, max: 3 }), fc.constantFrom(2 ** 10, 2 ** 15), ([z, v], t) => {
        const [r, c] = z.shape;
        const centred = minus(z, v).flatMap((row) => row.map((x) => x - total(row) / c));
        const limit = total(centred.map((x) => x * x)) / (2 * c * r);
        const loss = lossOf(z, v, t);
        const bound = worst(z, v, distanceFromLimit, t) + 1.001 * u * loss;
        expect(Math.abs(loss - limit)).toBeLessThanOrEqual(bound);
        const off = worst(z, v, gradientDistanceFromLimit, t) / r;
        for (const [i, g] of gradientOf(z, v, t).entries()) {
          const want = centred[i] / (r * c);
          expect(Math.abs(g - want)).toBeLessThanOrEqual(off + 1.001 * u * Math.abs(g) + gamma(c + 4));
        }
      }),
      runs,
    );
  });

  it("24: has gradients whose size does not depend on a large T: a missing T² would show as a factor of 4", () => {
    let tight = 0;
    fc.assert(
      fc.property(pair({ min: -3, max: 3 }), ([z, v]) => {
        const size = (t: number): number => Math.sqrt(total(gradientOf(z, v, t).map((g) => g * g)));
        const off = (t: number): number =>
          (worst(z, v, gradientDistanceFromLimit, t) / z.shape[0]) * Math.sqrt(z.values.length) + u * size(t);
        const [near, far] = [size(2000), size(4000)];
        const bound = off(2000) + off(4000);
        expect(Math.abs(far - near)).toBeLessThanOrEqual(bound);
        if (bound < 0.1 * near) tight++;
      }),
      runs,
    );
    expect(tight).toBeGreaterThan(runs.numRuns / 2);
  });

  it("28: ≡ when a constant is added exactly to a teacher's logits", () => {
    fc.assert(
      fc.property(pair({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 }), ([z, v], c) => {
        const eighths = { ...v, values: v.values.map((x) => Math.round(x * 8) / 8) };
        const moved = { ...v, values: eighths.values.map((x) => x + c) };
        expect(lossOf(z, moved, 4)).toBe(lossOf(z, eighths, 4));
        expect(gradientOf(z, moved, 4)).toEqual(gradientOf(z, eighths, 4));
      }),
      runs,
    );
  });

  it("29: follows a permutation of the classes on both sides", () => {
    const shuffled = pair(wide, 1).chain(([z, v]) =>
      fc.tuple(
        fc.constant([z, v] as const),
        fc.shuffledSubarray([...z.values.keys()], { minLength: z.values.length, maxLength: z.values.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([[z, v], order]) => {
        const permuted = (x: Operand): Operand => ({ ...x, values: order.map((i) => x.values[i]) });
        const there = lossOf(z, v, 2);
        expect(Math.abs(there - lossOf(permuted(z), permuted(v), 2))).toBeLessThanOrEqual(
          apart(z, v, 2, there),
        );
      }),
      runs,
    );
  });

  it("30: is a mean over rows, not divided by classes", () => {
    fc.assert(
      fc.property(pair({ min: -5, max: 5 }), ([z, v]) => {
        const twice = ({ shape: [r, c], values }: Operand): Operand => ({
          shape: [2 * r, c],
          values: [...values, ...values],
        });
        const once = lossOf(z, v, 4);
        // Sums of the same terms, all ≥ 0.
        const bound = (2.001 * u + gamma(4 * z.shape[0] + 4)) * once;
        expect(Math.abs(once - lossOf(twice(z), twice(v), 4))).toBeLessThanOrEqual(bound);
        const perRow = rowsOf(z).map((row, r) =>
          lossOf(
            { shape: [1, row.length], values: row },
            { shape: [1, row.length], values: rowsOf(v)[r] },
            4,
          ),
        );
        expect(Math.abs(once - total(perRow) / perRow.length)).toBeLessThanOrEqual(bound);
        // And a row's own is the sum over its classes.
        const [row, other] = [rowsOf(z)[0], rowsOf(v)[0]].map((values) =>
          softmax(scale(operandIn(float64, { shape: [1, values.length], values }), 1 / 4)),
        );
        const sum = 16 * total([...other.data].map((q, j) => q * Math.log(q / row.data[j])));
        expect(Math.abs(perRow[0] - sum)).toBeLessThanOrEqual(apart(z, v, 4, perRow[0]));
      }),
      runs,
    );
  });

  it("33: has a finite gradient wherever it is finite, for T from 0.01 to a million", () => {
    const extreme = { min: -1e4, max: 1e4 };
    fc.assert(
      fc.property(pair(extreme), temperatures, ([z, v], temperature) => {
        const [student, teacher] = [put(z), put(v)];
        student.requiresGrad = true;
        teacher.requiresGrad = true;
        const loss = softTargetLoss(student, teacher, { temperature });
        expect(Number.isFinite(loss.item())).toBe(true);
        loss.backward();
        expect([...student.grad!.data, ...teacher.grad!.data].every(Number.isFinite)).toBe(true);
      }),
      runs,
    );
  });

  it("takes logits of 1e36 at a temperature of 1e-3", () => {
    const [z, v] = [[[1e36, 0]], [[1e36, 1]]].map((rows) => tensor(rows, { kernels }));
    expect(softTargetLoss(z, v, { temperature: 1e-3 }).item()).toBe(0);
  });
});

describe.each(sets)("the engine in %s", (_, kernels) => {
  const u = unitOf(kernels);
  const put = (x: Operand): Tensor => operandIn(kernels, x);
  const inner = (a: Tensor, b: Tensor): number => total([...a.data].map((value, i) => value * b.data[i]));
  const size = (x: Tensor): Tensor => ops.abs(x);

  it("38: has adjoint pairs: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩", () => {
    fc.assert(
      fc.property(
        shape().chain((large) => thinned(large).chain((small) => fc.tuple(operand(small), operand(large)))),
        fc.tuple(operand([3, 4]), operand([4, 2]), operand([3, 2])),
        ([x, y], [a, b, c]) => {
          const [small, large] = [put(x), put(y)];
          // The same products on both sides, summed in another order and, on one side, stored in between.
          const terms = inner(broadcastTo(size(small), y.shape), size(large));
          const [left, right] = [
            inner(broadcastTo(small, y.shape), large),
            inner(small, sumTo(large, x.shape)),
          ];
          expect(Math.abs(left - right)).toBeLessThanOrEqual((u + gamma(2 * large.size + 2)) * terms);

          const [m, n, o] = [put(a), put(b), put(c)];
          // Each product rounds its inner sum, of 4 terms at the most, and the outer one has 12.
          const bound =
            (2 * roundings(4 + 1, u) + gamma(24)) * inner(matmul(size(m), size(n)), size(o)) * 1.001;
          const product = inner(matmul(m, n), o);
          expect(Math.abs(inner(m, matmul(o, transpose(n))) - product)).toBeLessThanOrEqual(bound);
          expect(Math.abs(inner(n, matmul(transpose(m), o)) - product)).toBeLessThanOrEqual(bound);
        },
      ),
      runs,
    );
  });

  it.each(Object.entries(specs))(
    "39: gives twice the gradients, to the last bit, for twice the cotangent: %s",
    (_, { samples }) => {
      fc.assert(
        fc.property(samples, fc.nat(1000), ({ operands, call }, seed) => {
          const gradients = [1, 2].map((factor) => {
            const random = new RandomStream(seed, "cotangent");
            const leaves = operands.map((x) =>
              tensor(x.data, { shape: [...x.shape], kernels, requiresGrad: true }),
            );
            const y = call(...leaves);
            const dy = Array.from({ length: y.size }, () => factor * Math.fround(2 * random.uniform() - 1));
            y.backward(tensor(dy, { shape: [...y.shape], kernels }));
            return leaves.map((leaf) => [...(leaf.grad?.data ?? [])]);
          });
          const [once, twice] = gradients;
          fc.pre(areNormal(once.flat()));
          expect(twice).toEqual(once.map((gradient) => gradient.map((g) => 2 * g)));
        }),
        { ...runs, numRuns: runs.numRuns / 5 },
      );
    },
  );

  it("41: adds the gradients of every use: x + x + x has 3, x · x has 2x", () => {
    const x = tensor([2, -3], { kernels });
    expect(gradient(x, (leaf) => sum(add(add(leaf, leaf), leaf)))).toEqual([3, 3]);
    expect(gradient(x, (leaf) => sum(mul(leaf, leaf)))).toEqual([4, -6]);
  });

  it("43: adds micro-batches up to the whole batch", () => {
    fc.assert(
      fc.property(operand([6, 3]), operand([2, 3]), (x, w) => {
        const whole = gradient(put(w), (weight) => scale(sum(tanh(linear(put(x), weight))), 1 / 6));
        const weight = put(w);
        weight.requiresGrad = true;
        for (let r = 0; r < 6; r += 2) {
          const part = put({ shape: [2, 3], values: x.values.slice(3 * r, 3 * r + 6) });
          scale(sum(tanh(linear(part, weight))), 1 / 6).backward();
        }
        // Σ over six rows of dy x, where |dy| ≤ 1/6: the same products, rounded, in sums of another order.
        for (const [i, g] of whole.entries()) {
          const terms = absolute(Array.from({ length: 6 }, (_, r) => x.values[3 * r + (i % 3)])) / 6;
          expect(Math.abs(weight.grad!.data[i] - g)).toBeLessThanOrEqual(2 * roundings(7, u) * terms);
        }
      }),
      runs,
    );
  });

  it("44: ≡ the gradient of the explicit expansion when operands broadcast", () => {
    fc.assert(
      fc.property(
        shape({ minRank: 1, minSize: 1 }).chain((large) =>
          thinned(large).chain((small) => fc.tuple(operand(large), operand(small))),
        ),
        ([a, b]) => {
          for (const op of [add, sub, mul]) {
            const implicit = gradient(put(b), (leaf) => sum(tanh(op(put(a), leaf))));
            const explicit = gradient(put(b), (leaf) => sum(tanh(op(put(a), broadcastTo(leaf, a.shape)))));
            expect(implicit).toEqual(explicit);
          }
        },
      ),
      runs,
    );
  });

  it("45: gives null, not zeros, behind noGrad and detach", () => {
    const x = tensor([1, 2], { requiresGrad: true, kernels });
    const y = tensor([3, 4], { requiresGrad: true, kernels });
    sum(
      add(
        mul(x.detach(), y),
        noGrad(() => mul(x, x)),
      ),
    ).backward();
    expect(x.grad).toBeNull();
    expect(y.grad?.toArray()).toEqual([1, 2]);
  });

  it("51: ≡ x with a dropout of 0, drawing nothing", () => {
    const random = new RandomStream(1);
    const before = random.state();
    const x = ones([3], { kernels });
    expect(dropout(x, { probability: 0, random })).toBe(x);
    expect(random.state()).toEqual(before);
  });

  it("keeps the mean of what dropout drops from", () => {
    // The mean of n draws of 0 or 2 has the deviation 1/√n; six of those are never left by a sound generator.
    const n = 1e5;
    const y = dropout(ones([n], { kernels }), { probability: 0.5, random: new RandomStream(5, "dropout") });
    expect(Math.abs(total(y.data) / n - 1)).toBeLessThan(6 / Math.sqrt(n));
  });
});

describe("a deep graph", () => {
  it("46: goes back through a million ops", () => {
    const x = tensor(1, { requiresGrad: true });
    let y = x;
    for (let i = 0; i < 1e6; i++) y = scale(y, 1);
    y.backward();
    expect(x.grad?.item()).toBe(1);
  });
});

describe.each(sets)("extreme values in %s", (_, kernels) => {
  const u = unitOf(kernels);
  const { NEGATIVE_INFINITY: least, POSITIVE_INFINITY: infinity, NaN: none } = Number;
  /** Rows of few classes are a matter of plain loops; these are long enough for SIMD, with a remainder of its lanes. */
  const long = 45;
  const row = (first: readonly number[], rest: number, cols: number): number[] => [
    ...first,
    ...new Array<number>(cols - first.length).fill(rest),
  ];

  it.each([2, long])("logits [1e4, 0, …] of %d classes are certain, in value and gradient", (cols) => {
    const z = tensor([row([1e4], 0, cols)], { kernels });
    const hot = (at: number): number[] => row([], 0, cols).map((_, j) => (j === at ? 1 : 0));
    expect(softmax(z).toArray()).toEqual([hot(0)]);
    expect(logSoftmax(z).toArray()).toEqual([row([0], -1e4, cols)]);
    expect(crossEntropy(z, [0]).item()).toBe(0);
    expect(crossEntropy(z, [1]).item()).toBe(1e4);
    expect(gradient(z, (x) => crossEntropy(x, [0]))).toEqual(row([], 0, cols));
    expect(gradient(z, (x) => crossEntropy(x, [1]))).toEqual(row([1, -1], 0, cols));
  });

  it.each([0, -0, 5e-324, 1e-38, 1, -7.25, 1e30, -3e38, 3.4028234663852886e38])(
    "logits that are all %d are uniform",
    (c) => {
      for (const cols of [1, 2, 3, 4, 7, 12, long]) {
        const z = tensor([row([], c, cols)], { kernels });
        // The powers are 1 each, and so is the sum of all but the first an exact number.
        const share = kernels.alloc(1).fill(1 / cols)[0];
        expect(softmax(z).toArray()).toEqual([row([], share, cols)]);
        const log = Math.log(cols);
        for (const value of [...logSoftmax(z).data, -crossEntropy(z, [cols - 1]).item()]) {
          expect(Math.abs(value + log)).toBeLessThanOrEqual((1.001 * u + 4 * w) * log);
        }
        const g = gradient(z, (x) => crossEntropy(x, [cols - 1]));
        // Each entry is stored once.
        expect(Math.abs(total(g))).toBeLessThanOrEqual((u + gamma(2 * cols)) * absolute(g));
        if (Number.isInteger(Math.log2(cols))) expect(total(g)).toBe(0);
      }
    },
  );

  it.each([2, long])(
    "a logit of −∞ among %d has no probability, and an infinite loss has a finite gradient",
    (cols) => {
      const z = tensor([row([least, 0], least, cols)], { kernels });
      expect(softmax(z).toArray()).toEqual([row([0, 1], 0, cols)]);
      expect(logSoftmax(z).toArray()).toEqual([row([least, 0], least, cols)]);
      expect(crossEntropy(z, [1]).item()).toBe(0);
      expect(crossEntropy(z, [0]).item()).toBe(infinity);
      expect(gradient(z, (x) => crossEntropy(x, [0]))).toEqual(row([-1, 1], 0, cols));
      const even = zeros([1, cols], { kernels });
      expect(softTargetLoss(z, z, { temperature: 4 }).item()).toBe(0);
      expect(softTargetLoss(z, even, { temperature: 1 }).item()).toBe(infinity);
      const log = Math.log(cols);
      const sure = softTargetLoss(even, z, { temperature: 1 }).item();
      // Σ q (log q − log p), of which one term is log cols and the others are 1/cols − 0.
      expect(Math.abs(sure - log)).toBeLessThanOrEqual((u + gamma(3 * cols + 8)) * (log + 2));
    },
  );

  it.each([3, long])(
    "NaN and +∞ spoil their own row of %d classes and no other bit, forward and backward",
    (cols) => {
      const random = new RandomStream(1);
      const [first, spoilt, last] = [0, 1, 2].map(() => Array.from({ length: cols }, () => random.normal()));
      for (const op of [softmax, logSoftmax]) {
        const run = (rows: readonly (readonly number[])[]): { y: Tensor; dx: Tensor } => {
          const x = tensor(rows.flat(), { shape: [rows.length, cols], kernels, requiresGrad: true });
          const y = op(x);
          y.backward(
            tensor(
              Array.from(y.data, (_, i) => (i % cols) - 1),
              { shape: [...y.shape], kernels },
            ),
          );
          return { y, dx: x.grad! };
        };
        const good = run([first, last]);
        for (const bad of [none, infinity]) {
          for (const at of [0, 1, cols - 1]) {
            const got = run([first, spoilt.map((x, j) => (j === at ? bad : x)), last]);
            for (const [of, clean] of [
              [got.y.data, good.y.data],
              [got.dx.data, good.dx.data],
            ]) {
              expect(of.slice(0, cols)).toEqual(clean.slice(0, cols));
              expect([...of.slice(cols, 2 * cols)]).toEqual(row([], none, cols));
              expect(of.slice(2 * cols)).toEqual(clean.slice(cols));
            }
          }
        }
      }
    },
  );

  it("one class is certain, with a loss of 0 and no gradient", () => {
    const z = tensor([[7]], { kernels });
    expect(softmax(z).toArray()).toEqual([[1]]);
    expect(logSoftmax(z).toArray()).toEqual([[0]]);
    expect(crossEntropy(z, [0]).item()).toBe(0);
    expect(gradient(z, (x) => crossEntropy(x, [0]))).toEqual([0]);
  });

  it("no rows give no rows, and a loss of no rows is an error; so are no classes", () => {
    const [noRows, noClasses] = [zeros([0, 3], { kernels }), zeros([2, 0], { kernels })];
    expect(softmax(noRows).shape).toEqual([0, 3]);
    expect(logSoftmax(noRows).shape).toEqual([0, 3]);
    expect(logSumExp(noRows).shape).toEqual([0]);
    for (const refused of [
      () => crossEntropy(noRows, []),
      () => softTargetLoss(noRows, noRows, { temperature: 1 }),
      () => softmax(noClasses),
      () => logSoftmax(noClasses),
      () => crossEntropy(noClasses, [0, 0]),
    ]) {
      expect(refused).toThrow(DistilgradError);
    }
  });

  it("T → 0 is one-hot, with a k-way tie 1/k, and no gradient is left; T → ∞ is uniform", () => {
    const [z, v] = [[[2, 5, 5, 1]], [[0, 1, 5, 2]]].map((rows) => tensor(rows, { kernels }));
    expect(softmax(scale(z, 1e6)).toArray()).toEqual([[0, 0.5, 0.5, 0]]);
    // Of T (p − q) only T is left.
    const temperature = 2 ** -10;
    const half = temperature / 2;
    expect(gradient(z, (x) => softTargetLoss(x, v, { temperature }))).toEqual([0, half, -half, 0]);
    // With logits within 5e-9, e^x is within 5.1e-9 of 1.
    for (const p of softmax(scale(z, 1e-9)).data) expect(Math.abs(p - 0.25)).toBeLessThan(3e-9);
    // The limit: the difference of centred logits [-1.25, 1.75, 1.75, −2.25] and [−2, −1, 3, 0] over 4.
    const g = gradient(z, (x) => softTargetLoss(x, v, { temperature: 2 ** 26 }));
    for (const [i, want] of [0.75, 2.75, -1.25, -2.25].entries()) {
      // η ≤ 1.1 · 5 · 2⁻²⁶ in law 23, and T times the rounding of p and q.
      const bound = (3 * 5.5 * 2 ** -26 * 5) / 4 + 2 ** 26 * 4 * rowError([0, 0, 0, 0]) + u * Math.abs(want);
      expect(Math.abs(g[i] - want / 4)).toBeLessThanOrEqual(bound);
    }
  });

  it("keeps the digits of a loss that is nearly 0", () => {
    // log(1 + e⁻⁴⁰) = e⁻⁴⁰ (1 − e⁻⁴⁰/2 + …): lost entirely if the maximum's 1 were in the sum.
    const loss = crossEntropy(tensor([[40, 0]], { kernels }), [0]).item();
    expect(Math.abs(loss / Math.exp(-40) - 1)).toBeLessThanOrEqual(u + 6 * w);
  });

  it("has ReLU's derivative 0 at 0 and at −0, and lets NaN through", () => {
    for (const size of [4, long]) {
      const x = tensor(row([0, -0, 1, none], -1, size), { kernels });
      expect(gradient(x, (leaf) => sum(relu(leaf)))).toEqual(row([0, 0, 1, 1], 0, size));
      expect([...relu(x).data]).toEqual(row([0, 0, 1, none], 0, size));
    }
  });

  it("mean squared error of equal tensors is 0, with a gradient of 0", () => {
    const x = tensor([1, 2], { kernels });
    expect(mse(x, x).item()).toBe(0);
    expect(gradient(x, (leaf) => mse(leaf, x))).toEqual([0, 0]);
  });
});
