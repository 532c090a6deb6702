import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { add } from "../ops/add.ts";
import { formatShape, sameShape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

export interface ResidualOptions {
  /** What x passes through on its way around the body. Default: nothing, x itself is added. */
  readonly shortcut?: Module | undefined;
}

/**
 * What a body adds to its input, y = x + body(x), or to a shortcut of it, y = shortcut(x) + body(x).
 *
 * @see He et al., Deep Residual Learning (2015), arXiv 1512.03385, §3.2
 */
export class Residual extends Module {
  readonly body: Module;
  readonly shortcut: Module | null;

  constructor(body: Module, options: ResidualOptions = {}) {
    super();
    requireInstance("Residual", "body, a Module", body, Module);
    if (options instanceof Module) {
      // It may have no fields of its own, and would pass for options that name nothing.
      throw new DistilgradError("value", `Residual: expected { shortcut }, got ${kindOf(options)}`);
    }
    requireOptions("Residual", options, ["shortcut"]);
    const { shortcut } = options;
    if (shortcut !== undefined) requireInstance("Residual", "shortcut, a Module", shortcut, Module);
    this.body = body;
    this.shortcut = shortcut ?? null;
  }

  forward(x: Tensor): Tensor {
    const change = this.body.forward(x);
    const start = this.shortcut ? this.shortcut.forward(x) : x;
    kernelsOf("Residual", start, change);
    if (!sameShape(start.shape, change.shape)) {
      throw new DistilgradError(
        "shape",
        `Residual: body gives ${formatShape(change.shape)} and ${this.shortcut ? "shortcut gives" : "x is"} ${formatShape(start.shape)}; bring x to the body's shape by a shortcut, such as a Linear or a 1×1 convolution`,
      );
    }
    return add(start, change);
  }
}
