import { requireOptions, requireWhole } from "../arguments.ts";
import { randn } from "../factories.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { embedding } from "../ops/embedding.ts";
import type { RandomStream } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import type { Initializer } from "./init.ts";
import { Module, Parameter } from "./module.ts";
import { requireInitializer } from "./weights.ts";

export interface EmbeddingOptions {
  /** How the weight starts. Default `randn`, N(0, 1), as in PyTorch. */
  readonly init?: Initializer;
  /** Where the draws come from. Default: the library's stream. */
  readonly random?: RandomStream | undefined;
  /** The kernel set it lives in, and its indices too. Default float32. */
  readonly kernels?: Kernels;
}

/** A row of a table for every index: `[…]` whole numbers in [0, rows) to `[…, width]`. Its weight is `[rows, width]`. */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(rows: number, width: number, options: EmbeddingOptions = {}) {
    super();
    requireOptions("Embedding", options, ["init", "random", "kernels"]);
    requireWhole("Embedding", "rows", rows, 1);
    requireWhole("Embedding", "width", width, 1);
    const { init = randn, ...source } = options;
    requireInitializer("Embedding", init, source.random);
    this.weight = new Parameter(init([rows, width], source));
  }

  /** @param indices whole numbers in a tensor; no gradient flows into them */
  forward(indices: Tensor): Tensor {
    return embedding(indices, this.weight);
  }
}
