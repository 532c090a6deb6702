/** Ops that only move values: what one does another undoes, bit for bit, and gradients move back the same way. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arange, full, tensor, zeros } from "../../src/factories.ts";
import { Computation } from "../../src/graph.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { concat, pad, permute, reshape, slice, split, stack, transpose } from "../../src/ops/index.ts";
import { forEachStridedRun } from "../../src/ops/strided-runs.ts";
import { sizeOf } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import { shape } from "../support/arbitraries.ts";
import { axisWithin, replaced } from "./multi-index.ts";

const runs = { seed: 1, numRuns: 60 };
const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

/** Values that arithmetic would change: −0, infinities, NaN, a subnormal; the rest counts. */
function marked(of: readonly number[]): Tensor {
  const special = [-0, infinity, -infinity, none, 2 ** -149];
  return tensor(
    Float64Array.from({ length: sizeOf(of) }, (_, i) => (i % 3 === 0 ? special[(i / 3) % 5] : i)),
    { shape: of, kernels: float64 },
  );
}

const counted = (of: readonly number[], first = 1): Tensor =>
  tensor(
    Float64Array.from({ length: sizeOf(of) }, (_, i) => first + i),
    { shape: of, kernels: float64, requiresGrad: true },
  );

const same = (a: Tensor, b: Tensor): void => {
  expect(a.shape).toEqual(b.shape);
  expect(a.data).toEqual(b.data);
};

/** What the pullback of operand `which` leaves in a buffer of −0, which only what is added to changes. */
function pulledBack(y: Tensor, which = 0): number[] {
  if (!(y.node instanceof Computation)) throw new Error("not computed");
  const { source, pullback } = y.node.edges![which];
  const dx = new Float64Array("size" in source ? source.size : source.output.data.length).fill(-0);
  pullback(
    dx,
    Float64Array.from({ length: y.size }, (_, i) => i + 1),
  );
  return [...dx];
}

describe("permute", () => {
  const permutation = shape({ maxRank: 5 }).chain((of) =>
    fc.tuple(
      fc.constant(of),
      fc.shuffledSubarray(
        of.map((_, axis) => axis),
        { minLength: of.length },
      ),
    ),
  );

  it("is undone by the inverse permutation", () => {
    fc.assert(
      fc.property(permutation, ([of, axes]) => {
        const x = marked(of);
        const inverse = axes.map((_, axis) => axes.indexOf(axis));
        same(permute(permute(x, axes), inverse), x);
      }),
      runs,
    );
  });

  it("has the inverse permutation as its derivative", () => {
    fc.assert(
      fc.property(permutation, ([of, axes]) => {
        const x = counted(of);
        const y = permute(x, axes);
        const dy = marked(y.shape);
        y.backward(dy);
        const inverse = axes.map((_, axis) => axes.indexOf(axis));
        // A gradient starts from +0, to which −0 adds nothing.
        const moved = permute(dy, inverse).data.map((value) => 0 + value);
        expect(x.grad!.data).toEqual(moved);
      }),
      runs,
    );
  });

  it("is transpose where it swaps the last two axes, and nothing where it swaps none", () => {
    const x = marked([2, 3, 4]);
    same(permute(x, [0, 2, 1]), transpose(x));
    same(permute(x, [0, -1, -2]), transpose(x));
    same(permute(x, [0, 1, 2]), x);
    same(permute(tensor(7), []), tensor(7));
  });

  it("takes images from [N, H, W, C] to [N, C, H, W]", () => {
    const x = reshape(arange(12), [1, 2, 2, 3]);
    expect(permute(x, [0, 3, 1, 2]).toArray()).toEqual([
      [
        [
          [0, 3],
          [6, 9],
        ],
        [
          [1, 4],
          [7, 10],
        ],
        [
          [2, 5],
          [8, 11],
        ],
      ],
    ]);
  });
});

describe("concat, slice and split", () => {
  const parts = axisWithin().chain(([of, axis, given]) =>
    fc
      .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 })
      .map((sizes) => ({ of, axis, given, sizes })),
  );

  it("undo each other", () => {
    fc.assert(
      fc.property(parts, ({ of, axis, given, sizes }) => {
        const tensors = sizes.map((size) => marked(replaced(of, axis, size)));
        const whole = concat(tensors, given);
        for (const [i, part] of split(whole, sizes, given).entries()) same(part, tensors[i]);
        same(concat(split(whole, sizes, given), given), whole);
        let start = 0;
        for (const [i, size] of sizes.entries()) {
          same(slice(whole, given, start, start + size), tensors[i]);
          start += size;
        }
      }),
      runs,
    );
  });

  it("have each other as derivatives", () => {
    fc.assert(
      fc.property(parts, ({ of, axis, given, sizes }) => {
        const tensors = sizes.map((size) => counted(replaced(of, axis, size)));
        const whole = concat(tensors, given);
        const dy = counted(whole.shape, 10);
        whole.backward(dy);
        for (const [i, part] of split(dy, sizes, given).entries()) {
          expect(tensors[i].grad!.data).toEqual(part.data);
        }
        const x = counted(whole.shape);
        const cotangents = split(dy, sizes, given);
        for (const [i, part] of split(x, sizes, given).entries()) part.backward(cotangents[i]);
        expect(x.grad!.data).toEqual(dy.data);
      }),
      runs,
    );
  });

  it("adds both parts to a tensor that stands in the list twice", () => {
    const x = counted([1, 2]);
    concat([x, x], 1).backward(tensor([[1, 2, 30, 40]], { kernels: float64 }));
    expect(x.grad!.toArray()).toEqual([[31, 42]]);
  });

  it("touches the gradient within a slice only", () => {
    expect(pulledBack(slice(counted([2, 3]), 1, 1, 2))).toEqual([-0, 1, -0, -0, 2, -0]);
    expect(pulledBack(slice(counted([3, 2]), 0, -1))).toEqual([-0, -0, -0, -0, 1, 2]);
    expect(pulledBack(slice(counted([2]), 0, 1, 1))).toEqual([-0, -0]);
  });

  it("counts places as JavaScript's slice does, where the axis has them", () => {
    const list = [1, 2, 3, 4];
    const x = tensor(list);
    for (let start = -4; start <= 4; start++) {
      expect(slice(x, 0, start).toArray()).toEqual(list.slice(start));
      for (let end = -4; end <= 4; end++) {
        const wanted = list.slice(start, end);
        const [from, to] = [start < 0 ? start + 4 : start, end < 0 ? end + 4 : end];
        if (from <= to) expect(slice(x, 0, start, end).toArray()).toEqual(wanted);
        else expect(() => slice(x, 0, start, end)).toThrow("lies behind end");
      }
    }
  });

  it("works where there is nothing: no rows, no columns, no parts", () => {
    const empty = zeros([0, 3]);
    expect(slice(empty, 0, 0).shape).toEqual([0, 3]);
    expect(concat([empty, zeros([2, 3]), empty]).shape).toEqual([2, 3]);
    expect(split(empty, 2).map((part) => part.shape)).toEqual([
      [0, 3],
      [0, 3],
    ]);
    expect(split(empty, [])).toEqual([]);
    expect(() => slice(empty, 0, 1)).toThrow(
      "slice: start must be a whole number from 0 to 0 along axis 0 of [0, 3], got 1",
    );
  });
});

describe("stack", () => {
  it("is a concat of tensors that were given the axis, and slices take them out again", () => {
    fc.assert(
      fc.property(
        shape({ maxRank: 3 }),
        fc.nat({ max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        (of, at, count) => {
          const axis = Math.min(at, of.length);
          const wide = [...of.slice(0, axis), 1, ...of.slice(axis)];
          const all = marked([count, ...of]);
          const tensors = Array.from({ length: count }, (_, i) => reshape(slice(all, 0, i, i + 1), of));
          const y = stack(tensors, axis);
          same(
            y,
            concat(
              tensors.map((x) => reshape(x, wide)),
              axis,
            ),
          );
          same(stack(tensors, axis - of.length - 1), y);
          for (const [i, x] of tensors.entries()) same(reshape(slice(y, axis, i, i + 1), of), x);
        },
      ),
      runs,
    );
  });

  it("makes a vector of scalars, and gives each its gradient back", () => {
    const [a, b] = [counted([], 3), counted([], 4)];
    const y = stack([a, b, a]);
    expect(y.toArray()).toEqual([3, 4, 3]);
    y.backward(tensor([1, 10, 100], { kernels: float64 }));
    expect([a.grad!.item(), b.grad!.item()]).toEqual([101, 10]);
  });
});

describe("pad", () => {
  it("frames what a slice cuts out again, forward and backward", () => {
    fc.assert(
      fc.property(
        axisWithin(),
        fc.nat({ max: 2 }),
        fc.nat({ max: 2 }),
        ([of, axis, given], before, after) => {
          const widths = of.map((_, i) => (i === axis ? ([before, after] as const) : ([0, 0] as const)));
          const x = marked(of);
          const y = pad(x, widths, { value: none });
          same(slice(y, given, before, before + of[axis]), x);
          const margin = (length: number): Tensor =>
            full(replaced(of, axis, length), none, { kernels: float64 });
          same(y, concat([margin(before), x, margin(after)], axis));
          const leaf = counted(of);
          const padded = pad(leaf, widths);
          const dy = counted(padded.shape);
          padded.backward(dy);
          expect(leaf.grad!.data).toEqual(slice(dy, axis, before, before + of[axis]).data);
        },
      ),
      runs,
    );
  });

  it("frames images with what never wins a maximum", () => {
    const x = tensor([[[1, 2]]]);
    expect(
      pad(
        x,
        [
          [0, 0],
          [1, 0],
          [0, 1],
        ],
        { value: -infinity },
      ).toArray(),
    ).toEqual([
      [
        [-infinity, -infinity, -infinity],
        [1, 2, -infinity],
      ],
    ]);
    expect(pad(tensor(5), []).item()).toBe(5);
    expect(pad(zeros([0]), [[1, 2]], { value: 4 }).toArray()).toEqual([4, 4, 4]);
  });
});

describe("the walk along strided values", () => {
  it.each<[what: string, shape: number[], strides: number[], runs: number[][]]>([
    ["one for what is dense", [2, 3, 4], [12, 4, 1], [[0, 0, 24, 1]]],
    ["one for a column, whatever axes of 1 it has", [1, 3, 1, 1], [99, 5, 7, 1], [[0, 0, 3, 5]]],
    ["one where an outer axis goes on as the inner ends", [2, 3], [15, 5], [[0, 0, 6, 5]]],
    [
      "one for each row that does not",
      [2, 3],
      [4, 1],
      [
        [0, 0, 3, 1],
        [3, 4, 3, 1],
      ],
    ],
    ["one for a scalar", [], [], [[0, 0, 1, 1]]],
    ["none for nothing", [2, 0, 3], [0, 3, 1], []],
  ])("takes as few runs as the strides allow: %s", (_, of, strides, runs) => {
    const seen: number[][] = [];
    forEachStridedRun(of, strides, (...run) => seen.push(run));
    expect(seen).toEqual(runs);
  });
});

describe("a list that the caller changes afterwards", () => {
  it("is no harm to any of them", () => {
    const x = counted([2, 3]);
    const [axes, sizes, widths, list] = [
      [1, 0],
      [1, 2],
      [
        [0, 0],
        [1, 1],
      ] as [number, number][],
      [x, x],
    ];
    const results = [permute(x, axes), ...split(x, sizes, 1), pad(x, widths), concat(list), stack(list)];
    const shapes = results.map((y) => [...y.shape]);
    axes.reverse();
    sizes.fill(0);
    for (const pair of widths) pair.fill(0);
    list.length = 0;
    for (const [i, y] of results.entries()) {
      expect(y.shape).toEqual(shapes[i]);
      y.backward(full(y.shape, 1, { kernels: float64 }));
    }
    // Once each in permute, split and pad, twice each in concat and stack.
    expect([...x.grad!.data]).toEqual(new Array(6).fill(7));
  });
});
