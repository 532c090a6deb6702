/** Floor 4: which layers of a student imitate which of its teacher's, and what is wrong with such a list. */
import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { blankInput } from "../nn/blank-input.ts";
import { Module, type NamedTensors } from "../nn/module.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { type Teacher, teacherFeatures } from "./teacher.ts";

/** A student layer, the teacher layer it imitates, and a projection from one width to the other where they differ. */
export type FeaturePair = readonly [studentLayer: string, teacherLayer: string, projection?: Module];

/** The projections of the pairs, once the pairs are found to be some. */
export function projectionsOf(where: string, features: readonly FeaturePair[]): Module[] {
  if (!Array.isArray(features) || features.length === 0) {
    throw new DistilgradError(
      "model",
      `${where}: expected features as pairs [studentLayer, teacherLayer], got ${Array.isArray(features) ? "none" : kindOf(features)}`,
    );
  }
  return (features as readonly FeaturePair[]).flatMap((pair) => {
    if (!Array.isArray(pair) || typeof pair[0] !== "string" || typeof pair[1] !== "string") {
      throw new DistilgradError(
        "model",
        `${where}: a feature is a pair of layer names such as ["hidden", "hidden"], got ${Array.isArray(pair) ? `[${pair.map(kindOf).join(", ")}]` : kindOf(pair)}`,
      );
    }
    const [studentLayer, , projection] = pair as FeaturePair;
    if (projection === undefined) return [];
    if (!(projection instanceof Module)) {
      throw new DistilgradError("model", `${where}: the projection of "${studentLayer}" is not a Module`);
    }
    return projection;
  });
}

/** Requires a model whose layers can be asked by name; returns it. */
export function requireLayered(where: string, role: string, model: unknown): Module {
  if (model instanceof Module) return model;
  throw new DistilgradError("model", `${where}: features are taken from a Module; this ${role} is none`);
}

/** Requires a layer of this name, or of the name before `#2`, its second call. */
export function requireLayer(where: string, role: string, model: Module, name: string): void {
  const names = [...model.modules().keys()];
  const call = name.lastIndexOf("#");
  if (names.includes(call === -1 ? name : name.slice(0, call))) return;
  throw new DistilgradError(
    "model",
    `${where}: the ${role} has no layer "${name}"; it has ${names.map((known) => `"${known}"`).join(", ") || "none"}`,
  );
}

/** What a layer has computed. */
export function featureOf(role: string, features: NamedTensors, name: string): Tensor {
  const feature = features.get(name);
  if (feature === undefined) {
    throw new DistilgradError(
      "model",
      `trainer: the ${role}'s layer "${name}" was not called in the forward pass`,
    );
  }
  return feature;
}

/** What the two layers of a pair computed. */
export interface AskedPair {
  readonly pair: FeaturePair;
  readonly own: Tensor;
  readonly wanted: Tensor;
}

/** Both models' answers to an input, pair by pair, in evaluation mode and without a graph. */
export function askedPairs(
  where: string,
  student: Module,
  teacher: Teacher,
  pairs: readonly FeaturePair[],
  input: Shape | Tensor,
): AskedPair[] {
  const models = [
    requireLayered(where, "student", student),
    requireLayered(where, "teacher", teacher),
  ] as const;
  for (const [own, wanted] of pairs) {
    requireLayer(where, "student", models[0], own);
    requireLayer(where, "teacher", models[1], wanted);
  }
  const [answered, asked] = models.map((model) => teacherFeatures(model, blankInput(where, model, input)));
  return pairs.map((pair) => ({
    own: featureOf("student", answered.features, pair[0]),
    wanted: featureOf("teacher", asked.features, pair[1]),
    pair,
  }));
}
