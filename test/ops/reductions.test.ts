/** variance, max, min, prod and the gradient of mean: what they have in common, ties, NaN, zeros and long axes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ones, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { NestedNumbers } from "../../src/nested.ts";
import { max, mean, min, prod, type ReductionOptions, sum, variance } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { in64, operand, operandIn } from "../support/arbitraries.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const runs = { seed: 1, numRuns: 60 };
const parameter = (values: NestedNumbers): Tensor => tensor(values, { kernels: float64, requiresGrad: true });
const gradient = (x: Tensor): number[] => [...(x.grad?.data ?? [])];

type Reduce = (x: Tensor, axes?: number | readonly number[], options?: ReductionOptions) => Tensor;
const all: [name: string, op: Reduce][] = [
  ["variance", variance],
  ["max", max],
  ["min", min],
  ["prod", prod],
];

describe.each(all)("%s", (_, op) => {
  const drawn = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 6 }))
    .chain(([rows, cols]) => operand([rows, cols]));

  it("computes a row in a batch to the same bits as the row alone, forward and backward", () => {
    fc.assert(
      fc.property(drawn, (x) => {
        const cols = x.shape[1];
        const pass = (of: Tensor): [number[], number[]] => {
          of.requiresGrad = true;
          const y = op(of, -1);
          y.backward(ones(y.shape));
          return [[...y.data], gradient(of)];
        };
        const [y, g] = pass(operandIn(float32, x));
        for (let row = 0; row < x.shape[0]; row++) {
          const [start, end] = [row * cols, (row + 1) * cols];
          const alone = { shape: [cols], values: x.values.slice(start, end) };
          expect(pass(operandIn(float32, alone))).toEqual([[y[row]], g.slice(start, end)]);
        }
      }),
      runs,
    );
  });

  it("takes axes in any order, and leaves the list alone", () => {
    const x = in64({ shape: [2, 3, 2], values: Array.from({ length: 12 }, (_, i) => Math.sin(i + 1)) });
    const axes = [2, 0];
    for (const keepAxes of [false, true]) {
      const mixed = op(x, axes, { keepAxes });
      expect(mixed.shape).toEqual(keepAxes ? [1, 3, 1] : [3]);
      expect(mixed.toArray()).toEqual(op(x, [0, -1], { keepAxes }).toArray());
    }
    expect(axes).toEqual([2, 0]);
  });

  it("shows NaN where it is, and nowhere else", () => {
    const y = op(
      tensor([
        [1, none, 3],
        [1, 2, 4],
      ]),
      1,
    );
    expect(y.data[0]).toBeNaN();
    expect(y.data[1]).not.toBeNaN();
  });

  it("gives nothing for no rows", () => {
    const x = ones([0, 3], { requiresGrad: true });
    const y = op(x, 1);
    expect(y.shape).toEqual([0]);
    y.backward(ones([0]));
    expect(gradient(x)).toEqual([]);
  });
});

describe.each(all.slice(1))("%s", (_, op) => {
  it("gives the values themselves over no axes", () => {
    const x = parameter([3, -2]);
    const y = op(x, []);
    expect(y.toArray()).toEqual([3, -2]);
    y.backward(tensor([5, 7], { kernels: float64 }));
    expect(gradient(x)).toEqual([5, 7]);
  });
});

describe.each([
  ["max", max, 1],
  ["min", min, -1],
] as const)("%s", (_, op, sign) => {
  const signed = (values: number[][]): Tensor => parameter(values.map((row) => row.map((x) => sign * x)));

  it("gives the whole gradient to the first of equals in row-major order", () => {
    const rows = [
      [1, 4, 4],
      [4, 0, 2],
    ];
    const take = (axes?: number | number[]): number[] => {
      const x = signed(rows);
      sum(op(x, axes)).backward();
      return gradient(x);
    };
    expect(take()).toEqual([0, 1, 0, 0, 0, 0]);
    expect(take(0)).toEqual([0, 1, 1, 1, 0, 0]);
    expect(take(1)).toEqual([0, 1, 0, 1, 0, 0]);
    expect(take([0, 1])).toEqual(take());
  });

  it("lets the first NaN win, in value and gradient", () => {
    const x = signed([
      [infinity, none, none],
      [5, none, 1],
    ]);
    const y = op(x);
    expect(y.item()).toBeNaN();
    y.backward();
    expect(gradient(x)).toEqual([0, 1, 0, 0, 0, 0]);
  });

  it("knows infinities, and takes the sign of the first of two zeros", () => {
    expect(op(signed([[-infinity, -infinity]])).item()).toBe(sign * -infinity);
    expect(op(signed([[-infinity, 3, infinity]])).item()).toBe(sign * infinity);
    expect(Object.is(op(parameter([0, -0])).item(), 0)).toBe(true);
    expect(Object.is(op(parameter([-0, 0])).item(), -0)).toBe(true);
  });

  it("compares more values than a call has arguments", () => {
    const values = new Float32Array(150_000).fill(-sign);
    values[123_456] = sign;
    const x = tensor(values, { requiresGrad: true });
    const y = op(x);
    expect(y.item()).toBe(sign);
    y.backward();
    expect(gradient(x).indexOf(1)).toBe(123_456);
    expect(gradient(x).reduce((total, g) => total + g, 0)).toBe(1);
  });
});

describe("mean", () => {
  it.each([3, 7, 10])("hands back dy / %d, divided and rounded once", (n) => {
    const random = new RandomStream(n, "mean");
    for (const [kernels, round] of [
      [float32, Math.fround],
      [float64, (value: number): number => value],
    ] as const) {
      for (let run = 0; run < 50; run++) {
        const x = ones([n], { kernels, requiresGrad: true });
        const dy = round(random.normal());
        mean(x).backward(tensor(dy, { kernels }));
        expect(gradient(x)).toEqual(new Array(n).fill(round(dy / n)));
      }
    }
  });
});

describe("prod", () => {
  it.each<[what: string, values: number[], product: number, slopes: number[]]>([
    ["no zero", [2, 3, 4], 24, [12, 8, 6]],
    ["a zero in front", [0, 2, 3], 0, [6, 0, 0]],
    ["a zero inside", [2, 0, 3], 0, [0, 6, 0]],
    ["a zero at the end", [2, 3, 0], 0, [0, 0, 6]],
    ["two zeros", [0, 2, 0], 0, [0, 0, 0]],
    ["only zeros", [0, 0, 0], 0, [0, 0, 0]],
    ["one value", [5], 5, [1]],
    ["one zero alone", [0], 0, [1]],
    ["nothing", [], 1, []],
  ])("has the right gradient with %s", (_, values, product, slopes) => {
    const x = parameter(values);
    const y = prod(x);
    expect(y.shape).toEqual([]);
    expect(y.item()).toBe(product);
    y.backward(tensor(10, { kernels: float64 }));
    expect(gradient(x)).toEqual(slopes.map((slope) => 10 * slope));
  });

  it("has it along every choice of axes, contiguous or not", () => {
    // Whole numbers: every order of multiplication is exact.
    const values = [2, 0, 3, 1, -1, 5, 4, 7, 0, 2, 3, -2];
    const [a, b, c] = [2, 3, 2];
    for (const axes of [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]) {
      const x = in64({ shape: [a, b, c], values });
      x.requiresGrad = true;
      sum(prod(x, axes)).backward();
      const place = (i: number): number[] => [Math.floor(i / 6), Math.floor(i / 2) % 3, i % 2];
      const expected = values.map((_, i) =>
        values.reduce((product, value, j) => {
          const together = place(i).every((at, axis) => axes.includes(axis) || at === place(j)[axis]);
          return together && i !== j ? product * value : product;
        }, 1),
      );
      expect(gradient(x).map((g) => g + 0)).toEqual(expected.map((g) => g + 0));
    }
  });

  it("is 1 for nothing, once for each result", () => {
    expect(prod(ones([0, 3]), 0).toArray()).toEqual([1, 1, 1]);
    expect(prod(ones([0, 3]), 0, { keepAxes: true }).toArray()).toEqual([[1, 1, 1]]);
  });

  it("keeps in float64 what would overflow and vanish on the way in float32", () => {
    const x = tensor([1e30, 1e30, 1e-30, 1e-30], { requiresGrad: true });
    const [large, small] = [Math.fround(1e30), Math.fround(1e-30)];
    const y = prod(x);
    expect(y.item()).toBe(Math.fround(large * large * small * small));
    y.backward();
    // What stands before an entry is multiplied from the front, what stands behind it from the end.
    expect(gradient(x)).toEqual(
      [large * (small * small), large * (small * small), large * large * small, large * large * small].map(
        Math.fround,
      ),
    );
  });
});
