/** The table of ops: many values become one. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { operand, shape, thinned } from "../../support/arbitraries.ts";
import { sumOver } from "../reference.ts";
import { empty, notATensor, type OpSpecs, reduction, three } from "../spec.ts";

export const reductions = {
  sumTo: {
    cases: shape().chain((large) =>
      fc.tuple(operand(large), thinned(large)).map(([x, small]) => ({
        operands: [x],
        call: (t: Tensor) => ops.sumTo(t, small),
        shape: small,
        expected: sumOver(x, small),
      })),
    ),
    errors: [
      [() => ops.sumTo(three, [2]), notATensor("sumTo")],
      [() => ops.sumTo(ones([3]), [2, 3]), "sumTo: shape [2, 3] does not broadcast to [3]"],
    ],
  },
  sum: {
    cases: reduction(ops.sum, 0, (sum) => sum),
    errors: [
      [() => ops.sum(three), notATensor("sum")],
      [() => ops.sum(ones([2, 3]), 2), "sum: axis 2 is outside [2, 3], which has 2 axes"],
      [() => ops.sum(ones([2, 3]), [0, -2]), "sum: an axis is named twice in [0, -2]"],
      [() => ops.sum(ones([2, 3]), 0.5), "sum: axis 0.5 is outside [2, 3], which has 2 axes"],
    ],
  },
  mean: {
    cases: reduction(ops.mean, 1, (sum, count) => sum / count),
    errors: [
      [() => ops.mean(three), notATensor("mean")],
      [() => ops.mean(empty, 0), "mean: nothing to average in [0, 3] over axes [0]"],
      [() => ops.mean(ones([2]), 1), "mean: axis 1 is outside [2], which has 1 axes"],
    ],
  },
} satisfies OpSpecs;
