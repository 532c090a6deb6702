/**
 * Where kernels round and in which order they add: the contract of classes d, c and a, as textbook loops and as sums
 * whose result tells the order. The numbers are chosen so that one rounding or one swap more or less shows.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { AdamStep, Floats, Kernels, SgdStep } from "../../src/kernels/kernels.ts";
import { exp, log1p } from "../../src/math.ts";
import { broadcastTo, mean, sum, sumTo, transpose } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";

const round = Math.fround;
const runs = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 100 : 5000 };

/** Normal values have random digits to the last of their 24 bits, and are never 0. */
const normals = (size: number, random: RandomStream, scale = 1): Float32Array =>
  Float32Array.from({ length: size }, () => scale * random.normal());
const squares = (size: number, random: RandomStream): Float32Array =>
  normals(size, random).map((x) => Math.abs(x));

/** Class d for SGD, one line of the formula a line, decay always applied. */
function sgdByContract(w: Float32Array, g: Float32Array, v: Float32Array | null, settings: SgdStep): void {
  const [rate, momentum, decay] = [settings.rate, settings.momentum, settings.decay].map(round);
  for (let i = 0; i < w.length; i++) {
    const decayed = round(decay * w[i]);
    const slope = round(g[i] + decayed);
    let step = slope;
    if (v !== null) {
      const kept = round(momentum * v[i]);
      v[i] = round(kept + slope);
      const ahead = round(momentum * v[i]);
      step = settings.nesterov ? round(slope + ahead) : v[i];
    }
    const change = round(rate * step);
    w[i] = round(w[i] - change);
  }
}

/** Class d for Adam. 1 − β is taken before it is rounded. */
function adamByContract(
  w: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  settings: AdamStep,
): void {
  const [rate, epsilon, decay, root] = [settings.rate, settings.epsilon, settings.decay, settings.root].map(
    round,
  );
  const [beta1, beta2] = [settings.beta1, settings.beta2].map(round);
  const [rest1, rest2] = [settings.beta1, settings.beta2].map((beta) => round(1 - beta));
  for (let i = 0; i < w.length; i++) {
    const decayed = round(decay * w[i]);
    const slope = round(g[i] + decayed);
    const [keptMean, newMean] = [round(beta1 * m[i]), round(rest1 * slope)];
    m[i] = round(keptMean + newMean);
    const keptSquare = round(beta2 * v[i]);
    const share = round(rest2 * slope);
    const newSquare = round(share * slope);
    v[i] = round(keptSquare + newSquare);
    const deviation = round(Math.sqrt(v[i]));
    const corrected = round(deviation / root);
    const divisor = round(corrected + epsilon);
    const ratio = round(m[i] / divisor);
    const change = round(rate * ratio);
    w[i] = round(w[i] - change);
  }
}

/** Settings with random digits, and the customary ones. */
const share = fc.oneof(
  fc.constantFrom(0.9, 0.99, 0.999),
  fc.double({ min: 0.05, max: 0.95, noNaN: true, noDefaultInfinity: true }),
);
const rate = fc.constantFrom(0.1, 1 / 3, 0.7, 1e-3);
const decay = fc.constantFrom(0, 0, 1e-2, 0.3, 1 / 3);

describe("one step of SGD in float32", () => {
  it("rounds after every operation, in the order of the formula", () => {
    fc.assert(
      fc.property(fc.nat(1e6), rate, share, decay, fc.boolean(), (seed, rate, momentum, decay, nesterov) => {
        const random = new RandomStream(seed);
        const [w, g, v] = [normals(64, random), normals(64, random), normals(64, random)];
        const settings = { rate, momentum, nesterov, decay };
        const [wantedW, wantedV] = [w.slice(), v.slice()];
        for (let step = 0; step < 3; step++) {
          sgdByContract(wantedW, g, wantedV, settings);
          float32.sgdStep(w, g, v, settings);
        }
        expect(v).toEqual(wantedV);
        expect(w).toEqual(wantedW);
      }),
      runs,
    );
  });

  it("does so without momentum too", () => {
    fc.assert(
      fc.property(fc.nat(1e6), rate, decay, fc.boolean(), (seed, rate, decay, nesterov) => {
        const random = new RandomStream(seed);
        const [w, g] = [normals(64, random), normals(64, random)];
        const settings = { rate, momentum: 0, nesterov, decay };
        const wanted = w.slice();
        sgdByContract(wanted, g, null, settings);
        float32.sgdStep(w, g, null, settings);
        expect(w).toEqual(wanted);
      }),
      runs,
    );
  });
});

describe("one step of Adam in float32", () => {
  it("rounds after every operation, in the order of the formula", () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.record({
          rate,
          beta1: share,
          beta2: share,
          // Of the size of √v, so that its last digits reach the sum, and the customary one.
          epsilon: fc.constantFrom(1e-8, 1e-3, 0.1, 1 / 3),
          decay,
          root: fc.double({ min: 0.03, max: 1, noNaN: true, noDefaultInfinity: true }),
        }),
        (seed, settings) => {
          const random = new RandomStream(seed);
          const [w, g, m] = [normals(64, random), normals(64, random), normals(64, random)];
          const v = squares(64, random);
          const [wantedW, wantedM, wantedV] = [w.slice(), m.slice(), v.slice()];
          for (let step = 0; step < 3; step++) {
            adamByContract(wantedW, g, wantedM, wantedV, settings);
            float32.adamStep(w, g, m, v, settings);
          }
          expect(m).toEqual(wantedM);
          expect(v).toEqual(wantedV);
          expect(w).toEqual(wantedW);
        },
      ),
      runs,
    );
  });

  it("takes 1 − β from the setting, not from the rounded β", () => {
    const settings = { rate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, root: 1 };
    const [w, g, m, v] = [0, 1, 0, 0].map((x) => Float32Array.of(x));
    float32.adamStep(w, g, m, v, settings);
    expect([m[0], v[0]]).toEqual([round(1 - 0.9), round(1 - 0.999)]);
    expect(v[0]).not.toBe(round(1 - round(0.999)));
  });
});

// Ascending, 1e16 swallows the first 1 and the last one stands alone: 1. From the other end, and in pairs, it is 0.
const standing = [1e16, 1, -1e16, 1];
// The other way round: 0 ascending, 1 descending.
const swallowed = [1, 1e16, 1, -1e16];

const ascending = (values: Iterable<number>): number => {
  let sum = 0;
  for (const x of values) sum += x;
  return sum;
};

describe("a sum whose result depends on its order", () => {
  it("is ascending in the numbers of these tests, and another one backwards", () => {
    expect([ascending(standing), ascending([...standing].reverse())]).toEqual([1, 0]);
    expect([ascending(swallowed), ascending([...swallowed].reverse())]).toEqual([0, 1]);
  });

  it("ascends in sumRows, and only then meets what is in the buffer", () => {
    const dy = Float64Array.from(standing.flatMap((x, i) => [x, swallowed[i]]));
    const db = new Float64Array(2);
    float64.sumRows(db, dy, 4);
    expect([...db]).toEqual([1, 0]);
    // From the 1 in the buffer, 1e16 would swallow it: 1 instead of 2.
    const started = Float64Array.of(1);
    float64.sumRows(started, Float64Array.from(standing), 4);
    expect([...started]).toEqual([2]);
  });

  // Lanes 0, 2, 4, 6 meet before 1, 3, 5, 7, the upper half being added to the lower: (l₀ + l₄) + (l₂ + l₆) first.
  const lanes = (values: readonly number[]): number => {
    let sums = Array.from({ length: 8 }, (_, l) => ascending(values.filter((_, i) => i % 8 === l)));
    while (sums.length > 1)
      sums = sums.slice(0, sums.length / 2).map((x, l) => x + sums[l + sums.length / 2]);
    return sums[0];
  };

  it("has eight lanes along a row, joined by halves", () => {
    const random = new RandomStream(3);
    let told = 0;
    for (let size = 0; size < 60; size++) {
      const [x, y] = [normals(size, random), normals(size, random)].map((values) => [...values]);
      for (const kernels of [float32, float64]) {
        const [a, b] = [x, y].map((values) =>
          kernels
            .alloc(size)
            .fill(0)
            .map((_, i) => values[i]),
        );
        expect(kernels.sum(a)).toBe(lanes(x));
        expect(kernels.dot(a, b)).toBe(lanes(x.map((value, i) => value * y[i])));
      }
      const products = x.map((value, i) => value * y[i]);
      if (lanes(products) !== ascending(products)) told++;
    }
    expect(told).toBeGreaterThan(10);
    expect(lanes([...standing])).toBe(2);
    expect(float64.sum(Float64Array.from(standing))).toBe(2);
  });

  it("has these lanes in softmaxBackward", () => {
    const dx = new Float64Array(8);
    float64.softmaxBackward(
      dx,
      new Float64Array(8).fill(1),
      Float64Array.of(...standing, ...swallowed),
      2,
      4,
    );
    // dy − ⟨dy, y⟩ with 2 in the first row; 1e16 − 1e16 meet last in the second, and have swallowed nothing.
    expect([lanes(standing), lanes(swallowed)]).toEqual([2, 2]);
    expect([...dx]).toEqual([...standing, ...swallowed].map((x) => x - 2));
  });

  it("has these lanes in logSoftmaxBackward", () => {
    const dx = new Float64Array(8);
    float64.logSoftmaxBackward(dx, new Float64Array(8), Float64Array.of(...standing, ...swallowed), 2, 4);
    // dy − e⁰ Σ dy.
    expect([...dx]).toEqual([...standing, ...swallowed].map((x) => x - 2));
  });

  /** Powers of a row of logits, 0 in the place of the largest. */
  const rest = (row: readonly number[]): number[] => {
    const max = Math.max(...row);
    return row.map((x) => (x === max ? 0 : exp(x - max)));
  };

  /** Rows whose powers have another sum in ascending order. */
  function telling(): number[][] {
    const random = new RandomStream(11);
    const rows = Array.from({ length: 100 }, () => Array.from({ length: 21 }, () => random.normal()));
    return rows.filter((row) => lanes(rest(row)) !== ascending(rest(row)));
  }

  it("has these lanes in softmax and in logSoftmax, the largest apart", () => {
    const found = telling();
    expect(found.length).toBeGreaterThan(10);
    for (const row of found) {
      const max = Math.max(...row);
      const [y, logs] = [new Float64Array(21), new Float64Array(21)];
      float64.softmax(y, Float64Array.from(row), 1, 21);
      const share = 1 / (1 + lanes(rest(row)));
      expect([...y]).toEqual(row.map((x) => exp(x - max) * share));
      float64.logSoftmax(logs, Float64Array.from(row), 1, 21);
      expect([...logs]).toEqual(row.map((x) => x - max - log1p(lanes(rest(row)))));
    }
  });

  // 2⁶⁰ is a float32 and swallows 1 in float64: the order shows in either set.
  const big = 2 ** 60;
  describe.each<[string, Kernels]>([
    ["float32", float32],
    ["float64", float64],
  ])("in the %s set", (_, kernels) => {
    const [one, none] = [
      [big, 1, -big, 1],
      [1, big, 1, -big],
    ];
    const columns = one.map((x, i) => [x, none[i]]);

    it("has these lanes in sum, sumTo and mean along the last axis", () => {
      expect([lanes(one), lanes(none)]).toEqual([2, 2]);
      const x = tensor([one, none], { kernels });
      expect(sum(x, 1).toArray()).toEqual([2, 2]);
      expect(sumTo(x, [2, 1]).toArray()).toEqual([[2], [2]]);
      expect(mean(x, 1).toArray()).toEqual([0.5, 0.5]);
    });

    it("ascends in sum, sumTo and mean along the first axis", () => {
      const x = tensor(columns, { kernels });
      expect(sum(x, 0).toArray()).toEqual([1, 0]);
      expect(sumTo(x, [2]).toArray()).toEqual([1, 0]);
      expect(mean(x, 0).toArray()).toEqual([0.25, 0]);
    });

    it("takes all for one row where all is summed or averaged", () => {
      const rows = [
        [big, 1],
        [-big, 1],
      ];
      // A sum a row first would be 2⁶⁰ − 2⁶⁰ = 0, an ascending one 1.
      expect(sum(tensor(rows, { kernels })).item()).toBe(2);
      expect(sumTo(tensor(rows, { kernels }), []).item()).toBe(2);
      expect(mean(tensor(rows, { kernels })).item()).toBe(0.5);
    });

    it("adds the sums of rows in ascending order", () => {
      // Over the outer and the inner axis: rows of 2⁶⁰, 1, −2⁶⁰ and 1 in all, which swallow the first 1.
      const rows = [[big], [1], [-big], [1]].map((row) => [row, [0]]);
      expect(sum(tensor(rows, { kernels }), [0, 2]).toArray()).toEqual([1, 0]);
    });

    it("keeps what a sum in float32 would lose, along either axis and in the gradient of broadcastTo", () => {
      const row = [2 ** 24, 1, -(2 ** 24)];
      const rows = tensor([row, row], { kernels });
      const columns = transpose(rows);
      expect(sum(rows, 1).toArray()).toEqual([1, 1]);
      expect(sum(columns, 0).toArray()).toEqual([1, 1]);
      const x = tensor([5, 5], { kernels, requiresGrad: true });
      broadcastTo(x, [3, 2]).backward(columns);
      expect(x.grad?.toArray()).toEqual([1, 1]);
    });

    it("ascends in the gradient of broadcastTo", () => {
      const x = tensor([5, 5], { kernels, requiresGrad: true });
      broadcastTo(x, [4, 2]).backward(tensor(columns, { kernels }));
      expect(x.grad?.toArray()).toEqual([1, 0]);
    });
  });
});

describe("a product in float64", () => {
  const transposed = (x: readonly (readonly number[])[]): number[][] =>
    x[0].map((_, j) => x.map((row) => row[j]));
  const flat = (x: readonly (readonly number[])[]): Floats => Float64Array.from(x.flat());
  const a = [standing, swallowed];
  const b = standing.map(() => [1, 2]);

  it.each<[name: "matmul" | "matmulTransposedA" | "matmulTransposedB", a: Floats, b: Floats]>([
    ["matmul", flat(a), flat(b)],
    ["matmulTransposedA", flat(transposed(a)), flat(b)],
    ["matmulTransposedB", flat(a), flat(transposed(b))],
  ])("adds with k ascending, from what is in the output: %s", (name, left, right) => {
    const c = new Float64Array(4);
    float64[name](c, left, right, 2, 4, 2);
    expect([...c]).toEqual([1, 2, 0, 0]);
    // From 1: the first row swallows it. In the second, 1e16 + 2 is a float and 1 more is a tie, which goes up to
    // 1e16 + 4; with twice the numbers 2e16 + 3 rounds to 2e16 + 4 and the tie after it goes up to 2e16 + 8.
    const started = new Float64Array(4).fill(1);
    float64[name](started, left, right, 2, 4, 2);
    expect([...started]).toEqual([1, 2, 4, 8]);
  });
});
