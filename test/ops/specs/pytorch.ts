/** PyTorch's numbers, as golden cases of the table of ops. */
import type { GoldenCase } from "../../../src/check/fast-check/index.ts";
import { tensor } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Shape } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { golden, type OpCase } from "../../golden/golden.ts";

const { cases } = golden("ops");

/** PyTorch's `amax` spreads the gradient over equal maxima, where `max` gives it to the first. */
const isTieOfAmax = ({ op, tag }: OpCase): boolean => op === "amax" && tag.startsWith("ties");

/** The cases of one of PyTorch's ops, and the call that ours is for one of them. */
export const pytorch = (op: string, callOf: (golden: OpCase) => GoldenCase["call"]): GoldenCase[] =>
  cases
    .filter((one) => one.op === op && !isTieOfAmax(one))
    .map((one, i) => ({
      at: `PyTorch's ${op}, ${i}${one.tag === "" ? "" : ` (${one.tag})`}`,
      operands: Object.values(one.inputs).map(({ shape, data }) => in64(data.map(Math.fround), shape)),
      call: callOf(one),
      value: in64(one.out64, one.out_shape),
      gradients: Object.entries(one.inputs).map(([name, { shape }]) =>
        name in one.grads64 ? in64(one.grads64[name], shape) : null,
      ),
      cotangent: in64(one.upstream.map(Math.fround), one.out_shape),
      // They have 12 digits, and two engines round.
      tolerance: 1e-11,
    }));

const in64 = (values: readonly number[], shape: Shape): Tensor =>
  tensor(Float64Array.from(values), { shape, kernels: float64 });
