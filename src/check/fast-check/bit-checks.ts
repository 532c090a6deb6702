/** What is checked of the bits of an op's values and gradients: which of them are the same. */
import { float32 } from "../../kernels/float32.ts";
import { float64 } from "../../kernels/float64.ts";
import { plainFloat32 } from "../../kernels/plain-float32.ts";
import { sizeOf } from "../../shape.ts";
import type { CaseCheck } from "./case-check.ts";
import { requireSame } from "./compare.ts";
import type { OpCase } from "./op-spec.ts";
import { leavesIn, type Pass, pass, randomNumbers, tensorIn } from "./passes.ts";

export const givesTheSameBitsTwice: CaseCheck = {
  says: "gives the same bits twice",
  share: 1 / 6,
  holds: (drawn, seed) => {
    const dy = randomNumbers(sizeOf(drawn.shape), seed);
    requireSamePass("the second time", pass(float32, drawn, dy), pass(float32, drawn, dy), drawn);
  },
};

/** Where SIMD kernels serve. The other checks hold float32 to float64; this one holds it to the bits of the plain set. */
export const givesTheBitsOfThePlainSet: CaseCheck = {
  says: "gives the bits of the plain kernels with SIMD",
  share: 1 / 3,
  holds: (drawn, seed) => {
    const dy = randomNumbers(sizeOf(drawn.shape), seed);
    requireSamePass("with SIMD", pass(float32, drawn, dy), pass(plainFloat32, drawn, dy), drawn);
  },
};

/** That a row does not depend on the rows beside it: to the bit, forward and backward. */
export const computesRowsAlone = (axes: number): CaseCheck => {
  const rowAxesOf = ({ rowAxes = axes }: OpCase): number | null => rowAxes;
  return {
    says: "computes a row in a batch to the same bits as the row alone",
    share: 1 / 3,
    only: {
      cases: (drawn) => {
        const own = rowAxesOf(drawn);
        return own !== null && drawn.operands[0].shape.length >= own && drawn.operands[0].size > 0;
      },
      otherwise: "draw an operand 0 of at least as many axes, or leave rowAxes out",
    },
    holds: (drawn, seed) => {
      const [x, ...others] = drawn.operands;
      const rowShape = x.shape.slice(x.shape.length - rowAxesOf(drawn)!);
      const size = sizeOf(rowShape);
      const rows = x.size / size;
      const dy = randomNumbers(sizeOf(drawn.shape), seed);
      const whole = pass(float32, drawn, dy);
      const width = dy.length / rows;
      for (let row = 0; row < rows; row++) {
        const alone = tensorIn(float64, x.data.slice(row * size, (row + 1) * size), [1, ...rowShape]);
        const [start, end] = [row * width, (row + 1) * width];
        const own = pass(float32, { ...drawn, operands: [alone, ...others] }, dy.slice(start, end));
        requireSame(`row ${row} alone`, own.y.data, whole.y.data.slice(start, end), [width]);
        requireSame(
          `the gradient of row ${row} alone`,
          own.gradients[0],
          whole.gradients[0].slice(row * size, (row + 1) * size),
          rowShape,
        );
      }
    },
  };
};

export const leavesItsOperandsAlone: CaseCheck = {
  says: "leaves operands, values and cotangent as they were",
  share: 1 / 6,
  holds: (drawn, seed) => {
    const leaves = leavesIn(float32, drawn);
    const y = drawn.call(...leaves);
    const values = y.data.slice();
    const dy = randomNumbers(y.size, seed);
    const cotangent = tensorIn(float32, dy, y.shape);
    y.backward(cotangent);
    for (const [which, { data, shape }] of drawn.operands.entries()) {
      requireSame(`operand ${which} afterwards`, leaves[which].data, data, shape);
    }
    requireSame("y after backward", y.data, values, y.shape);
    requireSame("the cotangent after backward", cotangent.data, dy, y.shape);
  },
};

function requireSamePass(when: string, got: Pass, wanted: Pass, { operands }: OpCase): void {
  requireSame(`y ${when}`, got.y.data, wanted.y.data, wanted.y.shape);
  for (const [which, { shape }] of operands.entries()) {
    requireSame(
      `the gradient of operand ${which} ${when}`,
      got.gradients[which],
      wanted.gradients[which],
      shape,
    );
  }
}
