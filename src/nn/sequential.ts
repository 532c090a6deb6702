import { DistilgradError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/**
 * Layers applied one after the other, each under a name of its own.
 *
 *     new Sequential({ hidden: new Linear(64, 32), relu: new ReLU(), logits: new Linear(32, 10) })
 */
export class Sequential extends Module {
  readonly #layers: ReadonlyMap<string, Module>;

  /** @throws on a name that holds a dot, or is a whole number out of its place: objects list such names first */
  constructor(layers: Readonly<Record<string, Module>>) {
    super();
    const entries = Object.entries(layers);
    if (entries.length === 0) throw new DistilgradError("model", "Sequential: expected at least one layer");
    const numbered = entries.filter(([name]) => /^\d+$/.test(name)).length;
    for (const [i, [name, layer]] of entries.entries()) {
      if (name.includes(".")) {
        throw new DistilgradError("model", `Sequential: a layer name must not hold a dot, got "${name}"`);
      }
      if (numbered > 0 && (numbered < entries.length || name !== String(i))) {
        throw new DistilgradError(
          "model",
          `Sequential: JavaScript lists whole-number names first, so "${name}" may not be where you wrote it; name all layers "0", "1", … or none`,
        );
      }
      if (!(layer instanceof Module)) {
        throw new DistilgradError("model", `Sequential: layer "${name}" is not a Module`);
      }
    }
    this.#layers = new Map(entries);
  }

  override children(): Map<string, Module> {
    return new Map(this.#layers);
  }

  forward(x: Tensor): Tensor {
    for (const layer of this.#layers.values()) x = layer.forward(x);
    return x;
  }
}
