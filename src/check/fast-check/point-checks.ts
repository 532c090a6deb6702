/** What is checked at single points: edges of the domain, choices at kinks, numbers from elsewhere, refusals. */
import { tensor } from "../../factories.ts";
import { float32 } from "../../kernels/float32.ts";
import { float64 } from "../../kernels/float64.ts";
import type { Kernels } from "../../kernels/kernels.ts";
import type { NestedNumbers } from "../../nested.ts";
import { Tensor } from "../../tensor.ts";
import { requireClose, requireSame, requireShapeOf } from "./compare.ts";
import type { GoldenCase, OpCheck, OpPoint } from "./op-spec.ts";
import { gradientOf, tensorIn } from "./passes.ts";

/** The point, exactly: in float32, and in float64 once it is rounded. */
export function checkOfPoint(op: string, kind: string, point: OpPoint): OpCheck {
  const name = `${op} ${kind} ${point.at}`;
  return {
    name,
    run: () => {
      for (const kernels of [float32, float64]) {
        compare(point, kernels, `It is not true that ${name}: in ${kernels.name},`, (what, got, wanted) => {
          requireSame(what, Float32Array.from(got.data), Float32Array.from(wanted.data), got.shape);
        });
      }
    },
  };
}

export function checkOfGolden(op: string, golden: GoldenCase): OpCheck {
  const name = `${op} gives the golden numbers of ${golden.at}`;
  const { tolerance = 1e-12 } = golden;
  return {
    name,
    run: () => {
      compare(golden, float64, `It is not true that ${name}:`, (what, got, wanted) => {
        requireClose(what, got.data, wanted.data, got.shape, (y) => tolerance * (1 + Math.abs(y)));
      });
    },
  };
}

/** Whatever the call throws must have this message, and no other. */
export const checkOfError = (op: string, call: () => unknown, message: string): OpCheck => ({
  name: `${op} says: ${message}`,
  run: () => {
    try {
      call();
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (said === message) return;
      throw new Error(`${op}: expected the error "${message}", got "${said}"`, { cause: error });
    }
    throw new Error(`${op}: expected the error "${message}", got none`);
  },
});

type Compare = (what: string, got: Tensor, wanted: Tensor) => void;

function compare(
  { operands, call, value, gradients = [], cotangent }: OpPoint,
  kernels: Kernels,
  lead: string,
  same: Compare,
): void {
  const leaves = operands.map((operand) => {
    const leaf = inSet(operand, kernels);
    leaf.requiresGrad = gradients.length > 0;
    return leaf;
  });
  const y = call(...leaves);
  if (value !== undefined) compareShaped(`${lead} y`, y, inSet(value, kernels), same);
  if (gradients.length === 0) return;
  y.backward(
    cotangent === undefined
      ? tensorIn(kernels, new Array<number>(y.size).fill(1), y.shape)
      : inSet(cotangent, kernels),
  );
  for (const [which, wanted] of gradients.entries()) {
    if (wanted === null) continue;
    const { shape } = leaves[which];
    const got = tensorIn(kernels, gradientOf(leaves[which]), shape);
    compareShaped(`${lead} the gradient of operand ${which}`, got, inSet(wanted, kernels), same);
  }
}

function compareShaped(what: string, got: Tensor, wanted: Tensor, same: Compare): void {
  requireShapeOf(what, got, wanted.shape);
  same(what, got, wanted);
}

/** A fresh tensor of a set. */
const inSet = (given: NestedNumbers | Tensor, kernels: Kernels): Tensor =>
  given instanceof Tensor ? tensorIn(kernels, given.data, given.shape) : tensor(given, { kernels });
