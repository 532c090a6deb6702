import { requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { Conv2d } from "../nn/conv2d.ts";
import { Linear } from "../nn/linear.ts";
import type { Module } from "../nn/module.ts";
import type { RandomStream } from "../random.ts";
import { formatShape, type Shape, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { askedPairs, type FeaturePair, projectionsOf } from "./layer-pairs.ts";

export interface ProjectionOptions {
  /** An input of the models: a shape with the batch in front, such as `[1, 64]`, or a tensor. */
  readonly input: Shape | Tensor;
  /** Where the projections' weights are drawn from. Default: the library's stream. */
  readonly random?: RandomStream;
}

/**
 * The pairs, each with a projection where the student's layer is not as wide as the teacher's: `Linear` along the last
 * axis, or a 1 × 1 `Conv2d` between maps. A pair that brings its projection keeps it. The models run once each, to see
 * the shapes.
 *
 *     const layers = projectedPairs(student, teacher, [["relu1", "relu2"]], { input: [1, 64] });
 *     const optimizer = new Adam(parametersOf({ student, ...projectionsByName(layers) }));
 *
 * @throws where no projection of these kinds brings one shape to the other
 * @see Romero et al., FitNets (2015), arXiv 1412.6550, §2.2
 */
export function projectedPairs(
  student: Module,
  teacher: Module,
  pairs: readonly FeaturePair[],
  options: ProjectionOptions,
): FeaturePair[] {
  requireOptions("projectedPairs", options, ["input", "random"]);
  projectionsOf("projectedPairs", pairs);
  const { input, random } = options;
  return askedPairs("projectedPairs", student, teacher, pairs, input).map(({ own, wanted }, i) => {
    const [studentLayer, teacherLayer, given] = pairs[i];
    if (given) return pairs[i];
    const { kernels } = own;
    const projection = projectionBetween(own.shape, wanted.shape, { kernels, random });
    if (projection === null) return [studentLayer, teacherLayer];
    if (projection !== undefined) return [studentLayer, teacherLayer, projection];
    throw new DistilgradError(
      "shape",
      `projectedPairs: student "${studentLayer}" is ${formatShape(own.shape)} and teacher "${teacherLayer}" is ${formatShape(wanted.shape)}; only the last axis, or the channels of maps, can be projected`,
    );
  });
}

type Starting = NonNullable<ConstructorParameters<typeof Linear>[2]>;

/** Null where none is needed, undefined where none is known. */
function projectionBetween(own: Shape, wanted: Shape, options: Starting): Module | null | undefined {
  if (own.length === 4 && wanted.length === 4) {
    return own[1] === wanted[1] ? null : new Conv2d(own[1], wanted[1], 1, options);
  }
  if (sameShape(own, wanted)) return null;
  const [from, to] = [own[own.length - 1], wanted[wanted.length - 1]];
  return own.length >= 2 && sameShape(own.slice(0, -1), wanted.slice(0, -1))
    ? new Linear(from, to, options)
    : undefined;
}

/** The projections of the pairs by name, `hidden → hidden`, for `parametersOf`. */
export function projectionsByName(pairs: readonly FeaturePair[]): Record<string, Module> {
  requireInstance("projectionsByName", "a list of pairs, as projectedPairs makes it", pairs, Array);
  const found: Record<string, Module> = {};
  for (const [studentLayer, teacherLayer, projection] of pairs) {
    if (projection) found[`${studentLayer} → ${teacherLayer}`] = projection;
  }
  return found;
}
