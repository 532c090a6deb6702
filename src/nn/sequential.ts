import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";
import { type NamedLayers, namedLayers } from "./named-layers.ts";

/**
 * Layers applied one after the other, each under a name of its own.
 *
 *     new Sequential({ hidden: new Linear(64, 32), relu: new ReLU(), logits: new Linear(32, 10) })
 */
export class Sequential extends Module {
  readonly #layers: ReadonlyMap<string, Module>;

  /** @throws on a name that holds a dot, or is a whole number out of its place: objects list such names first */
  constructor(layers: NamedLayers) {
    super();
    this.#layers = namedLayers("Sequential", layers);
  }

  override children(): Map<string, Module> {
    return new Map(this.#layers);
  }

  forward(x: Tensor): Tensor {
    for (const layer of this.#layers.values()) x = layer.forward(x);
    return x;
  }
}
