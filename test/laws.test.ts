/** What holds for every input, whatever the numbers: laws of softmax, of losses, of the engine. ≡ means the same bits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneHot, ones, tensor } from "../src/factories.ts";
import { noGrad } from "../src/graph.ts";
import { float32 } from "../src/kernels/float32.ts";
import { float64 } from "../src/kernels/float64.ts";
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
import { sizeOf } from "../src/shape.ts";
import { Tensor } from "../src/tensor.ts";
import { in64, type Operand, operand, operandIn, shape, thinned } from "./support/arbitraries.ts";

const runs = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 100 : 5000 };
const u = 2 ** -24;

const in32 = (x: Operand): Tensor => operandIn(float32, x);
const wide = { min: -20, max: 20 };
const logits = (rows = 4, minClasses = 1, range = wide): fc.Arbitrary<Operand> =>
  fc
    .tuple(fc.integer({ min: 1, max: rows }), fc.integer({ min: minClasses, max: 12 }))
    .chain(([r, c]) => operand([r, c], range));
const pair = (range = wide): fc.Arbitrary<readonly [Operand, Operand]> =>
  logits(4, 1, range).chain((z) => fc.tuple(fc.constant(z), operand(z.shape, range)));
const temperatures = fc.constantFrom(0.01, 0.5, 1, 2, 4, 20, 1000, 1e6);

const rowsOf = (x: Tensor): number[][] => {
  const cols = x.shape[x.shape.length - 1];
  return Array.from({ length: x.size / cols }, (_, r) => [...x.data.slice(r * cols, (r + 1) * cols)]);
};
const total = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

/** The gradient of a scalar function at x. */
function gradient(x: Tensor, loss: (x: Tensor) => Tensor): number[] {
  const leaf = new Tensor(x.data.slice(), x.shape, x.kernels);
  leaf.requiresGrad = true;
  loss(leaf).backward();
  return [...(leaf.grad?.data ?? [])];
}

describe("softmax", () => {
  it("1, 2: sums to 1 within its roundings, with every probability in [0, 1]", () => {
    fc.assert(
      fc.property(logits(), (x) => {
        for (const row of rowsOf(softmax(in32(x)))) {
          // Each entry is rounded once from float64: the sum of roundings is at most u Σ p.
          expect(Math.abs(total(row) - 1)).toBeLessThanOrEqual(u * (1 + 1e-6));
          for (const p of row) expect(p >= 0 && p <= 1).toBe(true);
        }
      }),
      runs,
    );
  });

  it("3: is the same when a constant is added exactly", () => {
    fc.assert(
      fc.property(logits(), fc.integer({ min: -8, max: 8 }), ({ shape, values }, c) => {
        const halves = values.map((v) => Math.round(v * 2) / 2);
        const moved = halves.map((v) => v + c);
        expect(softmax(in32({ shape, values: moved })).data).toEqual(
          softmax(in32({ shape, values: halves })).data,
        );
      }),
      runs,
    );
  });

  it("4: follows a permutation of the classes", () => {
    fc.assert(
      fc.property(logits(1), ({ shape, values }) => {
        const reversed = softmax(in64({ shape, values: [...values].reverse() })).data;
        const straight = softmax(in64({ shape, values })).data;
        // The sum is taken in another order: a rounding for each term.
        for (const [i, p] of [...straight].reverse().entries())
          expect(Math.abs(reversed[i] - p)).toBeLessThan(1e-14 * p + 1e-300);
      }),
      runs,
    );
  });

  it("5: keeps the order of the logits", () => {
    fc.assert(
      fc.property(logits(1), (x) => {
        const p = softmax(in64(x)).data;
        for (let i = 0; i < p.length; i++) {
          for (let j = 0; j < p.length; j++)
            if (x.values[i] <= x.values[j]) expect(p[i]).toBeLessThanOrEqual(p[j]);
        }
      }),
      runs,
    );
  });

  it("6: is the exponential of logSoftmax", () => {
    fc.assert(
      fc.property(logits(), (x) => {
        const [p, q] = [softmax(in64(x)).data, exp(logSoftmax(in64(x))).data];
        // exp turns the absolute error of a logarithm of size up to 42, 42 · 2⁻⁵³, into a relative one.
        for (const [i, value] of p.entries())
          expect(Math.abs(q[i] - value)).toBeLessThanOrEqual(2e-14 * value);
      }),
      runs,
    );
  });

  it("8: of two classes is the sigmoid of their difference", () => {
    fc.assert(
      fc.property(operand([1, 2], wide), (x) => {
        const p = softmax(in64(x)).data[0];
        const s = sigmoid(tensor([x.values[0] - x.values[1]], { kernels: float64 })).data[0];
        expect(Math.abs(p - s)).toBeLessThanOrEqual(1e-15 * 4 * p);
      }),
      runs,
    );
  });

  it("9: at a temperature that is a power of two is exact to scale", () => {
    fc.assert(
      fc.property(logits(), fc.constantFrom(0.5, 2, 4), ({ shape, values }, t) => {
        const scaled = softmax(scale(in32({ shape, values }), 1 / t)).data;
        expect(softmax(in32({ shape, values: values.map((v) => v / t) })).data).toEqual(scaled);
      }),
      runs,
    );
  });

  it("10: has an entropy that grows with the temperature", () => {
    fc.assert(
      fc.property(logits(1), (x) => {
        const entropy = (t: number): number =>
          total([...softmax(scale(in64(x), 1 / t)).data].map((p) => (p === 0 ? 0 : -p * Math.log(p))));
        for (const t of [0.5, 1, 2, 4, 8]) expect(entropy(2 * t)).toBeGreaterThanOrEqual(entropy(t) - 1e-13);
      }),
      runs,
    );
  });

  it("11: has a gradient that sums to 0 in every row", () => {
    fc.assert(
      fc.property(pair(), ([x, w]) => {
        const g = gradient(in64(x), (leaf) => sum(mul(softmax(leaf), in64(w))));
        const cols = x.shape[1];
        for (let r = 0; r < x.shape[0]; r++) {
          expect(Math.abs(total(g.slice(r * cols, (r + 1) * cols)))).toBeLessThanOrEqual(20 * 12 * 2 ** -52);
        }
      }),
      runs,
    );
  });
});

describe("logSumExp", () => {
  it("7: lies between the maximum and the maximum plus the logarithm of the number of classes", () => {
    fc.assert(
      fc.property(logits(1), (x) => {
        const max = Math.max(...x.values);
        const lse = logSumExp(in64(x)).data[0];
        expect(lse).toBeGreaterThanOrEqual(max);
        expect(lse).toBeLessThanOrEqual(max + Math.log(x.values.length) + 1e-14 * (1 + Math.abs(max)));
      }),
      runs,
    );
  });
});

describe("cross-entropy", () => {
  const labelled = logits().chain((x) =>
    fc.tuple(
      fc.constant(x),
      fc.array(fc.integer({ min: 0, max: x.shape[1] - 1 }), { minLength: x.shape[0], maxLength: x.shape[0] }),
    ),
  );

  it("12: is logSumExp less the label's logit, and never negative", () => {
    fc.assert(
      fc.property(labelled, ([x, labels]) => {
        const loss = crossEntropy(in64(x), labels).item();
        const lse = logSumExp(in64(x)).data;
        const mean = total(labels.map((y, r) => lse[r] - x.values[r * x.shape[1] + y])) / labels.length;
        expect(loss).toBeGreaterThanOrEqual(0);
        expect(Math.abs(loss - mean)).toBeLessThanOrEqual(1e-13);
      }),
      runs,
    );
  });

  it("13: has the gradient (softmax − onehot) / rows", () => {
    fc.assert(
      fc.property(labelled, ([x, labels]) => {
        const g = gradient(in64(x), (z) => crossEntropy(z, labels));
        const expected = scale(
          sub(softmax(in64(x)), oneHot(labels, x.shape[1], { kernels: float64 })),
          1 / labels.length,
        ).data;
        for (const [i, value] of expected.entries())
          expect(Math.abs(g[i] - value)).toBeLessThanOrEqual(1e-14);
      }),
      runs,
    );
  });

  it("14, 15: ≡ with one-hot targets, ≡ with a smoothing of 0", () => {
    fc.assert(
      fc.property(labelled, ([x, labels]) => {
        const hot = oneHot(labels, x.shape[1]);
        expect(crossEntropy(in32(x), hot).item()).toBe(crossEntropy(in32(x), labels).item());
        expect(gradient(in32(x), (z) => crossEntropy(z, hot))).toEqual(
          gradient(in32(x), (z) => crossEntropy(z, labels)),
        );
        expect(crossEntropy(in32(x), labels, { labelSmoothing: 0 }).item()).toBe(
          crossEntropy(in32(x), labels).item(),
        );
      }),
      runs,
    );
  });

  it("16: is the weighted mean over parts of the rows", () => {
    fc.assert(
      fc.property(labelled, ([x, labels]) => {
        const cols = x.shape[1];
        const parts = labels.map((label, r) =>
          crossEntropy(in64({ shape: [1, cols], values: x.values.slice(r * cols, (r + 1) * cols) }), [
            label,
          ]).item(),
        );
        expect(
          Math.abs(crossEntropy(in64(x), labels).item() - total(parts) / parts.length),
        ).toBeLessThanOrEqual(1e-13);
      }),
      runs,
    );
  });

  it("leaves out ignored rows, and is 0 when all are", () => {
    const z = tensor([
      [1, 2],
      [3, 4],
      [5, 9],
    ]);
    expect(crossEntropy(z, [0, -1, 1], { ignoredLabel: -1 }).item()).toBe(
      crossEntropy(
        tensor([
          [1, 2],
          [5, 9],
        ]),
        [0, 1],
      ).item(),
    );
    expect(crossEntropy(z, [-1, -1, -1], { ignoredLabel: -1 }).item()).toBe(0);
    expect(gradient(z, (x) => crossEntropy(x, [-1, -1, -1], { ignoredLabel: -1 }))).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    const g = gradient(z, (x) => crossEntropy(x, [0, -1, 1], { ignoredLabel: -1 }));
    expect(g.slice(2, 4)).toEqual([0, 0]);
  });
});

describe("the soft-target loss", () => {
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
        return { v, z: { shape: v.shape, values: v.values.map((x) => x + noise * random.normal()) }, t };
      });
    fc.assert(
      fc.property(near, ({ z, v, t }) => {
        for (const put of [in32, in64]) {
          expect(softTargetLoss(put(z), put(v), { temperature: t }).item()).toBeGreaterThanOrEqual(0);
        }
      }),
      { ...runs, numRuns: 5 * runs.numRuns },
    );
  });

  it("19: ≡ +0 for equal logits, with a gradient ≡ 0", () => {
    fc.assert(
      fc.property(logits(), temperatures, (v, temperature) => {
        const loss = softTargetLoss(in32(v), in32(v), { temperature });
        expect(Object.is(loss.item(), 0)).toBe(true);
        const g = gradient(in32(v), (z) => softTargetLoss(z, in32(v), { temperature }));
        expect(g.every((value) => Object.is(value, 0))).toBe(true);
      }),
      runs,
    );
  });

  it("20: is at least half the squared distance of the distributions (Pinsker)", () => {
    fc.assert(
      fc.property(logits(1), fc.integer({ min: 1, max: 1000 }), (v, seed) => {
        const random = new RandomStream(seed);
        const z = { shape: v.shape, values: v.values.map((x) => x + 3 * random.normal()) };
        const kl = softTargetLoss(in64(z), in64(v), { temperature: 1 }).item();
        const [p, q] = [softmax(in64(z)).data, softmax(in64(v)).data];
        const distance = total([...p].map((value, i) => Math.abs(value - q[i])));
        expect(kl).toBeGreaterThanOrEqual(0.5 * distance ** 2 - 1e-14);
      }),
      runs,
    );
  });

  it("21: is cross-entropy less entropy, and T² times klDiv of the softened distributions", () => {
    fc.assert(
      fc.property(pair({ min: -5, max: 5 }), fc.constantFrom(1, 4), ([z, v], t) => {
        const loss = softTargetLoss(in64(z), in64(v), { temperature: t }).item();
        const q = softmax(scale(in64(v), 1 / t));
        const student = scale(in64(z), 1 / t);
        const entropy = -total([...q.data].map((value) => value * Math.log(value))) / v.shape[0];
        expect(Math.abs(loss - t * t * (crossEntropy(student, q).item() - entropy))).toBeLessThanOrEqual(
          1e-12,
        );
        expect(Math.abs(loss - t * t * klDiv(logSoftmax(student), q).item())).toBeLessThanOrEqual(1e-12);
      }),
      runs,
    );
  });

  it("22: has the gradient T (p − q) / rows", () => {
    fc.assert(
      fc.property(pair(), fc.constantFrom(0.5, 1, 4, 20), ([z, v], t) => {
        const g = gradient(in64(z), (x) => softTargetLoss(x, in64(v), { temperature: t }));
        const [p, q] = [softmax(scale(in64(z), 1 / t)).data, softmax(scale(in64(v), 1 / t)).data];
        for (const [i, value] of g.entries()) {
          expect(Math.abs(value - (t * (p[i] - q[i])) / z.shape[0])).toBeLessThanOrEqual(2e-13 * t);
        }
      }),
      runs,
    );
  });

  it("23: tends to half the squared distance of centred logits over classes, and its gradient likewise", () => {
    fc.assert(
      fc.property(pair({ min: -3, max: 3 }), ([z, v]) => {
        const [r, c] = z.shape;
        const centred = rowsOf(sub(in64(z), in64(v))).map((row) => row.map((x) => x - total(row) / c));
        const limit = total(centred.flat().map((x) => x * x)) / (2 * c * r);
        // The next term of the expansion is of the order (max difference)³ / T.
        const t = 1e5;
        const loss = softTargetLoss(in64(z), in64(v), { temperature: t }).item();
        expect(Math.abs(loss - limit)).toBeLessThanOrEqual(1000 / t);
        const g = gradient(in64(z), (x) => softTargetLoss(x, in64(v), { temperature: t }));
        for (const [i, value] of centred.flat().entries())
          expect(Math.abs(g[i] - value / (r * c))).toBeLessThanOrEqual(1000 / t);
      }),
      runs,
    );
  });

  it("24: has gradients whose size does not depend on a large T: T² is there", () => {
    const random = new RandomStream(3);
    const [z, v] = [0, 1].map(() =>
      tensor(
        Float64Array.from({ length: 40 }, () => random.normal()),
        { shape: [4, 10], kernels: float64 },
      ),
    );
    const size = (t: number): number =>
      Math.sqrt(total(gradient(z, (x) => softTargetLoss(x, v, { temperature: t })).map((g) => g * g)));
    expect(size(200) / size(100)).toBeCloseTo(1, 1);
    expect(size(4000) / size(2000)).toBeCloseTo(1, 3);
  });

  it("28: does not notice a constant added to a teacher's logits", () => {
    fc.assert(
      fc.property(pair({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 }), ([z, v], c) => {
        const eighths = v.values.map((x) => Math.round(x * 8) / 8);
        const [there, moved] = [eighths, eighths.map((x) => x + c)].map((values) =>
          softTargetLoss(in32(z), in32({ shape: v.shape, values }), { temperature: 4 }).item(),
        );
        expect(moved).toBe(there);
      }),
      runs,
    );
  });

  it("29: follows a permutation of the classes on both sides", () => {
    fc.assert(
      fc.property(logits(1), (v) => {
        const z = { shape: v.shape, values: v.values.map((x, i) => x + Math.sin(i)) };
        const flip = ({ shape, values }: Operand): Operand => ({ shape, values: [...values].reverse() });
        const there = softTargetLoss(in64(z), in64(v), { temperature: 2 }).item();
        const back = softTargetLoss(in64(flip(z)), in64(flip(v)), { temperature: 2 }).item();
        expect(Math.abs(there - back)).toBeLessThanOrEqual(1e-13 * (1 + there));
      }),
      runs,
    );
  });

  it("30: is a mean over rows: repeating all rows changes nothing, and classes do not divide it", () => {
    fc.assert(
      fc.property(pair({ min: -5, max: 5 }), ([z, v]) => {
        const twice = ({ shape: [r, c], values }: Operand): Operand => ({
          shape: [2 * r, c],
          values: [...values, ...values],
        });
        const once = softTargetLoss(in64(z), in64(v), { temperature: 4 }).item();
        const doubled = softTargetLoss(in64(twice(z)), in64(twice(v)), { temperature: 4 }).item();
        expect(Math.abs(once - doubled)).toBeLessThanOrEqual(1e-13 * (1 + once));
        const perRow = rowsOf(in64(z)).map((row, r) =>
          softTargetLoss(
            tensor([row], { kernels: float64 }),
            tensor([rowsOf(in64(v))[r]], { kernels: float64 }),
            { temperature: 4 },
          ).item(),
        );
        expect(Math.abs(once - total(perRow) / perRow.length)).toBeLessThanOrEqual(1e-13 * (1 + once));
      }),
      runs,
    );
  });

  it("33: has a finite gradient wherever it is finite, for T from 0.01 to a million", () => {
    const extreme = { min: -1e4, max: 1e4 };
    fc.assert(
      fc.property(pair(extreme), temperatures, ([z, v], temperature) => {
        const [student, teacher] = [in32(z), in32(v)];
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
    const loss = softTargetLoss(tensor([[1e36, 0]]), tensor([[1e36, 1]]), { temperature: 1e-3 });
    expect(loss.item()).toBe(0);
  });
});

describe("the engine", () => {
  it("38: has adjoint pairs: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩", () => {
    const inner = (a: Tensor, b: Tensor): number => total([...a.data].map((value, i) => value * b.data[i]));
    fc.assert(
      fc.property(
        shape().chain((large) => thinned(large).chain((small) => fc.tuple(operand(small), operand(large)))),
        fc.tuple(operand([3, 4]), operand([4, 2]), operand([3, 2])),
        ([x, y], [a, b, c]) => {
          const [small, large] = [in64(x), in64(y)];
          const [left, right] = [
            inner(broadcastTo(small, y.shape), large),
            inner(small, sumTo(large, x.shape)),
          ];
          expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-12 * (1 + sizeOf(y.shape)));
          const product = inner(matmul(in64(a), in64(b)), in64(c));
          expect(inner(in64(a), matmul(in64(c), transpose(in64(b))))).toBeCloseTo(product, 11);
          expect(inner(in64(b), matmul(transpose(in64(a)), in64(c)))).toBeCloseTo(product, 11);
        },
      ),
      runs,
    );
  });

  it("40: obeys the chain rule on random graphs with shared nodes, as the tree without sharing does", () => {
    // A program is a list of steps, each reading two earlier values. Expanded as a tree, every read recomputes.
    const program = fc.array(fc.tuple(fc.nat(3), fc.nat(1000), fc.nat(1000)), {
      minLength: 1,
      maxLength: 10,
    });
    const apply = (kind: number, a: Tensor, b: Tensor): Tensor =>
      [() => add(a, b), () => mul(tanh(a), b), () => sub(a, sigmoid(b)), () => mul(a, scale(b, 0.5))][kind]();
    fc.assert(
      fc.property(program, operand([3]), operand([3]), (steps, p, q) => {
        const shared = [in64(p), in64(q)];
        const leaves = [...shared];
        for (const leaf of leaves) leaf.requiresGrad = true;
        for (const [kind, a, b] of steps)
          shared.push(apply(kind, shared[a % shared.length], shared[b % shared.length]));
        sum(shared[shared.length - 1]).backward();

        const copies: [Tensor[], Tensor[]] = [[], []];
        const tree = (i: number): Tensor => {
          if (i < 2) {
            const copy = in64(i === 0 ? p : q);
            copy.requiresGrad = true;
            copies[i].push(copy);
            return copy;
          }
          const [kind, a, b] = steps[i - 2];
          return apply(kind, tree(a % i), tree(b % i));
        };
        sum(tree(steps.length + 1)).backward();
        for (const [i, leaf] of leaves.entries()) {
          const got = [...(leaf.grad?.data ?? [0, 0, 0])];
          for (let j = 0; j < 3; j++) {
            const parts = copies[i].map((copy) => copy.grad?.data[j] ?? 0);
            const size = total(parts.map(Math.abs));
            expect(Math.abs(got[j] - total(parts))).toBeLessThanOrEqual(1e-12 * (1 + size));
          }
        }
      }),
      runs,
    );
  });

  it("41: adds the gradients of every use: x + x + x has 3, x · x has 2x", () => {
    const x = tensor([2, -3]);
    expect(gradient(x, (leaf) => sum(add(add(leaf, leaf), leaf)))).toEqual([3, 3]);
    expect(gradient(x, (leaf) => sum(mul(leaf, leaf)))).toEqual([4, -6]);
  });

  it("42: is not changed by a branch that nobody uses", () => {
    const x = tensor([2, -3]);
    const plain = gradient(x, (leaf) => sum(mul(leaf, leaf)));
    expect(
      gradient(x, (leaf) => {
        relu(exp(leaf));
        return sum(mul(leaf, leaf));
      }),
    ).toEqual(plain);
  });

  it("43: adds micro-batches up to the whole batch", () => {
    fc.assert(
      fc.property(operand([6, 3]), operand([2, 3]), (x, w) => {
        const whole = gradient(in64(w), (weight) => scale(sum(tanh(linear(in64(x), weight))), 1 / 6));
        const weight = in64(w);
        weight.requiresGrad = true;
        for (let r = 0; r < 6; r += 2) {
          const part = in64({ shape: [2, 3], values: x.values.slice(3 * r, 3 * r + 6) });
          scale(sum(tanh(linear(part, weight))), 1 / 6).backward();
        }
        for (const [i, g] of whole.entries())
          expect(Math.abs(weight.grad!.data[i] - g)).toBeLessThanOrEqual(1e-14 * 20);
      }),
      runs,
    );
  });

  it("44: has the gradient of the explicit expansion when operands broadcast", () => {
    fc.assert(
      fc.property(
        shape({ minRank: 1, minSize: 1 }).chain((large) =>
          thinned(large).chain((small) => fc.tuple(operand(large), operand(small))),
        ),
        ([a, b]) => {
          const implicit = gradient(in64(b), (leaf) => sum(mul(in64(a), leaf)));
          const explicit = gradient(in64(b), (leaf) => sum(mul(in64(a), broadcastTo(leaf, a.shape))));
          expect(implicit).toEqual(explicit);
        },
      ),
      runs,
    );
  });

  it("45: gives null, not zeros, behind noGrad and detach", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = tensor([3, 4], { requiresGrad: true });
    sum(
      add(
        mul(x.detach(), y),
        noGrad(() => mul(x, x)),
      ),
    ).backward();
    expect(x.grad).toBeNull();
    expect(y.grad?.toArray()).toEqual([1, 2]);
  });

  it("46: goes back through a million ops", () => {
    const x = tensor(1, { requiresGrad: true });
    let y = x;
    for (let i = 0; i < 1e6; i++) y = scale(y, 1);
    y.backward();
    expect(x.grad?.item()).toBe(1);
  });

  it("51: leaves x as it is with a dropout of 0, drawing nothing", () => {
    const random = new RandomStream(1);
    const before = random.state();
    const x = ones([3]);
    expect(dropout(x, { probability: 0, random })).toBe(x);
    expect(random.state()).toEqual(before);
  });

  it("keeps the mean of what dropout drops from", () => {
    // The mean of n draws of 0 or 2 has the deviation 1/√n; six of those are never left by a sound generator.
    const n = 1e5;
    const y = dropout(ones([n]), { probability: 0.5, random: new RandomStream(5, "dropout") });
    expect(Math.abs(total(y.data) / n - 1)).toBeLessThan(6 / Math.sqrt(n));
  });
});

describe("extreme values", () => {
  const sets = [
    ["float32", float32],
    ["float64", float64],
  ] as const;

  it.each(sets)("in %s: logits [1e4, 0] are certain, in value and gradient", (_, kernels) => {
    const z = tensor([[1e4, 0]], { kernels });
    expect(softmax(z).toArray()).toEqual([[1, 0]]);
    expect(logSoftmax(z).toArray()).toEqual([[0, -1e4]]);
    expect(crossEntropy(z, [0]).item()).toBe(0);
    expect(crossEntropy(z, [1]).item()).toBe(1e4);
    expect(gradient(z, (x) => crossEntropy(x, [0]))).toEqual([0, 0]);
    expect(gradient(z, (x) => crossEntropy(x, [1]))).toEqual([1, -1]);
  });

  it.each(sets)("in %s: equal logits of any finite size are uniform", (_, kernels) => {
    for (const c of [0, -0, 1e-38, 1, -7.25, 1e30, -3e38]) {
      const z = tensor([[c, c, c, c]], { kernels });
      expect(softmax(z).toArray()).toEqual([[0.25, 0.25, 0.25, 0.25]]);
      expect(logSoftmax(z).data[0]).toBeCloseTo(-Math.log(4), kernels === float32 ? 6 : 15);
      expect(crossEntropy(z, [2]).item()).toBeCloseTo(Math.log(4), kernels === float32 ? 6 : 15);
      expect(total(gradient(z, (x) => crossEntropy(x, [2])))).toBe(0);
    }
  });

  it.each(sets)(
    "in %s: a logit of −∞ has no probability, and an infinite loss has a finite gradient",
    (_, kernels) => {
      const z = tensor([[Number.NEGATIVE_INFINITY, 0]], { kernels });
      expect(softmax(z).toArray()).toEqual([[0, 1]]);
      expect(logSoftmax(z).toArray()).toEqual([[Number.NEGATIVE_INFINITY, 0]]);
      expect(crossEntropy(z, [1]).item()).toBe(0);
      expect(crossEntropy(z, [0]).item()).toBe(Number.POSITIVE_INFINITY);
      expect(gradient(z, (x) => crossEntropy(x, [0]))).toEqual([-1, 1]);
      const loss = softTargetLoss(z, z, { temperature: 4 });
      expect(loss.item()).toBe(0);
      expect(softTargetLoss(z, tensor([[0, 0]], { kernels }), { temperature: 1 }).item()).toBe(
        Number.POSITIVE_INFINITY,
      );
      expect(softTargetLoss(tensor([[0, 0]], { kernels }), z, { temperature: 1 }).item()).toBeCloseTo(
        Math.log(2),
        6,
      );
    },
  );

  it.each(sets)("in %s: NaN and +∞ spoil their own row and no other bit", (_, kernels) => {
    const clean = [
      [1, 2, 3],
      [0.5, -4, 2],
    ];
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const op of [softmax, logSoftmax]) {
        const good = op(tensor(clean, { kernels })).data;
        for (const at of [0, 1, 2]) {
          const spoilt = [1, 2, 3];
          spoilt[at] = bad;
          const y = op(tensor([clean[0], spoilt, clean[1]], { kernels })).data;
          expect(y.slice(0, 3)).toEqual(good.slice(0, 3));
          expect([...y.slice(3, 6)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
          expect(y.slice(6)).toEqual(good.slice(3));
        }
      }
    }
  });

  it.each(sets)("in %s: one class is certain, with a loss of 0 and no gradient", (_, kernels) => {
    const z = tensor([[7]], { kernels });
    expect(softmax(z).toArray()).toEqual([[1]]);
    expect(logSoftmax(z).toArray()).toEqual([[0]]);
    expect(crossEntropy(z, [0]).item()).toBe(0);
    expect(gradient(z, (x) => crossEntropy(x, [0]))).toEqual([0]);
  });

  it.each(sets)("in %s: no rows give no rows", (_, kernels) => {
    const z = tensor(new Float32Array(0), { shape: [0, 3], kernels });
    expect(softmax(z).shape).toEqual([0, 3]);
    expect(logSoftmax(z).shape).toEqual([0, 3]);
    expect(logSumExp(z).shape).toEqual([0]);
  });

  it("T → 0 is one-hot, with a k-way tie 1/k; T → ∞ is uniform", () => {
    const z = tensor([[2, 5, 5, 1]], { kernels: float64 });
    expect(softmax(scale(z, 1e6)).toArray()).toEqual([[0, 0.5, 0.5, 0]]);
    for (const p of softmax(scale(z, 1e-9)).data) expect(p).toBeCloseTo(0.25, 8);
  });

  it("keeps the digits of a loss that is nearly 0", () => {
    // log(1 + e⁻⁴⁰) = e⁻⁴⁰ (1 − …): lost entirely if the maximum's 1 were in the sum.
    const loss = crossEntropy(tensor([[40, 0]], { kernels: float64 }), [0]).item();
    expect(Math.abs(loss / Math.exp(-40) - 1)).toBeLessThan(1e-15);
  });

  it("has ReLU's derivative 0 at 0 and at −0, and lets NaN through", () => {
    const x = tensor([0, -0, 1, Number.NaN]);
    expect(gradient(x, (leaf) => sum(relu(leaf)))).toEqual([0, 0, 1, 1]);
    expect([...relu(x).data]).toEqual([0, 0, 1, Number.NaN]);
  });

  it("mean squared error of equal tensors is 0, with a gradient of 0", () => {
    const x = tensor([1, 2]);
    expect(mse(x, x).item()).toBe(0);
    expect(gradient(x, (leaf) => mse(leaf, x))).toEqual([0, 0]);
  });
});
