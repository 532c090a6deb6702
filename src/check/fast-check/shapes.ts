import fc from "fast-check";
import { broadcastShapes, type Shape } from "../../shape.ts";

export interface SizeOptions {
  /** The smallest size of an axis. Default 0: an axis without entries is a case, too. */
  readonly minSize?: number;
  /** The largest. Default 3. */
  readonly maxSize?: number;
}

export interface ShapeOptions extends SizeOptions {
  /** The fewest axes. Default 0: a scalar. */
  readonly minRank?: number;
  /** The most. Default 4. */
  readonly maxRank?: number;
}

/** Sizes of one axis. Every size is drawn equally often, but 0 a third as often. Shrinks to smaller ones. */
export function sizes({ minSize = 0, maxSize = 3 }: SizeOptions = {}): fc.Arbitrary<number> {
  const weighted: number[] = [];
  for (let size = minSize; size <= maxSize; size++) weighted.push(...(size === 0 ? [0] : [size, size, size]));
  return fc.noBias(fc.nat({ max: weighted.length - 1 })).map((i) => weighted[i]);
}

/** Shapes of up to four axes. Shrinks to fewer axes, and to smaller ones. */
export function shapes({ minRank = 0, maxRank = 4, ...size }: ShapeOptions = {}): fc.Arbitrary<number[]> {
  return fc.array(sizes(size), { minLength: minRank, maxLength: maxRank });
}

/** Shapes that broadcast to `common`: it with axes dropped in front, and others of size 1. */
export function shapesBroadcastingTo(common: Shape): fc.Arbitrary<number[]> {
  return fc
    .tuple(
      fc.nat({ max: common.length }),
      fc.array(fc.boolean(), { minLength: common.length, maxLength: common.length }),
    )
    .map(([dropped, ones]) => common.map((size, axis) => (ones[axis] ? 1 : size)).slice(dropped));
}

/** Two shapes that broadcast, and what they broadcast to: `[a, b, common]`. */
export function broadcastPairs({
  minRank = 0,
  maxRank = 4,
  ...size
}: ShapeOptions = {}): fc.Arbitrary<readonly [a: Shape, b: Shape, common: Shape]> {
  // All drawn at once, so that each part shrinks by itself: of an axis its size and which of the two has it with size 1,
  // and how many axes each lacks in front, as a share of them.
  const axis = fc.tuple(sizes(size), fc.boolean(), fc.boolean());
  const lacks = fc.noBias(fc.nat({ max: maxRank }));
  return fc
    .tuple(fc.array(axis, { minLength: minRank, maxLength: maxRank }), lacks, lacks)
    .map(([axes, ...lacking]) => {
      const [a, b] = lacking.map((share, which) =>
        axes
          .map((one) => (one[which + 1] ? 1 : one[0]))
          .slice(Math.floor((share * (axes.length + 1)) / (maxRank + 1))),
      );
      return [a, b, broadcastShapes("broadcastPairs", a, b)] as const;
    });
}
