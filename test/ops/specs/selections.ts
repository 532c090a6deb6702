/** The table of ops: parts of a tensor. */
import fc from "fast-check";
import { ones, tensor } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import * as ops from "../../../src/ops/index.ts";
import { sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, operand, shape, size } from "../../support/arbitraries.ts";
import { at, axisWithin, filled, joined, replaced } from "../multi-index.ts";
import { notATensor, type OpSpecs, three } from "../spec.ts";

/** Up to `most` indices of an axis of this length, with repetitions. */
const indicesBelow = (length: number, most: number): fc.Arbitrary<number[]> =>
  length === 0 ? fc.constant([]) : fc.array(fc.nat({ max: length - 1 }), { maxLength: most });

export const selections = {
  slice: {
    linear: [[0]],
    samples: axisWithin()
      .chain(([of, axis, given]) =>
        fc.tuple(
          operand(of),
          fc.tuple(fc.nat({ max: of[axis] }), fc.nat({ max: of[axis] })),
          fc.tuple(fc.boolean(), fc.boolean()),
          fc.constant({ axis, given }),
        ),
      )
      .map(([x, places, negative, { axis, given }]) => {
        const length = x.shape[axis];
        const [from, to] = [Math.min(...places), Math.max(...places)];
        // −0 would be 0, and the end of an axis is its default.
        const start = negative[0] && from < length ? from - length : from;
        const end = to === length ? undefined : negative[1] ? to - length : to;
        const cut = replaced(x.shape, axis, to - from);
        return {
          operands: [in64(x)],
          call: (t: Tensor) => ops.slice(t, given, start, end),
          shape: cut,
          expected: filled(cut, (index) => at(x, replaced(index, axis, index[axis] + from))),
        };
      }),
    errors: [
      [() => ops.slice(three, 0, 0), notATensor("slice")],
      [() => ops.slice(ones([2, 3]), 2, 0), "slice: axis 2 is outside [2, 3], which has 2 axes"],
      [
        () => ops.slice(ones([2, 3]), 1, 4),
        "slice: start must be a whole number from -3 to 3 along axis 1 of [2, 3], got 4",
      ],
      [
        () => ops.slice(ones([2, 3]), 1, -4),
        "slice: start must be a whole number from -3 to 3 along axis 1 of [2, 3], got -4",
      ],
      [
        () => ops.slice(ones([2, 3]), -1, 0, 4),
        "slice: end must be a whole number from -3 to 3 along axis 1 of [2, 3], got 4",
      ],
      [
        () => ops.slice(ones([2, 3]), 1, 0.5),
        "slice: start must be a whole number from -3 to 3 along axis 1 of [2, 3], got 0.5",
      ],
      [
        () => ops.slice(ones([2, 3]), 1, undefined as unknown as number),
        "slice: start must be a whole number from -3 to 3 along axis 1 of [2, 3], got undefined",
      ],
      [() => ops.slice(ones([2, 3]), 1, 2, -2), "slice: start 2 lies behind end -2 along axis 1 of [2, 3]"],
    ],
  },
  split: {
    // What the call does with the parts.
    recordedAs: ["concat"],
    linear: [[0]],
    samples: axisWithin()
      .chain(([of, axis, given]) =>
        fc.array(size(), { minLength: 1, maxLength: 3 }).chain((sizes) => {
          const total = sizes.reduce((sum, part) => sum + part, 0);
          return fc.tuple(operand(replaced(of, axis, total)), fc.constant({ sizes, axis, given }));
        }),
      )
      .map(([x, { sizes, axis, given }]) => {
        const equal = sizes.every((part) => part === sizes[0]);
        // The parts in reverse order, the first of them doubled.
        let end = x.shape[axis];
        const parts = [...sizes].reverse().map((part, i) => {
          end -= part;
          const cut = replaced(x.shape, axis, part);
          const from = end;
          return {
            shape: cut,
            values: filled(
              cut,
              (index) => (i === 0 ? 2 : 1) * at(x, replaced(index, axis, index[axis] + from)),
            ),
          };
        });
        const [to, expected] = joined(parts, axis);
        return {
          operands: [in64(x)],
          call: (t: Tensor) => {
            const [last, ...others] = ops.split(t, equal ? sizes.length : sizes, given).reverse();
            return ops.concat([ops.scale(last, 2), ...others], given);
          },
          shape: to,
          expected,
        };
      }),
    errors: [
      [() => ops.split(three, 2), notATensor("split")],
      [() => ops.split(ones([2, 3]), 2, 2), "split: axis 2 is outside [2, 3], which has 2 axes"],
      [
        () => ops.split(ones([2, 3]), 2, -1),
        "split: axis 1 of [2, 3] does not divide into 2 equal parts; pass their sizes",
      ],
      [() => ops.split(ones([2, 3]), 0), "split: parts must be a whole number of at least 1, got 0"],
      [() => ops.split(ones([2, 3]), 1.5), "split: parts must be a whole number of at least 1, got 1.5"],
      [
        () => ops.split(ones([2, 3]), undefined as unknown as number),
        "split: expected a number of parts or a list of their sizes, got undefined",
      ],
      [
        () => ops.split(ones([2, 3]), [1, 1], 1),
        "split: sizes [1, 1] add up to 2, but axis 1 of [2, 3] has 3",
      ],
      [
        () => ops.split(ones([2, 3]), [4, -1], 1),
        "split: a size must be a whole number of at least 0, got -1",
      ],
    ],
  },
  gather: {
    linear: [[0]],
    samples: axisWithin()
      .chain(([of, axis, given]) =>
        fc.tuple(operand(of), indicesBelow(of[axis], 5), fc.constant({ axis, given })),
      )
      .map(([x, indices, { axis, given }]) => {
        const to = replaced(x.shape, axis, indices.length);
        return {
          operands: [in64(x)],
          call: (t: Tensor) => ops.gather(t, indices, given),
          shape: to,
          expected: filled(to, (index) => at(x, replaced(index, axis, indices[index[axis]]))),
        };
      }),
    errors: [
      [() => ops.gather(three, [0]), notATensor("gather")],
      [() => ops.gather(ones([2, 3]), [0], 2), "gather: axis 2 is outside [2, 3], which has 2 axes"],
      [() => ops.gather(ones([2, 3]), [0, 2]), "gather: index 2 at position 1 is outside [0, 2)"],
      [() => ops.gather(ones([2, 3]), [0, -1], 1), "gather: index -1 at position 1 is outside [0, 3)"],
      [() => ops.gather(ones([2, 3]), [0.5]), "gather: indices are whole numbers, got 0.5 at position 0"],
      [
        () => ops.gather(ones([2, 3]), [[0]] as unknown as number[]),
        "gather: indices are whole numbers, got an array at position 0",
      ],
      [
        () => ops.gather(ones([2, 3]), ones([1]) as unknown as number[]),
        "gather: expected indices as an array of whole numbers, got a Tensor",
      ],
      [
        () => ops.gather(ones([2, 3]), undefined as unknown as number[]),
        "gather: expected indices as an array of whole numbers, got undefined",
      ],
    ],
  },
  embedding: {
    linear: [[0]],
    samples: fc
      .tuple(shape({ maxRank: 2 }), fc.integer({ min: 1, max: 4 }), size())
      .chain(([lead, rows, width]) =>
        fc.tuple(
          operand([rows, width]),
          fc.array(fc.nat({ max: rows - 1 }), { minLength: sizeOf(lead), maxLength: sizeOf(lead) }),
          fc.constant(lead),
        ),
      )
      .map(([weight, indices, lead]) => ({
        operands: [in64(weight)],
        call: (w: Tensor) =>
          ops.embedding(tensor(Float64Array.from(indices), { shape: lead, kernels: w.kernels }), w),
        shape: [...lead, weight.shape[1]],
        expected: indices.flatMap((index) =>
          Array.from({ length: weight.shape[1] }, (_, i) => at(weight, [index, i])),
        ),
      })),
    errors: [
      [() => ops.embedding(three, ones([2, 3])), notATensor("embedding")],
      [
        () => ops.embedding(ones([2], { kernels: float64 }), ones([2, 3])),
        "embedding: operands live in two kernel sets, float64 and float32; make both with the same",
      ],
      [() => ops.embedding(ones([2]), ones([3])), "embedding: expected weight [rows, width], got [3]"],
      [
        () =>
          ops.embedding(
            tensor([
              [0, 1],
              [2, 0],
            ]),
            ones([2, 3]),
          ),
        "embedding: index 2 at position 2 is outside [0, 2)",
      ],
      [
        () => ops.embedding(tensor([0, -1]), ones([2, 3])),
        "embedding: index -1 at position 1 is outside [0, 2)",
      ],
      [
        () => ops.embedding(tensor([0, 1.5]), ones([2, 3])),
        "embedding: indices are whole numbers, got 1.5 at position 1",
      ],
      [
        () => ops.embedding(tensor([Number.NaN]), ones([2, 3])),
        "embedding: indices are whole numbers, got NaN at position 0",
      ],
    ],
  },
} satisfies OpSpecs;
