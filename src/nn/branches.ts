import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { concat } from "../ops/concat.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";
import { type NamedLayers, namedLayers } from "./named-layers.ts";

export interface BranchesOptions {
  /** Along which axis the results stand one behind the other, −1 being the last. Default 1: columns or channels. */
  readonly axis?: number | undefined;
}

/**
 * Layers that all read the same input, each under a name of its own; their results are concatenated in this order.
 *
 *     new Branches({ narrow: new Conv2d(16, 8, 1), wide: new Conv2d(16, 8, 3, { padding: 1 }) })
 */
export class Branches extends Module {
  readonly axis: number;
  readonly #layers: ReadonlyMap<string, Module>;

  /** @throws on a name that holds a dot, or is a whole number out of its place: objects list such names first */
  constructor(layers: NamedLayers, options: BranchesOptions = {}) {
    super();
    this.#layers = namedLayers("Branches", layers);
    requireOptions("Branches", options, ["axis"]);
    const { axis = 1 } = options;
    if (!Number.isSafeInteger(axis)) {
      throw new DistilgradError("value", `Branches: axis must be a whole number, got ${kindOf(axis)}`);
    }
    this.axis = axis;
  }

  override children(): Map<string, Module> {
    return new Map(this.#layers);
  }

  forward(x: Tensor): Tensor {
    return concat(
      [...this.#layers.values()].map((layer) => layer.forward(x)),
      this.axis,
    );
  }
}
