/** Floor 4: a teacher's answers as distributions over classes, not rounded yet. */
import type { Rows } from "../../ops/operands.ts";
import type { Tensor } from "../../tensor.ts";

export interface Distribution {
  readonly probabilities: Float64Array;
  readonly logarithms: Float64Array;
}

/** softmax(v / T) of each row and its logarithm, in float64. */
export function distributionOf(
  { data, kernels }: Tensor,
  { rows, cols }: Rows,
  temperature: number,
): Distribution {
  const [probabilities, logarithms] = [kernels.wideRoom(data.length), kernels.wideRoom(data.length)];
  kernels.distribution(probabilities, logarithms, data, rows, cols, temperature);
  return { probabilities, logarithms };
}
