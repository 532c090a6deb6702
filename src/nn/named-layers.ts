/** Floor 3: what layers that are given under names have in common: which names may be, and which order they have. */
import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { Module } from "./module.ts";

/** Layers by name, in the order in which they are written. */
export type NamedLayers = Readonly<Record<string, Module>>;

/**
 * The layers of an object, in its order.
 *
 * @throws on a name that holds a dot, or is a whole number out of its place: objects list such names first
 */
export function namedLayers(where: string, layers: NamedLayers): ReadonlyMap<string, Module> {
  if (typeof layers !== "object" || layers === null) {
    throw new DistilgradError("model", `${where}: expected layers { name: layer, … }, got ${kindOf(layers)}`);
  }
  const entries = Object.entries(layers);
  if (entries.length === 0) throw new DistilgradError("model", `${where}: expected at least one layer`);
  const numbered = entries.filter(([name]) => /^\d+$/.test(name)).length;
  for (const [i, [name, layer]] of entries.entries()) {
    if (name.includes(".")) {
      throw new DistilgradError("model", `${where}: a layer name must not hold a dot, got "${name}"`);
    }
    if (numbered > 0 && (numbered < entries.length || name !== String(i))) {
      throw new DistilgradError(
        "model",
        `${where}: JavaScript lists whole-number names first, so "${name}" may not be where you wrote it; name all layers "0", "1", … or none`,
      );
    }
    if (!(layer instanceof Module)) {
      throw new DistilgradError("model", `${where}: layer "${name}" is not a Module`);
    }
  }
  return new Map(entries);
}
