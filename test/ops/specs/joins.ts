/** The table of ops: tensors within a larger one. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, operand, shape, size } from "../../support/arbitraries.ts";
import { at, axisWithin, filled, joined, replaced } from "../multi-index.ts";
import { mixed, mixedMessage, notATensor, type OpSpecs, three } from "../spec.ts";

export const joins = {
  concat: {
    linear: [[0, 1, 2]],
    samples: axisWithin()
      .chain(([of, axis, given]) =>
        fc.tuple(
          fc
            .array(size(), { minLength: 1, maxLength: 3 })
            .chain((lengths) => fc.tuple(...lengths.map((length) => operand(replaced(of, axis, length))))),
          fc.constant({ axis, given }),
        ),
      )
      .map(([parts, { axis, given }]) => {
        const [to, expected] = joined(parts, axis);
        return {
          operands: parts.map(in64),
          call: (...tensors: Tensor[]) => ops.concat(tensors, given),
          shape: to,
          expected,
        };
      }),
    errors: [
      [() => ops.concat([three]), notATensor("concat")],
      [() => ops.concat(mixed), mixedMessage("concat")],
      [() => ops.concat([]), "concat: expected a list of at least one tensor, got an empty one"],
      [
        () => ops.concat(ones([2]) as unknown as Tensor[]),
        "concat: expected a list of at least one tensor, got a Tensor",
      ],
      [() => ops.concat([ones([])]), "concat: axis 0 is outside [], which has 0 axes"],
      [() => ops.concat([ones([2, 3])], 2), "concat: axis 2 is outside [2, 3], which has 2 axes"],
      [
        () => ops.concat([ones([2, 3]), ones([2, 4]), ones([3, 3])], 1),
        "concat: expected equal sizes but along axis 1, got [2, 3] and, as tensor 2, [3, 3]",
      ],
      [
        () => ops.concat([ones([2, 3]), ones([2])]),
        "concat: expected equal sizes but along axis 0, got [2, 3] and, as tensor 1, [2]",
      ],
    ],
  },
  stack: {
    linear: [[0, 1, 2]],
    samples: shape({ maxRank: 3 })
      .chain((of) =>
        fc.tuple(
          fc.array(operand(of), { minLength: 1, maxLength: 3 }),
          fc.integer({ min: -of.length - 1, max: of.length }),
        ),
      )
      .map(([parts, given]) => {
        const of = parts[0].shape;
        const axis = given < 0 ? given + of.length + 1 : given;
        const [to, expected] = joined(
          parts.map((part) => ({ ...part, shape: [...of.slice(0, axis), 1, ...of.slice(axis)] })),
          axis,
        );
        return {
          operands: parts.map(in64),
          call: (...tensors: Tensor[]) => ops.stack(tensors, given),
          shape: to,
          expected,
        };
      }),
    errors: [
      [() => ops.stack([three]), notATensor("stack")],
      [() => ops.stack(mixed), mixedMessage("stack")],
      [() => ops.stack([]), "stack: expected a list of at least one tensor, got an empty one"],
      [() => ops.stack([ones([3])], 2), "stack: axis 2 is outside [1, 3], which has 2 axes"],
      [
        () => ops.stack([ones([2, 3]), ones([2, 3]), ones([3, 2])]),
        "stack: expected equal shapes, got [2, 3] and, as tensor 2, [3, 2]",
      ],
    ],
  },
  pad: {
    // With zeros for its margins.
    linear: [[0]],
    samples: shape({ maxRank: 3 })
      .chain((of) =>
        fc.tuple(
          operand(of),
          fc.tuple(...of.map(() => fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })))),
          fc.constantFrom(undefined, -1.5),
        ),
      )
      .map(([x, widths, value]) => {
        const to = x.shape.map((length, axis) => widths[axis][0] + length + widths[axis][1]);
        return {
          operands: [in64(x)],
          call: (t: Tensor) => ops.pad(t, widths, { value }),
          ...(value !== undefined && { linear: [] }),
          shape: to,
          expected: filled(to, (index) => {
            const within = index.map((i, axis) => i - widths[axis][0]);
            return within.every((i, axis) => i >= 0 && i < x.shape[axis]) ? at(x, within) : (value ?? 0);
          }),
        };
      }),
    errors: [
      [() => ops.pad(three, []), notATensor("pad")],
      [
        () => ops.pad(ones([2, 3]), [[1, 1]]),
        "pad: expected widths [before, after] for each of the 2 axes of [2, 3], got 1",
      ],
      [
        () => ops.pad(ones([2, 3]), undefined as unknown as ops.Margins[]),
        "pad: expected widths [before, after] for each of the 2 axes of [2, 3], got undefined",
      ],
      ...[[1], [1, -1], [1, 0.5], [1, 1, 1]].map(
        (pair) =>
          [
            () => ops.pad(ones([2, 3]), [[0, 0], pair as unknown as ops.Margins]),
            `pad: widths are two whole numbers of at least 0, got [${pair.join(", ")}] for axis 1`,
          ] as const,
      ),
      [
        () => ops.pad(ones([2, 3]), [1, 1] as unknown as ops.Margins[]),
        "pad: widths are two whole numbers of at least 0, got 1 for axis 0",
      ],
      [
        () => ops.pad(ones([1]), [[1, 1]], { value: "0" as unknown as number }),
        'pad: value must be a number, got "0", a string',
      ],
      [() => ops.pad(ones([1]), [[1, 1]], 1 as unknown as ops.PadOptions), "pad: expected { value }, got 1"],
    ],
  },
} satisfies OpSpecs;
