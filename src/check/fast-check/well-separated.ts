import fc from "fast-check";
import type { Tensor } from "../../tensor.ts";
import { listsOf, type TensorKindOptions, tensorsOf } from "./tensors.ts";

export interface WellSeparatedOptions extends TensorKindOptions {
  /** The least distance between any two values. Default 0.05, which is 50 steps of a difference. */
  readonly gap?: number;
}

/**
 * Tensors in which no two values are closer than a gap: for functions such as a maximum or a sort, which have a kink where
 * two values are equal. The values lie around 0, in any order.
 *
 * Shrinks to a part of the tensor, as long as its shape is drawn, then to even distances and an ascending order.
 */
export function wellSeparated({ gap = 0.05, ...options }: WellSeparatedOptions = {}): fc.Arbitrary<Tensor> {
  // Places are 1.5 gaps apart, and what is added to a place is less than half a gap: also once it is rounded.
  const at = (rank: number, size: number, more = 0): number =>
    Math.fround(1.5 * gap * (rank - Math.floor(size / 2)) + 0.499 * gap * more);
  return tensorsOf(options, {
    draw: (size) =>
      fc
        .tuple(
          fc.shuffledSubarray(
            Array.from({ length: size }, (_, i) => i),
            { minLength: size },
          ),
          listsOf(size, fc.integer({ min: 0, max: 1000 })),
        )
        .map(([ranks, more]) => ranks.map((rank, i) => at(rank, size, more[i] / 1000))),
    *simpler(drawn) {
      const sorted = [...drawn].sort((a, b) => a - b);
      const ascending = drawn.map((_, rank) => at(rank, drawn.length));
      const evenly = drawn.map((x) => ascending[sorted.indexOf(x)]);
      for (const simpler of [ascending, evenly]) {
        if (simpler.some((x, i) => x !== drawn[i])) yield simpler;
      }
    },
  });
}
