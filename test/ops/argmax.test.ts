/** argmax gives indices, not a tensor, so it has no entry in the table of ops. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { predictLabels } from "../../src/distill/evaluate.ts";
import { ones, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { argmax, max } from "../../src/ops/index.ts";
import { sizeOf } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import { in64, type Operand, operandIn, shape } from "../support/arbitraries.ts";

const none = Number.NaN;
const says = (code: string, message: string) =>
  expect.objectContaining({ name: "DistilgradError", code, message });

/** Few values, so that ties are frequent, and a NaN now and then. */
const few: fc.Arbitrary<readonly [Operand, number]> = shape({ minRank: 1 }).chain((drawn) =>
  fc.tuple(
    fc
      .array(fc.constantFrom(-1, 0, -0, 1, 2, 2, Number.NEGATIVE_INFINITY, none), {
        minLength: sizeOf(drawn),
        maxLength: sizeOf(drawn),
      })
      .map((values) => ({ shape: drawn, values })),
    fc.integer({ min: -drawn.length, max: drawn.length - 1 }),
  ),
);

/** By definition: the first index such that nothing is larger, and before all others the first NaN. */
function naive({ shape: drawn, values }: Operand, axis: number): number[] {
  const along = axis < 0 ? axis + drawn.length : axis;
  const inner = sizeOf(drawn.slice(along + 1));
  const found: number[] = [];
  for (let before = 0; before < sizeOf(drawn.slice(0, along)); before++) {
    for (let after = 0; after < inner; after++) {
      const line = Array.from(
        { length: drawn[along] },
        (_, i) => values[(before * drawn[along] + i) * inner + after],
      );
      const nan = line.findIndex(Number.isNaN);
      found.push(nan !== -1 ? nan : line.findIndex((x) => line.every((other) => other <= x)));
    }
  }
  return found;
}

describe("argmax", () => {
  it("finds what a search by definition finds: the first of equals, the first NaN, along any axis", () => {
    fc.assert(
      fc.property(few, ([x, axis]) => {
        fc.pre(x.shape.at(axis) !== 0);
        for (const put of [in64, (of: Operand) => operandIn(float32, of)]) {
          const indices = argmax(put(x), axis);
          expect(indices).toBeInstanceOf(Int32Array);
          expect([...indices]).toEqual(naive(x, axis));
        }
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  it("names the entry that max picks", () => {
    fc.assert(
      fc.property(few, ([x, axis]) => {
        fc.pre(sizeOf(x.shape) !== 0);
        const t = in64(x);
        const along = axis < 0 ? axis + x.shape.length : axis;
        const [length, inner] = [x.shape[along], sizeOf(x.shape.slice(along + 1))];
        const picked = [...argmax(t, axis)].map(
          (index, o) => t.data[(Math.floor(o / inner) * length + index) * inner + (o % inner)],
        );
        expect(picked).toEqual([...max(t, axis).data]);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("takes the last axis where none is named, row by row", () => {
    const x = tensor([
      [
        [1, 5, 2],
        [4, 3, 4],
      ],
      [
        [0, -1, -2],
        [-3, -2, -1],
      ],
    ]);
    expect(argmax(x)).toEqual(Int32Array.of(1, 0, 0, 2));
    expect(argmax(x, 1)).toEqual(Int32Array.of(1, 0, 1, 0, 0, 1));
    expect(argmax(x, 0)).toEqual(Int32Array.of(0, 0, 0, 0, 0, 0));
  });

  it("gives the labels that predictLabels gives", () => {
    const logits = tensor([
      [0.5, 2, 2],
      [3, -1, 0],
    ]);
    expect(argmax(logits)).toEqual(predictLabels(logits));
  });

  it("gives one index for a vector, and none where the other axes are empty", () => {
    expect(argmax(tensor([3, 7, 7]))).toEqual(Int32Array.of(1));
    expect(argmax(ones([0, 3]))).toEqual(new Int32Array(0));
    expect(argmax(ones([2, 3, 0]), 1)).toEqual(new Int32Array(0));
  });

  it("leaves its operand alone", () => {
    const x = tensor([[1, 2]], { requiresGrad: true });
    argmax(x, 0);
    expect(x.toArray()).toEqual([[1, 2]]);
    expect(x.storage.version).toBe(0);
  });

  it.each<[message: string, code: string, call: () => unknown]>([
    [
      "argmax: operand 0 must be a tensor, got an array; wrap it in tensor(…)",
      "value",
      () => argmax([1, 2] as unknown as Tensor),
    ],
    ["argmax: axis -1 is outside [], which has 0 axes", "shape", () => argmax(ones([]))],
    ["argmax: axis 2 is outside [2, 3], which has 2 axes", "shape", () => argmax(ones([2, 3]), 2)],
    ["argmax: an axis is a whole number, got null", "shape", () => argmax(ones([2, 3]), null as never)],
    ["argmax: nothing to compare in [2, 0] along axis 1", "shape", () => argmax(ones([2, 0]))],
    ["argmax: nothing to compare in [0, 3] along axis 0", "shape", () => argmax(ones([0, 3]), -2)],
  ])("says: %s", (message, code, call) => {
    expect(call).toThrow(says(code, message));
  });
});
