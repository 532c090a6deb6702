import { Tensor } from "../../src/tensor.ts";

/** The samples of a batch that are wanted, in that order: parts along its first axis. */
export function samplesOf({ shape, data, kernels }: Tensor, wanted: readonly number[]): Tensor {
  const size = data.length / shape[0];
  const values = kernels.alloc(wanted.length * size);
  for (const [i, n] of wanted.entries()) values.set(data.subarray(n * size, (n + 1) * size), i * size);
  return new Tensor(values, [wanted.length, ...shape.slice(1)], kernels);
}

/** Sample n of a batch, as a batch of one. */
export const sampleOf = (x: Tensor, n: number): Tensor => samplesOf(x, [n]);
