import fc from "fast-check";
import { float32 } from "../../kernels/float32.ts";
import type { Kernels } from "../../kernels/kernels.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { type Block, parts, simplerLists, tensorsFrom } from "./blocks.ts";
import { type ShapeOptions, shapes } from "./shapes.ts";
import { Shrinking } from "./shrinking.ts";
import { simplerOf, type ValueOptions, values } from "./values.ts";

export interface TensorKindOptions extends ShapeOptions {
  /** One shape for all of them. Default: shapes within `minRank`, `maxRank`, `minSize` and `maxSize`. */
  readonly shape?: Shape | undefined;
  /** The set they live in. Default float32; the numbers are float32 numbers in either. */
  readonly kernels?: Kernels;
}

export interface TensorsOptions extends TensorKindOptions, ValueOptions {}

/**
 * Tensors of a shape or of drawn shapes, with values from a range, away from kinks.
 *
 *     tensors({ shape: [2, 3], min: -1, max: 1 })
 *     tensors({ maxRank: 2, minSize: 1, gap: 0.05, kernels: float64 })
 *
 * Shrinks to a part of the tensor, as long as its shape is drawn, and to simpler values. Where several shapes depend on
 * each other, draw them first: `shapes().chain((shape) => fc.tuple(tensors({ shape }), tensors({ shape })))`.
 */
export function tensors(options: TensorsOptions = {}): fc.Arbitrary<Tensor> {
  const entry = values(options);
  return tensorsOf(options, {
    draw: (size) => listsOf(size, entry),
    simpler: (drawn) => simplerLists(drawn, simplerOf(entry)),
  });
}

/** Lists of one length. */
export const listsOf = <T>(length: number, entry: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(entry, { minLength: length, maxLength: length });

/** How values are drawn, such that every part of what is drawn could be drawn itself. */
export interface Kind {
  readonly draw: (size: number) => fc.Arbitrary<number[]>;
  /** As many values, simpler ones. */
  readonly simpler: (values: readonly number[]) => Iterable<readonly number[]>;
}

/** Tensors with values of a kind. */
export function tensorsOf(
  { shape: fixed, kernels = float32, ...bounds }: TensorKindOptions,
  { draw, simpler }: Kind,
): fc.Arbitrary<Tensor> {
  const { minRank = 0, minSize = 0 } = bounds;
  const shape = fixed ? fc.constant(fixed) : shapes(bounds);
  const blocks = shape.chain((own) => draw(sizeOf(own)).map((list): Block => ({ shape: own, values: list })));
  const shrinking = new Shrinking(blocks, function* (block) {
    if (!fixed) yield* parts(block, minRank, () => minSize);
    for (const list of simpler(block.values)) yield { shape: block.shape, values: list };
  });
  return tensorsFrom(shrinking, kernels);
}
