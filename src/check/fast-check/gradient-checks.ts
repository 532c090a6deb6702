/** What is checked of an op's gradients, and of what is recorded for them. */
import { Computation } from "../../graph.ts";
import { float32 } from "../../kernels/float32.ts";
import { float64 } from "../../kernels/float64.ts";
import type { Floats } from "../../kernels/kernels.ts";
import { sizeOf } from "../../shape.ts";
import { gradcheck } from "../gradcheck.ts";
import type { CaseCheck } from "./case-check.ts";
import { largest, requireClose, requireSame } from "./compare.ts";
import type { OpCase } from "./op-spec.ts";
import { copiesIn, gradientOf, leavesIn, pass, randomNumbers, tensorIn } from "./passes.ts";
import { smallest, unitRoundoff } from "./roundings.ts";

export const hasItsGradient: CaseCheck = {
  says: "has the gradient that differences measure",
  share: 2 / 3,
  holds: (drawn, seed) => {
    const { operands, call, step } = drawn;
    gradcheck(call, copiesIn(float64, operands), { seed, ...(step !== undefined && { step }) });
  },
};

export const hasAnExactGradientInFloat32: CaseCheck = {
  says: "has a gradient in float32 that is as exact as its bounds say",
  share: 2 / 3,
  holds: (drawn, seed) => {
    const dy = randomNumbers(sizeOf(drawn.shape), seed);
    const [single, double] = [float32, float64].map((kernels) => pass(kernels, drawn, dy));
    const { gradientBound = (_, gradient) => 2 * unitRoundoff * Math.abs(gradient) } = drawn;
    requireEach(
      drawn,
      single.gradients,
      double.gradients,
      (which) => (gradient, i) => gradientBound(which, gradient, i, dy) + smallest,
    );
  },
};

export const addsItsGradients: CaseCheck = {
  says: "adds to a gradient that is there",
  share: 1 / 6,
  holds: (drawn, seed) => {
    const dy = randomNumbers(sizeOf(drawn.shape), seed);
    const leaves = leavesIn(float64, drawn);
    for (let use = 0; use < 2; use++) drawn.call(...leaves).backward(tensorIn(float64, dy, drawn.shape));
    const once = pass(float64, drawn, dy).gradients;
    // The sums of either use may be added in another order: a few hundred roundings of numbers of the size of the largest.
    const bound = 1e-12 * (1 + largest(...once));
    const twice = once.map((gradient) => gradient.map((g) => 2 * g));
    requireEach(drawn, leaves.map(gradientOf), twice, () => () => bound, " after two uses");
  },
};

export const computesOnlyWhatIsAsked: CaseCheck = {
  says: "computes no derivative that nobody asked for",
  share: 1 / 6,
  holds: (drawn, seed) => {
    const { call, operands } = drawn;
    if (call(...copiesIn(float64, operands)).requiresGrad) {
      throw new Error("y requires a gradient, and no operand does");
    }
    const dy = randomNumbers(sizeOf(drawn.shape), seed);
    const all = pass(float64, drawn, dy).gradients;
    for (const [asked, { shape }] of operands.entries()) {
      const leaves = copiesIn(float64, operands);
      leaves[asked].requiresGrad = true;
      call(...leaves).backward(tensorIn(float64, dy, drawn.shape));
      for (const [which, leaf] of leaves.entries()) {
        if (which !== asked && leaf.grad !== null) {
          throw new Error(`operand ${which} has a gradient, and only operand ${asked} requires one`);
        }
      }
      requireSame(
        `the gradient of operand ${asked}, asked for alone,`,
        gradientOf(leaves[asked]),
        all[asked],
        shape,
      );
    }
  },
};

export const isLinearInTheCotangent: CaseCheck = {
  says: "has gradients that are linear in the cotangent",
  share: 1 / 6,
  holds: (drawn, seed) => {
    const [u, w] = [seed, seed + 1].map((one) => randomNumbers(sizeOf(drawn.shape), one));
    const [ofU, ofW] = [u, w].map((dy) => pass(float64, drawn, dy).gradients);
    const sum = u.map((value, i) => value + 2 * w[i]);
    const wanted = ofU.map((gradient, which) => gradient.map((g, i) => g + 2 * ofW[which][i]));
    // A few hundred roundings of numbers of the size of the largest.
    const bound = 1e-12 * (1 + 3 * largest(...ofU, ...ofW));
    requireEach(drawn, pass(float64, drawn, sum).gradients, wanted, () => () => bound);
  },
};

export const sendsNothingForNothing: CaseCheck = {
  says: "has gradients of exactly 0 for a cotangent of 0",
  share: 1 / 6,
  holds: (drawn) => {
    for (const kernels of [float32, float64]) {
      const { gradients } = pass(kernels, drawn, new Array<number>(sizeOf(drawn.shape)).fill(0));
      requireEach(
        drawn,
        gradients.map((gradient) => gradient.map(Math.abs)),
        gradients.map(({ length }) => new Float64Array(length)),
        () => () => 0,
      );
    }
  },
};

export const isRecordedAs = (names: readonly (string | null)[]): CaseCheck => ({
  says: `calls itself ${names.map((name) => name ?? "by no name").join(" or ")} in the graph`,
  share: 1 / 12,
  only: {
    cases: ({ shape, operands }) => sizeOf(shape) > 0 && operands.every(({ size }) => size > 0),
    otherwise: "draw operands with values",
  },
  holds: (drawn) => {
    const { node } = drawn.call(...leavesIn(float64, drawn));
    const name = node instanceof Computation ? node.op : null;
    if (!names.includes(name))
      throw new Error(`it is ${name === null ? "no computation" : `called ${name}`}`);
  },
});

/** Requires gradients that are close, operand by operand. */
function requireEach(
  { operands }: OpCase,
  got: readonly Floats[],
  wanted: readonly Floats[],
  bound: (which: number) => (wanted: number, index: number) => number,
  when = "",
): void {
  for (const [which, { shape }] of operands.entries()) {
    requireClose(`the gradient of operand ${which}${when}`, got[which], wanted[which], shape, bound(which));
  }
}
