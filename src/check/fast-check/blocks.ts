/** Numbers in a shape, before they are a tensor, and how they become simpler. */
import type fc from "fast-check";
import type { Kernels } from "../../kernels/kernels.ts";
import { ordinary } from "../../kernels/ordinary.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { Tensor } from "../../tensor.ts";

export interface Block {
  readonly shape: Shape;
  readonly values: readonly number[];
}

/** Drawn blocks as tensors of a set. */
export const tensorsFrom = (blocks: fc.Arbitrary<Block>, kernels: Kernels): fc.Arbitrary<Tensor> =>
  blocks.map(({ shape, values }) => {
    const data = ordinary(kernels, values.length);
    data.set(values);
    return new Tensor(data, shape, kernels);
  });

/**
 * One entry of an axis, which then is gone; either half of it; all but one of its entries, as long as something is left.
 *
 * @param least the smallest size of an axis
 */
export function* parts(block: Block, minRank: number, least: (axis: number) => number): Iterable<Block> {
  const { shape } = block;
  if (shape.length > minRank) {
    for (const [axis, size] of shape.entries()) {
      for (let only = 0; only < size; only++) {
        const { values } = kept(block, axis, (i) => i === only);
        yield { shape: shape.filter((_, own) => own !== axis), values };
      }
    }
  }
  for (const [axis, size] of shape.entries()) {
    const fewest = Math.max(least(axis), 1);
    const half = Math.floor(size / 2);
    if (half >= fewest) yield kept(block, axis, (i) => i < half);
    if (half > 0 && size - half >= fewest) yield kept(block, axis, (i) => i >= half);
    if (size - 1 < fewest) continue;
    for (let without = 0; without < size; without++) yield kept(block, axis, (i) => i !== without);
  }
}

/** Some of the entries along an axis. */
function kept({ shape, values }: Block, axis: number, keep: (i: number) => boolean): Block {
  const inner = sizeOf(shape.slice(axis + 1));
  const left = Array.from({ length: shape[axis] }, (_, i) => i).filter(keep).length;
  return {
    shape: shape.map((size, own) => (own === axis ? left : size)),
    values: values.filter((_, i) => keep(Math.floor(i / inner) % shape[axis])),
  };
}

/** All values at their simplest, then each value by itself. */
export function* simplerLists(
  values: readonly number[],
  simpler: (x: number) => readonly number[],
): Iterable<readonly number[]> {
  const choices = values.map(simpler);
  if (choices.filter(({ length }) => length > 0).length > 1) yield values.map((x, i) => choices[i][0] ?? x);
  for (const [i, list] of choices.entries()) {
    for (const value of list) yield [...values.slice(0, i), value, ...values.slice(i + 1)];
  }
}
