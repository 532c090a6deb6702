/** What is checked of an op's values and shapes. */
import { float32 } from "../../kernels/float32.ts";
import { float64 } from "../../kernels/float64.ts";
import { sizeOf } from "../../shape.ts";
import type { CaseCheck } from "./case-check.ts";
import { requireClose, requireSame, requireShapeOf } from "./compare.ts";
import { copiesIn, pass, randomNumbers } from "./passes.ts";
import { smallest, unitRoundoff } from "./roundings.ts";

export const hasItsShape: CaseCheck = {
  says: "has the shape that it promises",
  share: 1 / 4,
  holds: (drawn) => {
    for (const kernels of [float32, float64]) {
      const y = drawn.call(...copiesIn(kernels, drawn.operands));
      requireShapeOf("y", y, drawn.shape);
      if (y.kernels !== kernels)
        throw new Error(`y is in ${y.kernels.name}, and its operands in ${kernels.name}`);
    }
  },
};

export const givesItsReference: CaseCheck = {
  says: "gives what its reference gives",
  share: 1,
  holds: (drawn) => {
    const { data, shape } = drawn.call(...copiesIn(float64, drawn.operands));
    // The reference adds and subtracts numbers of the size of 10 in float64, a few hundred roundings at the most.
    requireClose("y", data, drawn.expected, shape, (y) => 1e-12 * (1 + Math.abs(y)));
  },
};

export const isExactInFloat32: CaseCheck = {
  says: "is as exact in float32 as its bounds say",
  share: 2 / 3,
  holds: (drawn) => {
    const [single, double] = [float32, float64].map((kernels) =>
      drawn.call(...copiesIn(kernels, drawn.operands)),
    );
    const { bound = (y) => unitRoundoff * Math.abs(y) } = drawn;
    requireClose("float32's y", single.data, double.data, drawn.shape, (y, i) => bound(y, i) + smallest);
  },
};

export const takesNoValues: CaseCheck = {
  says: "is right where there are no values",
  share: 1 / 6,
  only: {
    cases: ({ operands, shape }) => sizeOf(shape) === 0 || operands.some(({ size }) => size === 0),
    otherwise: "let them hold some, or say refusesEmpty: true",
  },
  holds: (drawn, seed) => {
    const dy = randomNumbers(sizeOf(drawn.shape), seed);
    for (const kernels of [float32, float64]) {
      const { y, gradients } = pass(kernels, drawn, dy);
      requireShapeOf("y", y, drawn.shape);
      if (y.size > 0) continue;
      for (const [which, { shape, size }] of drawn.operands.entries()) {
        requireSame(
          `the gradient of operand ${which}`,
          gradients[which],
          new Array<number>(size).fill(0),
          shape,
        );
      }
    }
  },
};
