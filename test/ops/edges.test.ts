/** Ops at the edge of their domain: numbers that overflow, vanish or are none, and arguments that change afterwards. */
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import type { NestedNumbers } from "../../src/nested.ts";
import {
  broadcastTo,
  crossEntropy,
  div,
  dropout,
  klDiv,
  logSumExp,
  mean,
  mul,
  reshape,
  softTargetLoss,
  sum,
  sumTo,
  transpose,
} from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import * as precise from "../support/precise.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const says = (code: string, message: string) =>
  expect.objectContaining({ name: "DistilgradError", code, message });

const in64 = (values: NestedNumbers): Tensor => tensor(values, { kernels: float64 });
const parameter = (values: NestedNumbers, kernels: Kernels = float64): Tensor =>
  tensor(values, { kernels, requiresGrad: true });
const gradient = (x: Tensor): number[] => [...(x.grad?.data ?? [])];

describe("crossEntropy", () => {
  it.each<[what: string, labels: Int32Array | number[]]>([
    ["an Int32Array", Int32Array.of(0, 2)],
    ["an array", [0, 2]],
  ])("keeps its own copy of labels in %s", (_, labels) => {
    const logits = [
      [1, 2, 3],
      [3, 1, 2],
    ];
    const [z, untouched] = [parameter(logits), parameter(logits)];
    crossEntropy(untouched, [0, 2]).backward();
    const loss = crossEntropy(z, labels);
    labels.fill(1);
    loss.backward();
    expect(gradient(z)).toEqual(gradient(untouched));
  });

  it("refuses an ignored label that no label can be", () => {
    expect(() => crossEntropy(in64([[1, 2]]), [0], { ignoredLabel: 0.5 })).toThrow(
      says("value", "crossEntropy: ignoredLabel must be a whole number, got 0.5"),
    );
  });

  it("refuses an ignored label beside target probabilities, which have no labels", () => {
    expect(() => crossEntropy(in64([[1, 2]]), in64([[0.5, 0.5]]), { ignoredLabel: -1 })).toThrow(
      says("value", "crossEntropy: ignoredLabel goes with labels, not with target probabilities"),
    );
  });
});

describe("klDiv", () => {
  const halves = [[Math.log(0.5), Math.log(0.5)]];

  it.each<[where: string, logProbs: number[][], targetProbs: number[][]]>([
    ["a target", halves, [[none, 1]]],
    ["a log-probability", [[none, Math.log(0.5)]], [[0.5, 0.5]]],
    ["a log-probability whose target is 0", [[none, Math.log(0.5)]], [[0, 1]]],
  ])("shows NaN in %s", (_, logProbs, targetProbs) => {
    expect(klDiv(in64(logProbs), in64(targetProbs)).item()).toBeNaN();
  });

  it("has the gradient 0 in q where q is 0, and finite ones in log p", () => {
    const logProbs = parameter([[-infinity, Math.log(0.25), Math.log(0.75)]]);
    const targetProbs = parameter([[0, 0.5, 0.5]]);
    klDiv(logProbs, targetProbs).backward();
    // −q / rows, and log q − log p + 1 where q is not 0: two logarithms and a difference, each within 2⁻⁵² here.
    expect(gradient(logProbs)).toEqual([0, -0.5, -0.5]);
    const [first, ...rest] = gradient(targetProbs);
    expect(first).toBe(0);
    expect(Math.abs(rest[0] - (Math.log(2) + 1))).toBeLessThan(4 * 2 ** -52);
    expect(Math.abs(rest[1] - (Math.log(2 / 3) + 1))).toBeLessThan(4 * 2 ** -52);
  });
});

describe("rows of probabilities", () => {
  const logits = in64([[0.1, 0.2]]);
  const logHalves = in64([[Math.log(0.5), Math.log(0.5)]]);
  const uses: [string, (row: number[]) => Tensor][] = [
    ["targets of crossEntropy", (row) => crossEntropy(logits, in64([row]))],
    ["targets of klDiv", (row) => klDiv(logHalves, in64([row]))],
    ["exponentials of klDiv's logProbs", (row) => klDiv(in64([row.map(Math.log)]), in64([[0.5, 0.5]]))],
  ];

  it.each(uses)("may miss 1 by what two decimals round away: %s", (_, loss) => {
    for (const miss of [0.01, -0.01]) expect(loss([0.5, 0.5 + miss]).item()).toBeTypeOf("number");
    for (const miss of [0.03, -0.03])
      expect(() => loss([0.5, 0.5 + miss])).toThrow(/sum to (1 in every row, got )?(1\.0|0\.9)/);
  });

  it.each(uses.slice(0, 2))("may not be negative, not even by 1e-3: %s", (_, loss) => {
    expect(() => loss([1, -1e-3])).toThrow("are probabilities, got -0.001 in row 0");
  });
});

describe("div", () => {
  it.each<[what: string, a: number, b: number, kernels: Kernels]>([
    ["b² vanishes in float32", 1e-30, 1e-25, float32],
    ["b² overflows in float32", 1e30, 1e25, float32],
    ["b² vanishes in float64", 1e-210, 1e-200, float64],
    ["b² overflows in float64", 1e210, 1e200, float64],
  ])("has its derivative −(a / b) / b where %s", (_, a, b, kernels) => {
    const [x, y] = [parameter([a], kernels), parameter([b], kernels)];
    sum(div(x, y)).backward();
    const wanted = -(x.data[0] / y.data[0] / y.data[0]);
    expect(y.grad?.item()).toBe(kernels === float32 ? Math.fround(wanted) : wanted);
    expect(Math.abs(wanted) > 0 && Math.abs(wanted) < infinity).toBe(true);
  });
});

describe("softTargetLoss", () => {
  const loss = (z: readonly number[], v: readonly number[], temperature = 1): number =>
    softTargetLoss(in64([[...z]]), in64([[...v]]), { temperature }).item();

  it("has a finite gradient in a teacher that rules a class out", () => {
    const student = parameter([[0.5, 1, -1]]);
    const teacher = parameter([[-infinity, 2, 1]]);
    softTargetLoss(student, teacher, { temperature: 2 }).backward();
    expect(teacher.grad?.data.every(Number.isFinite)).toBe(true);
    expect(student.grad?.data.every(Number.isFinite)).toBe(true);
    expect(gradient(teacher)[0]).toBe(0);
    expect(gradient(teacher)[1]).not.toBe(0);
  });

  it("takes the maximum away before it divides: 1e308 at T = 1e-3 is no overflow", () => {
    expect(loss([1e308, 1e308], [1e308, 1e308], 1e-3)).toBe(0);
    expect(loss([1e308, 9e307], [1e308, 8e307], 1e-3)).toBe(0);
    // One half each against the first alone: T² log 2.
    const halves = loss([1e308, 1e308], [1e308, 9e307], 1e-3);
    expect(Math.abs(halves - 1e-6 * Math.LN2)).toBeLessThan(1e-6 * 2 ** -50);
    const [z, v] = [parameter([[1e308, 9e307]]), parameter([[1e308, 1e308]])];
    softTargetLoss(z, v, { temperature: 1e-3 }).backward();
    expect(gradient(z)).not.toContain(none);
    expect(gradient(v)).not.toContain(none);
  });

  const bits = 240n;
  /** The same number with 240 bits behind the point. */
  const fixed = ({ mantissa, exponent }: precise.Precise): bigint => {
    const shift = BigInt(exponent) + bits;
    return shift >= 0n ? mantissa << shift : mantissa >> -shift;
  };
  /** Σ q (log q − log p) for rows of logits, good to 60 digits. */
  function divergence(z: readonly number[], v: readonly number[]): number {
    const one = 1n << bits;
    const powers = (x: readonly number[]): bigint[] => x.map((logit) => fixed(precise.exp(logit)));
    const total = (x: readonly bigint[]): bigint => x.reduce((a, b) => a + b, 0n);
    // log of a fixed-point number X / 2²⁴⁰, from the float next to it: log X = log f + log1p((X − f) / f).
    const log = (x: bigint): bigint => {
      const near = Number(x >> (bits - 60n)) / 2 ** 60;
      const about = fixed(precise.preciseFrom(near));
      const r = ((x - about) << bits) / about;
      let term = r;
      let sum = 0n;
      for (let n = 1n; term !== 0n && term !== -1n; n++) {
        sum += term / n;
        term = -(term * r) / one;
      }
      return fixed(precise.log(near)) + sum;
    };
    const [p, q] = [powers(z), powers(v)];
    const shift = log(total(q)) - log(total(p));
    let sum = 0n;
    for (let i = 0; i < z.length; i++) {
      const delta = fixed(precise.preciseFrom(v[i])) - fixed(precise.preciseFrom(z[i])) - shift;
      sum += q[i] * delta;
    }
    return Number(sum / total(q)) / 2 ** Number(bits);
  }

  it("has an oracle here: two rows with known probabilities", () => {
    // q = 1/2, 1/2 and p = 1/3, 2/3 as closely as log 2 is a float: ½ log 9/8.
    expect(divergence([0, Math.LN2], [0, 0])).toBeCloseTo(0.5 * Math.log(9 / 8), 15);
    expect(divergence([1, 2], [1, 2])).toBe(0);
  });

  it("keeps 13 digits where its three forms of ψ(δ) meet", () => {
    const random = new RandomStream(3);
    let worst = 0;
    for (const size of [0.0099, 0.0101, 0.012, 0.02, 0.1, 0.3, 0.499, 0.501, 0.8]) {
      for (let i = 0; i < 30; i++) {
        // Both δ of two equal classes are about half of the difference between their logits.
        const z = [0, 0.1 * random.normal()];
        const v = [0, z[1] + 2 * size * (random.below(2) === 0 ? 1 : -1) * (1 + 0.01 * random.uniform())];
        const wanted = divergence(z, v);
        worst = Math.max(worst, Math.abs(loss(z, v) - wanted) / wanted);
      }
    }
    // log p and log q lie between −1 and 0 where |δ| is small, each within 1.5 ulp = 1.7e-16 (log1p one, the difference
    // a half), and δ is their exact difference: 3.4e-16 of 0.0085 or more is 4e-14, twice that in δ², and a few 1e-16
    // for the rest. Without the branch that takes expm1, p − q + q δ loses 1e-16 of 0.5 · 1e-4 / 2: 4e-12.
    expect(worst).toBeLessThan(1e-13);
  });

  it("keeps 13 digits where δ is exact, down to a divergence of 1e-40", () => {
    // Beside a class that is all but certain, log p = −50 ± δ/2 exactly, and so is δ = ±2⁻³⁰ and the others. What is left
    // are single roundings, and expm1's 2⁻⁵⁹ of δ²/2 = 7e-5 at 3 · 2⁻⁸: 3e-14.
    const series = [2 ** -30, 2 ** -20, 3 * 2 ** -14, 5 * 2 ** -13, 2 ** -10, 2 ** -7];
    for (const delta of [...series, 3 * 2 ** -8, 2 ** -4, 2 ** -1, 1]) {
      const [z, v] = [
        [0, -50 - delta / 2, -50 + delta / 2],
        [0, -50 + delta / 2, -50 - delta / 2],
      ];
      const wanted = divergence(z, v);
      expect(Math.abs(loss(z, v) - wanted) / wanted).toBeLessThan(1e-13);
    }
  });

  it("is never negative, not even where probabilities are denormal", () => {
    expect(loss([0, -744.0577], [0, -744.8467])).toBeGreaterThanOrEqual(0);
    const random = new RandomStream(4);
    for (let i = 0; i < 2000; i++) {
      const [z, v] = [-708 - 38 * random.uniform(), -708 - 38 * random.uniform()];
      expect(loss([0, z], [0, v])).toBeGreaterThanOrEqual(0);
    }
  });

  it("takes temperatures from 1e-8 to 1e8", () => {
    for (const temperature of [1e-8, 1e8]) expect(loss([1, 2], [2, 1], temperature)).not.toBeNaN();
    for (const temperature of [1e9, 1e-9]) {
      expect(() => loss([1, 2], [2, 1], temperature)).toThrow(
        says("value", `softTargetLoss: temperature must be a number from 1e-8 to 1e8, got ${temperature}`),
      );
    }
  });
});

describe("a loss over rows", () => {
  const x = tensor(new Float32Array(24).fill(0.25), { shape: [2, 3, 4] });

  it.each<[op: string, name: string, call: () => unknown]>([
    ["crossEntropy", "logits", () => crossEntropy(x, new Int32Array(6))],
    ["klDiv", "logProbs", () => klDiv(x, x)],
    ["softTargetLoss", "studentLogits", () => softTargetLoss(x, x, { temperature: 1 })],
  ])("refuses three axes: %s", (op, name, call) => {
    expect(call).toThrow(
      says(
        "shape",
        `${op}: expected ${name} [rows, classes] with at least one row, got [2, 3, 4]; reshape them to [6, 4]`,
      ),
    );
  });
});

describe("infinities and signs of zero", () => {
  it("logSumExp is −∞ where nothing is there, and +∞ beside +∞", () => {
    const rows = [
      [-infinity, -infinity],
      [infinity, 0],
      [-infinity, 3],
    ];
    expect(logSumExp(in64(rows)).toArray()).toEqual([-infinity, infinity, 3]);
    expect(logSumExp(in64([[infinity, none]])).item()).toBeNaN();
  });

  it("transpose keeps −0", () => {
    const y = transpose(in64([[-0, 0, 1]]));
    expect([...y.data].map((x) => Object.is(x, -0))).toEqual([true, false, false]);
  });

  it("dropout sets a dropped ∞ to 0", () => {
    const x = in64(new Array<number>(100).fill(infinity));
    const y = dropout(x, { probability: 0.5, random: new RandomStream(1) });
    expect(new Set(y.data)).toEqual(new Set([0, infinity]));
  });
});

describe("a shape that the caller changes afterwards", () => {
  it("is no harm to broadcastTo", () => {
    const x = parameter([[1], [2]]);
    const shape = [2, 3];
    const y = broadcastTo(x, shape);
    shape.fill(1);
    y.backward(
      in64([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    expect(y.shape).toEqual([2, 3]);
    expect(gradient(x)).toEqual([6, 15]);
  });

  it("is no harm to sumTo", () => {
    const x = parameter([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const shape = [2, 1];
    const y = sumTo(x, shape);
    shape.fill(1);
    y.backward(in64([[7], [8]]));
    expect(y.shape).toEqual([2, 1]);
    expect(gradient(x)).toEqual([7, 7, 7, 8, 8, 8]);
  });

  it("is no harm to reshape", () => {
    const shape = [2, 1];
    const y = reshape(in64([1, 2]), shape);
    shape.fill(5);
    expect(y.shape).toEqual([2, 1]);
  });
});

describe("reductions", () => {
  const x = in64([
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [
      [7, 8, 9],
      [10, 11, 13],
    ],
  ]);

  it.each([
    ["sum", sum],
    ["mean", mean],
  ] as const)("take axes in any order: %s", (_, reduce) => {
    const axes = [2, 0];
    for (const keepAxes of [false, true]) {
      const [mixed, sorted] = [reduce(x, axes, { keepAxes }), reduce(x, [0, 2], { keepAxes })];
      expect(mixed.shape).toEqual(keepAxes ? [1, 2, 1] : [2]);
      expect(mixed.toArray()).toEqual(sorted.toArray());
      expect(reduce(x, [-1, 0], { keepAxes }).toArray()).toEqual(sorted.toArray());
    }
    expect(axes).toEqual([2, 0]);
  });

  it("name the axes in order when there is nothing to average", () => {
    expect(() => mean(tensor(new Float64Array(0), { shape: [0, 2] }), [1, 0])).toThrow(
      says("shape", "mean: nothing to average in [0, 2] over axes [0, 1]"),
    );
  });
});

describe("a view", () => {
  it("of a tensor without a gradient shares its version: a change shows where the view was read", () => {
    const x = in64([1, 2]);
    const view = reshape(x, [2, 1]);
    const w = parameter([[3], [4]]);
    const loss = sum(mul(view, w));
    expect(view.storage).toBe(x.storage);
    x.update((data) => data.fill(9));
    expect(() => loss.backward()).toThrow("operand 0 of mul was changed in place");
  });

  it("shares it the other way too", () => {
    const x = in64([1, 2]);
    const w = parameter([3, 4]);
    const loss = sum(mul(x, w));
    reshape(x, [1, 2]).update((data) => data.fill(9));
    expect(() => loss.backward()).toThrow("operand 0 of mul was changed in place");
  });
});
